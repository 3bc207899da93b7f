"""Is a candidate the right crystal? pymatgen's StructureMatcher, asked quickly and with named tolerances.

The matcher maps one lattice onto the other (edges within `Tolerance.length`, angles within `Tolerance.angle`), pairs
atoms of the same element, takes off the common translation, and measures

    rmse = sqrt(mean_i |x_i - y_i|²) / (V / N)^(1/3)

on the mean of the two cells. (V / N)^(1/3) is the edge of the cube that one atom has to itself: 2.0 Å in a dense oxide,
2.3 to 3.7 Å in a porous framework. So `Tolerance.site` = 0.7 admits displacements of 1.6 to 2.6 Å in a framework, more
than a bond: it says that the atoms lie in the right region, not that the bonds are right. Read the rmse beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from indexer.pool import CrashProofPool
from indexer.time_limit import ItemTimeoutError, StalledError, time_limit
from xtal.crystals import Crystal, niggli, to_structure
from xtal.settings import cores

if TYPE_CHECKING:
    from pymatgen.core.structure_matcher import StructureMatcher

PAIR_SECONDS = 60.0  # 400 atoms take some 3 s with the loose tolerance; a pair that takes longer than this is no match
CHUNK = 16  # pairs per task of a worker


@dataclass(frozen=True)
class Tolerance:
    """What still counts as the same crystal.

    Attributes:
        name: for tables.
        site: largest rmse, in units of (V / N)^(1/3); ``stol`` of pymatgen.
        angle: degrees between matched cell angles.
        length: relative difference of matched cell edges.
        scale: whether both crystals are brought to one volume first, so that a wrong volume is forgiven.
    """

    name: str
    site: float
    angle: float
    length: float
    scale: bool = True


STRICT = Tolerance("strict", 0.7, 5.0, 0.2)
LOOSE = Tolerance("loose", 0.9, 10.0, 0.3)
VOLUME_TRUE = Tolerance("strict, volume true", 0.7, 5.0, 0.2, scale=False)
TOLERANCES = (STRICT, LOOSE, VOLUME_TRUE)


@dataclass(frozen=True)
class Match:
    """A candidate and the truth, compared with one tolerance.

    Attributes:
        tolerance: what was allowed.
        rmse: in units of (V / N)^(1/3), None when they are different crystals.
        late: whether the comparison was given up; it counts as no match.
    """

    tolerance: Tolerance
    rmse: float | None
    late: bool = False

    @property
    def found(self) -> bool:
        """Whether they are the same crystal."""
        return self.rmse is not None


Pair = tuple[Crystal, Crystal]


def rmse(candidate: Crystal, truth: Crystal, tolerance: Tolerance = STRICT) -> float | None:
    """Return the displacement of the atoms in units of (V / N)^(1/3), see the module's text; None if no match.

    Both crystals must be in primitive cells: a doubled cell of the same crystal is no match.
    """
    if candidate.composition != truth.composition:
        return None
    # to_structure after niggli: the matcher is told below that nothing is left to reduce
    found = _matcher(tolerance).get_rms_dist(to_structure(niggli(candidate)), to_structure(niggli(truth)))
    return None if found is None else float(found[0])


def match(pair: Pair, tolerances: Sequence[Tolerance] = TOLERANCES, seconds: float = PAIR_SECONDS) -> list[Match]:
    """Compare a (candidate, truth) pair with each tolerance, at most `seconds` for each."""
    return [_within(seconds, *pair, tolerance) for tolerance in tolerances]


def match_all(
    pairs: Sequence[Pair],
    tolerances: Sequence[Tolerance] = TOLERANCES,
    workers: int | None = None,
    seconds: float = PAIR_SECONDS,
) -> list[list[Match]]:
    """Compare many (candidate, truth) pairs in processes, by default one per core.

    Returns:
        For each pair one `Match` per tolerance; `late` are those that took more than `seconds` or killed their process.
    """
    compare = partial(match, tolerances=tuple(tolerances), seconds=seconds)
    give_up = partial(_given_up, tolerances=tuple(tolerances))
    chunks = (list(pairs[first : first + CHUNK]) for first in range(0, len(pairs), CHUNK))
    pool: CrashProofPool[Pair, list[Match]] = CrashProofPool(workers or cores(), compare, give_up)
    with pool:
        return [matches for chunk in pool.map(chunks) for matches in chunk]


def _within(seconds: float, candidate: Crystal, truth: Crystal, tolerance: Tolerance) -> Match:
    try:
        with time_limit(seconds):
            return Match(tolerance, rmse(candidate, truth, tolerance))
    except (ItemTimeoutError, StalledError):
        return Match(tolerance, None, late=True)


def _given_up(_pair: Pair, tolerances: Sequence[Tolerance]) -> list[Match]:
    return [Match(tolerance, None, late=True) for tolerance in tolerances]


@lru_cache(maxsize=8)
def _matcher(tolerance: Tolerance) -> "StructureMatcher":
    """Return pymatgen's matcher without its reduction of cells.

    The reduction keeps a cache whose look-up compares all sites of all structures in it: half of the time of a match.
    """
    from pymatgen.core.structure_matcher import StructureMatcher

    class ReducedMatcher(StructureMatcher):
        @classmethod
        def _get_reduced_structure(cls, struct: Any, primitive_cell: bool = True, niggli: bool = True) -> Any:  # noqa: ARG003
            return struct.copy()

    return ReducedMatcher(
        tolerance.length, tolerance.site, tolerance.angle, primitive_cell=False, scale=tolerance.scale
    )
