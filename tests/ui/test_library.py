import subprocess
import sys
from pathlib import Path

import pytest
from ui_fakes import FakeEngine, FakeSolver

import indexer.default
import search.solve
from ui.library import DEFAULT_INDEXES, Library

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def empty_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XTALSCOUT_HOME", str(tmp_path))


@pytest.fixture
def opened(monkeypatch):
    """Names of the indexes that were opened; opening always works."""
    names = []

    def open_engine(name, workers):  # noqa: ARG001
        names.append(name)
        return FakeSolver(FakeEngine())

    monkeypatch.setattr(search.solve.Solver, "open", open_engine)
    return names


def started(name: str) -> Library:
    library = Library(name)
    assert not library.settled
    library.start()
    library._thread.join(30)
    return library


def test_an_index_that_is_there_is_opened(opened):
    library = started("mine")
    assert opened == ["mine"]
    assert library.settled
    assert len(library.engine) == 1234


def test_a_missing_index_is_explained_with_the_command_that_builds_it():
    library = started("mine")
    assert library.settled
    assert "index 'mine' not found" in library.progress.error
    assert "python -m indexer build NAME" in library.progress.error


def test_default_indexes_are_built_when_they_are_missing(opened, monkeypatch):
    built = []

    def build(plan, progress):
        progress("prepare", 16, None)
        built.append((plan.name, [source.name for source in plan.sources], plan.limit))

    monkeypatch.setattr(indexer.default, "build", build)
    assert started("+".join(DEFAULT_INDEXES)).engine is not None
    assert built == [(name, [name], None) for name in DEFAULT_INDEXES]
    assert opened == ["+".join(DEFAULT_INDEXES)]


def test_a_full_disk_is_explained(opened, monkeypatch):
    def build(_plan, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(indexer.default, "build", build)
    assert "No space left on device" in started("+".join(DEFAULT_INDEXES)).progress.error
    assert opened == []


def test_a_defect_leaves_a_word_on_the_page_and_its_traceback_in_the_terminal(monkeypatch):
    def open_engine(_name, workers):  # noqa: ARG001
        raise KeyError("oops")

    monkeypatch.setattr(search.solve.Solver, "open", open_engine)
    library = Library("mine")
    with pytest.raises(KeyError, match="oops"):
        library._prepare()
    assert "the terminal of this program says why" in library.progress.error


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_help_needs_none_of_the_heavy_modules():
    heavy = "{'gradio', 'plotly', 'scipy', 'faiss', 'numpy', 'gemmi', 'onnxruntime', 'pymatgen'}"
    found = run("-c", f"import sys, ui.__main__; print(sorted({heavy} & set(sys.modules)))")
    assert found.stdout.strip() == "[]", found.stderr


def test_an_unknown_index_ends_the_command_before_any_page_opens():
    found = run("-m", "ui", "--index", "nope", "--no-open")
    assert found.returncode == 2
    assert found.stderr.startswith("error: index 'nope' not found")
    assert "Traceback" not in found.stderr


def test_gradio_is_told_to_stay_on_this_machine():
    found = run("-c", "import ui, os; print(os.environ['GRADIO_ANALYTICS_ENABLED'], os.environ['NO_PROXY'])")
    assert found.stdout.split()[0] == "False"
    assert found.stdout.strip().endswith("127.0.0.1,localhost")
