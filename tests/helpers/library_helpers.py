"""A small library of parts, from the frameworks that come with the tests."""

from functools import cache
from pathlib import Path

from generate.parts import Library
from generate.parts.build import gathered
from generate.parts.survey import survey
from xtal.crystals import Crystal, CrystalTable

DATA = Path(__file__).parents[1] / "data"


@cache
def frameworks() -> tuple[Crystal, ...]:
    """Real and assembled frameworks."""
    tables = [CrystalTable.load(DATA / name) for name in ("core_mof_families.npz", "hmof_like_small.npz")]
    return tuple(table[row] for table in tables for row in range(len(table)))


@cache
def small_library() -> Library:
    """What all of them hold."""
    return gathered([s for crystal in frameworks() if (s := survey(crystal))], "tests")
