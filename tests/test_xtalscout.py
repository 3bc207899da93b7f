"""The command `xtalscout`: it runs from any folder, and notices when its packages are not its own."""

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import xtalscout

ROOT = Path(__file__).parents[1]
LOOK = "import xtalscout; print(xtalscout.collision())"


@pytest.fixture
def hostile(tmp_path_factory) -> Path:
    """A folder with modules of the names of our packages."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "models").mkdir()
    for module in ("models/__init__.py", "search.py"):
        (folder / module).write_text("raise SystemExit('mine')\n")
    return folder


@pytest.fixture
def installed(tmp_path) -> Path:
    """A folder like site-packages that holds the skeleton of an installation, with its notes."""
    shutil.copy(ROOT / "xtalscout.py", tmp_path)
    for name in xtalscout.PACKAGES:
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / name / "__init__.py", tmp_path / name)
    shutil.copy(ROOT / "models" / "registry.py", tmp_path / "models")
    note(tmp_path, "xtalscout", sorted(tmp_path.rglob("*.py")))
    return tmp_path


def note(folder: Path, name: str, files: list[Path]) -> None:
    """Write the metadata of a distribution as pip does."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    rows = []
    for file in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(file.read_bytes()).digest()).rstrip(b"=").decode()
        rows.append(f"{file.relative_to(folder)},sha256={digest},{file.stat().st_size}")
    (metadata / "RECORD").write_text("\n".join(rows) + "\n")


def look(folder: Path, *path: Path) -> str:
    """What an installation in `folder` says of itself, with other folders first on the module path."""
    code = f"import sys; sys.path[:0] = {[*map(str, path), str(folder)]!r}; {LOOK}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def overwrite(folder: Path, module: str, owner: str) -> None:
    (folder / module).write_text("# not ours\n")
    note(folder, owner, [folder / module])


@pytest.mark.parametrize("package", xtalscout.PACKAGES)
def test_every_package_carries_the_mark(package):
    assert xtalscout.MARK in (ROOT / package / "__init__.py").read_text()
    assert (ROOT / package / "py.typed").is_file()


def test_an_installation_is_its_own(installed):
    assert look(installed) == ""


def test_an_overwritten_package_is_told_with_who_did_it(installed):
    overwrite(installed, "xtal/__init__.py", "xtal")
    assert look(installed) == f"Xtalscout's package 'xtal' was overwritten by xtal; {xtalscout.WAY_OUT}"


def test_an_overwritten_module_is_told(installed):
    overwrite(installed, "models/registry.py", "model-zoo")
    assert "module models/registry.py was overwritten or removed by model-zoo" in look(installed)


def test_a_removed_module_and_a_removed_package_are_told(installed):
    (installed / "models" / "registry.py").unlink()
    assert "module models/registry.py was overwritten or removed by something else" in look(installed)
    shutil.rmtree(installed / "search")
    assert "package 'search' is missing" in look(installed)


def test_a_package_that_hides_ours_is_told(installed, hostile):
    said = look(installed, hostile)
    assert said.startswith(f"{hostile / 'search.py'} hides Xtalscout's package 'search'; unset PYTHONPATH")


def test_the_command_runs_from_a_folder_with_modules_of_its_names(hostile):
    code = f"import sys; sys.path.append({str(ROOT)!r}); import xtalscout; xtalscout.main()"
    done = subprocess.run([sys.executable, "-c", code, "--version"], cwd=hostile, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("xtalscout 0.")


def test_it_says_in_one_line_why_it_cannot_run(monkeypatch, capsys):
    monkeypatch.setattr(xtalscout, "collision", lambda: "Xtalscout's package 'xtal' was overwritten by xtal")
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as ended:
        xtalscout.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: Xtalscout's package 'xtal' was overwritten by xtal\n"


def test_commands_are_spelled_as_they_were_started(monkeypatch):
    from xtal.console import spelled

    monkeypatch.setattr(sys, "argv", ["/usr/bin/xtalscout", "info"])
    assert [spelled(c) for c in ("indexer build", "ui", "models export", "models train")] == [
        "xtalscout build",
        "xtalscout serve",
        "xtalscout export-model",
        "xtalscout train",
    ]
    monkeypatch.setattr(sys, "argv", ["/somewhere/indexer/__main__.py"])
    assert spelled("indexer build") == "python -m indexer build"


def test_every_command_of_the_modules_has_a_name_here():
    import typer
    from typer.main import get_command

    import generate.__main__
    import indexer.__main__
    import models.__main__
    import search.__main__
    import ui.__main__
    from ui.commands import app

    def callbacks(of: typer.Typer) -> set:
        groups = [group.typer_instance for group in of.registered_groups]
        return {command.callback for command in of.registered_commands}.union(*map(callbacks, groups))

    parts = [module.__main__.app for module in (generate, indexer, models, search, ui)]
    assert set().union(*map(callbacks, parts)) == callbacks(app)
    assert {"build", "search", "solve", "serve", "train", "generate"} <= set(get_command(app).commands)
