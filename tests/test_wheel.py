"""What people install: the wheel, in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("xtalscout.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md")
NAMED = (
    "CONTRIBUTING.md",
    "SECURITY.md",
    "mkdocs.yml",
    "docs",
    "tests",
    "xtal",
    "models",
    "indexer",
    "generate",
    "search",
    "ui",
)
MOST = 50_000_000  # bytes of the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from the source distribution, as for a release, and without a warning."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES + NAMED:
        path = ROOT / name
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, folder / name)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder)]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, env=usual)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert [line for line in said.splitlines() if "warning" in line.lower() or "deprecat" in line.lower()] == []
    return next((folder / "dist").glob("*.whl"))


def test_the_wheel_holds_what_serving_needs_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    packages = ("xtal", "models", "indexer", "generate", "search", "ui")
    assert {f"{package}/py.typed" for package in packages} <= names
    assert {"models/weights/ccsg/denoiser.onnx", "search/examples/UiO-66.xye", "ui/show/assets/style.css"} <= names
    assert any(name.endswith("share/doc/xtalscout/tutorial.md") for name in names)  # which the page serves
    assert [name for name in names if name.endswith(".safetensors") or name.startswith("tests")] == []
    assert wheel.stat().st_size < MOST


def test_the_wheel_answers_in_a_fresh_environment(wheel, tmp_path):
    """From a folder whose modules have our names, with an index of 40 frameworks, the right one among them."""
    environment, work = tmp_path / "environment", tmp_path / "work"
    venv.create(environment, with_pip=True)
    subprocess.run([environment / "bin" / "pip", "install", "-q", f"{wheel}[cpu]"], check=True, capture_output=True)
    (work / "models").mkdir(parents=True)
    for name in ("search.py", "models/__init__.py"):
        (work / name).write_text("raise SystemExit('the wrong module')\n")
    crystals = work / "crystals"
    crystals.mkdir()
    library = "import sys\nfrom pathlib import Path\nfrom xtal.sources import open_source\n"
    chosen = (
        "source = open_source('coremof2019-asr')\n"
        "records = [r for n, r in enumerate(source.records()) if n < 39 or r.id == 'RUBTAK02_SL']\n"
        "[Path(sys.argv[1], r.id + '.cif').write_bytes(r.data) for r in records]\n"
    )
    subprocess.run([environment / "bin" / "python", "-I", "-c", library + chosen, str(crystals)], check=True)
    pattern = next(environment.glob("lib/python3*/site-packages/search/examples/UiO-66.xye"))

    def xtalscout(*arguments):
        called = [environment / "bin" / "xtalscout", *arguments]
        given = {**os.environ, "XTALSCOUT_HOME": str(tmp_path / "home")}
        return subprocess.run(called, cwd=work, env=given, capture_output=True, text=True)

    built = xtalscout("build", f"cif:{crystals}", "--name", "few")
    assert built.returncode == 0, built.stderr
    solved = xtalscout("solve", str(pattern), "--index", "few", "--generate", "never", "--json")
    assert solved.returncode == 0, solved.stderr
    answer = json.loads(solved.stdout)
    assert answer["hits"][0]["id"] == "RUBTAK02_SL"
    assert answer["verdict"]["kind"] == "match"
    missing = xtalscout("info", "nothing")
    assert (missing.returncode, missing.stderr.splitlines()[-1][:12]) == (2, "error: index")
    assert ": xtalscout build NAME" in missing.stderr
