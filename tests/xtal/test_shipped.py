"""A file that came with the package and was damaged since is refused where it is first used."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from xtal import shipped
from xtal.shipped import DamagedFileError, shipped_files, whole

PLACES = [path.relative_to(shipped.ROOT).as_posix() for path in shipped_files()]


def use(path: Path) -> None:
    """Use a file as the program does."""
    from generate.judging.chance import Curves
    from generate.judging.evidence import Record
    from generate.knowledge import names
    from generate.knowledge.learning import Recipes
    from generate.parts.library import Library
    from models.ccsg.denoiser import Denoiser
    from models.cpcp.embedder import ReciprocalEmbedder
    from search.frameworks import names as frameworks
    from search.phases.calibration import PhaseCurves
    from search.states.calibration import StateCurve
    from search.verdict.calibration import Calibration
    from xtal.sources.lab import phases, source

    parse = phases.parse
    with pytest.MonkeyPatch.context() as patch:
        named = frameworks if "frameworks" in path.parts else names
        patch.setattr(named, "NAMES", path)
        patch.setattr(source, "PHASES" if path.suffix == ".txt" else "PROTOTYPES", path)
        patch.setattr(phases, "parse", lambda text: islice(parse(text), 2))  # quick
        {
            "names.tsv": lambda: named.table.__wrapped__(),
            "recipes.tsv.gz": lambda: Recipes.load(path),
            "coremof2019.npz": lambda: Library.load(path),
            "series.npz": lambda: Library.load(path),
            "ccsg": lambda: Denoiser(path.parent),
            "cpcp-reciprocal": lambda: ReciprocalEmbedder(path.parent),
            "phases.json": lambda: PhaseCurves.load(path),
            "states.json": lambda: StateCurve.load(path),
            "verdict.json": lambda: Calibration.load(path),
            "chances.json": lambda: Curves.load(path),
            "record.npz": lambda: Record.load(path),
            "phases.txt": lambda: list(source.LabPhases("x").records()),
            "aflow.npz": lambda: list(source.LabPhases("x").records()),
        }[path.parent.name if path.suffix in (".onnx", ".safetensors") or path.name == "config.json" else path.name]()


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Copy a shipped file and its neighbours to where they count as shipped."""

    def made(place: str) -> Path:
        folder = tmp_path / Path(place).parent
        shutil.copytree(shipped.ROOT / Path(place).parent, folder)
        monkeypatch.setattr(shipped, "ROOT", tmp_path)
        return tmp_path / place

    return made


def flip(path: Path, rng: np.random.Generator) -> None:
    """Turn one bit of a file over."""
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def test_the_list_is_of_the_files_as_they_are():
    lines = "".join(f"{shipped._sha256(path)}  {place}\n" for path, place in zip(shipped_files(), PLACES, strict=True))
    hint = "after a change on purpose: python -c 'from xtal.shipped import write_list; write_list()'"
    assert shipped.LIST.read_text() == lines, hint


@pytest.mark.parametrize("place", [place for place in PLACES if not place.endswith(".safetensors")])
def test_a_flipped_bit_is_found_where_the_file_is_used(copy, place):
    path, rng = copy(place), np.random.default_rng(0)
    use(path)
    flip(path, rng)
    with pytest.raises(DamagedFileError, match="is damaged: it is not the file that came with this program; install"):
        use(path)


@pytest.mark.parametrize("place", PLACES)
def test_no_flip_and_no_cut_passes(copy, place):
    path, rng = copy(place), np.random.default_rng(1)
    content = path.read_bytes()
    for number in range(10):
        if number < 5:
            flip(path, rng)
        else:
            path.write_bytes(content[: rng.integers(len(content))])
        with pytest.raises(DamagedFileError):
            whole(path)
        path.write_bytes(content)
    assert whole(path) == path


def test_files_of_ones_own_are_nobodys_business(tmp_path):
    own = tmp_path / "verdict.json"
    own.write_text("{}")
    assert whole(own) == own
    assert whole(tmp_path / "missing") == tmp_path / "missing"


def test_a_file_made_anew_is_listed_anew(copy, tmp_path, monkeypatch):
    path = copy("models/weights/ccsg/config.json")
    own = tmp_path / "list"
    own.write_text(shipped.LIST.read_text())
    monkeypatch.setattr(shipped, "LIST", own)
    shipped._listed.cache_clear()
    path.write_text("{}")
    shipped.renewed(path)
    assert whole(path) == path
    shipped._listed.cache_clear()
