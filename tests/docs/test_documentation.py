"""The documentation: its site builds without a warning, and its commands and examples run as they stand."""

import json
import os
import re
import shutil
import subprocess
import sys
import types
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest

import models
from indexer.build import build
from indexer.plan import open_plan
from xtal.crystals import write_cif
from xtal.patterns import write_xye
from xtal.physics.simulate import simulate_all

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MEASURED = files("rietx") / "data" / "examples" / "FAP.XRA"  # the file that the tutorial downloads
XTALSCOUT = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
import xtalscout
if __name__ == "__main__":
    xtalscout.main()
"""
CURL = f"#!/bin/sh\ncp {MEASURED} .\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Some frameworks, and the laboratory phases, among which fluorapatite is."""
    folder = tmp_path_factory.mktemp("docs-home")
    build(open_plan(["coremof2019-asr"], models.load(), limit=40, home=folder), workers=1)
    build(open_plan(["lab"], models.load(), home=folder), workers=1)
    return folder


@pytest.fixture
def shell(home, tmp_path):
    """A shell in a folder of its own, with `xtalscout` installed and nothing to be fetched."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(sys.executable)
    for name, text in (("xtalscout", XTALSCOUT), ("curl", CURL)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "XTALSCOUT_HOME": str(home)}

    def run(script):
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    run.folder = folder
    return run


def blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="needs the extra docs")
def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "site" / "tutorial" / "index.html").is_file()


def test_every_page_is_in_the_navigation():
    named = set(re.findall(r"[\w-]+\.(?:md|ipynb)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert named == {path.name for path in DOCS.iterdir() if path.suffix in (".md", ".ipynb")}


def test_the_tutorial_leads_to_a_refined_cif_and_a_figure(shell):
    said = []
    for block in blocks("tutorial.md", "bash"):
        done = shell(block)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout + done.stderr)
    assert "no wavelength in FAP.XRA; give one: --wavelength CuKa" in said[1]
    assert "Match: more than 99 % likely" in said[2]
    assert re.search(r"a \(Å\): 9\.37\d+\(", said[3])
    assert "c (Å): 6.885" in said[3]
    assert (shell.folder / "FAP.svg").read_bytes().startswith(b"<?xml")
    assert (shell.folder / "FAP.csv").read_text().startswith("two_theta,observed,calculated")
    (refined,) = shell.folder.glob("cifs/*/refined.cif")
    assert "_pd_proc_ls_prof_wR_factor" in refined.read_text()


def test_the_scripts_answer_files_series_and_history(shell, home):
    from indexer.storage import open_index

    scans = shell.folder / "scans"
    scans.mkdir()
    pattern = simulate_all([open_index("coremof2019-asr", home).crystal(7)], 0.0, 1)[0]
    for number in (1, 2, 10):
        write_xye(pattern, scans / f"scan{number}.xye", "simulated")
    (scans / "broken.xye").write_text("no pattern\n")
    for block in blocks("scripts.md", "bash"):
        done = shell(block)
        assert done.returncode == 0, done.stderr
        if "import json" in block:
            assert "scans/broken.xye no_pattern" in done.stdout
            assert re.search(r"scans/scan1\.xye match \d\.\d+", done.stdout)
    assert [json.loads(row)["file"] for row in (shell.folder / "answers.jsonl").read_text().splitlines()] == [
        f"scans/{name}.xye" for name in ("broken", "scan1", "scan10", "scan2")
    ]
    assert len(list((shell.folder / "figures").glob("*.pdf"))) == 3
    series = (shell.folder / "series.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in series[1:]] == [f"scans/scan{number}.xye" for number in (1, 2, 10)]
    assert (shell.folder / "series.svg").is_file()
    assert len((shell.folder / "everything.jsonl").read_text().splitlines()) >= 1


def test_a_folder_of_cifs_becomes_an_index(shell, home):
    from indexer.storage import open_index

    (shell.folder / "structures").mkdir()
    index = open_index("coremof2019-asr", home)
    for row in range(4):
        (shell.folder / "structures" / f"mine{row}.cif").write_text(write_cif(index.crystal(row)))
    write_xye(simulate_all([index.crystal(2)], 0.0, 1)[0], shell.folder / "scan.xye", "simulated")
    (block,) = blocks("databases.md", "bash")
    done = shell(block)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +1 +mine2 ", done.stdout, re.MULTILINE)


def test_the_python_example_and_the_notebook_run(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XTALSCOUT_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "search" / "examples", tmp_path / "search" / "examples")
    (example,) = blocks("python.md", "python")
    exec(compile(example, "docs/python.md", "exec"), {})  # noqa: S102
    assert (tmp_path / "UiO-66.svg").is_file()
    display = types.ModuleType("IPython.display")
    display.SVG = bytes
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    names: dict[str, object] = {}
    cells = [cell for cell in notebook() if cell["cell_type"] == "code"]
    for cell in cells:
        exec(compile("".join(cell["source"]), "docs/notebook.ipynb", "exec"), names)  # noqa: S102
    said = capsys.readouterr().out
    assert "no_wavelength - no wavelength in FAP.XRA" in said
    assert "Match: more than 99 % likely" in said
    assert "Space group: P 63/m" in said


def test_the_notebook_was_executed_from_top_to_bottom():
    cells = [cell for cell in notebook() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert "error" not in kinds
    assert {"stream", "execute_result"} <= kinds


def notebook():
    return json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
