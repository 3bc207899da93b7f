"""Frameworks of known metals and linkers whose formula nobody knows: the cells first, then what each may hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from generate.engine import SOLVING, CandidateGenerator
from generate.judging.ranking import Origin, ranked
from generate.knowledge import Contents, likely_contents
from generate.known import Gallery
from generate.preview import Preview, Watch
from generate.refine import fit_crystals
from generate.request import Request
from generate.start import Start
from models.ccsg.denoiser import LARGEST
from xtal.crystals import Crystal
from xtal.crystals.lattices import strain_onto
from xtal.crystals.linkers import METALS
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell

CELLS, LEAST_LIKELY = 3, 0.02  # cells looked at, and the probability of the others beside the first
ALIKE, STRAINED = 100, 0.06  # known crystals of like contents, and by how much they may be strained into a cell
SEEDS = 4  # of these that a search begins from, those that fit the pattern best
MORE = 1.5  # times the search for one formula: known frameworks are not dressed here
SEARCHING = "searching for what the cell holds, and where"


@dataclass(frozen=True, eq=False)
class LikelyCell:
    """A cell that a pattern was indexed with, and what it may hold, the likeliest first."""

    cell: IndexedCell
    contents: tuple[Contents, ...]


def likely_cells(
    cells: Sequence[IndexedCell], request: Request, elements: frozenset[str] | None = None
) -> list[LikelyCell]:
    """Return the likeliest cells with what they may hold of the metals and linkers of a request, if anything.

    Contents that hold other than these `elements`, or too many atoms, are passed over.
    """
    found = []
    for place, cell in enumerate(cells[:CELLS]):
        if not place or cell.probability >= LEAST_LIKELY:
            contents = usable_contents(request, elements, cell.volume)
            if contents:
                found.append(LikelyCell(cell, tuple(contents)))
    return found


def usable_contents(request: Request, elements: frozenset[str] | None, volume: float | None) -> list[Contents]:
    """Likely contents of a primitive cell (of a volume in Å³) that hold no other than some elements."""
    found = likely_contents(request.metals, request.linkers, request.guests, volume)
    allowed = None if elements is None else [gemmi.Element(symbol).atomic_number for symbol in elements]
    return [c for c in found if len(c.numbers) <= LARGEST and (allowed is None or np.isin(c.numbers, allowed).all())]


def indexed_cells(sample: Sample) -> list[IndexedCell]:
    """Return the likeliest cells of a pattern; none of too few lines."""
    from xtal.physics.indexing import index_pattern

    try:
        return index_pattern(sample)
    except UserError:
        return []


def frameworks_in(
    generator: CandidateGenerator,
    gallery: Gallery | None,
    sample: Sample,
    cells: Sequence[LikelyCell],
    request: Request,
    watch: Watch,
) -> list[Candidate]:
    """Return frameworks solved in likely cells from metals, linkers and what may be there beside them, ranked."""
    from generate.solving import solved_among

    def hear(share: float, crystal: Crystal) -> None:
        """Show the best arrangement so far."""
        step = round(share * request.seconds)
        watch(Preview(step, request.seconds, lambda: [crystal], end=SOLVING, what=SEARCHING))

    known = _known(gallery, sample, cells) if gallery is not None else []
    rng = np.random.default_rng(request.seed)
    among = [(one.cell, one.contents) for one in cells]
    seconds, library = MORE * request.seconds, generator.library
    solved = solved_among(
        sample, among, request.linkers, request.guests, library, seconds, rng, known[:SEEDS], hear, generator.crew
    )
    best = generator.relaxed(sample, [*solved, *known[:SEEDS]], watch)
    starts = [*best, *known[SEEDS:]][: request.count]
    embedder = generator.embedder
    origins = [Origin(start.words, "", start.beforehand) for start in starts]
    crystals = [start.crystal for start in starts]
    return ranked(embedder, sample, embedder.embed_patterns([sample.lines])[0], crystals, origins, request.seed)


def _known(gallery: Gallery, sample: Sample, cells: Sequence[LikelyCell]) -> list[Start]:
    """Return known crystals of the same metals and like contents, strained into the cells; best fits first."""
    from generate.solving.solver import SEEDED

    found: dict[str, Start] = {}
    for likely in cells:
        for neighbour in gallery.alike(likely.contents[0].numbers, ALIKE):
            crystal = neighbour.crystal
            if not _usable(crystal, likely.contents[0].numbers) or neighbour.id in found:
                continue
            strained = strain_onto(crystal.lattice, likely.cell.lattice, STRAINED)
            if strained is not None:
                lattice = crystal.lattice @ (np.eye(3) + strained[0])
                found[neighbour.id] = Start(
                    neighbour.id, replace(crystal, lattice=lattice, name=neighbour.id), beforehand=SEEDED
                )
    if not found:
        return []
    starts = list(found.values())
    fits = fit_crystals(sample, [start.crystal for start in starts]).fit.explained
    return [starts[row] for row in np.argsort(-fits, kind="stable")]


def _usable(crystal: Crystal, numbers: NDArray[np.int64]) -> bool:
    """Whether a crystal is ordered, small enough and of the metals of atoms (N,)."""
    metals, wanted = (np.unique(z[METALS[z]]) for z in (crystal.numbers, numbers))
    return len(crystal) <= LARGEST and bool((crystal.occupancies == 1).all()) and np.array_equal(metals, wanted)
