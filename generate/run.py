"""One generation as people ask for it: a pattern, perhaps a formula, the index of known crystals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from generate.cif import candidate_cif
from generate.engine import CandidateGenerator
from generate.guessing import frameworks_in, indexed_cells, likely_cells, likely_multiples, usable_contents
from generate.judging import ordered
from generate.knowledge import Contents
from generate.known import Gallery
from generate.preview import CANCELLED, Cancelled, Preview, Turn, Watch
from generate.request import Request
from indexer.build import Progress
from indexer.crew import HERE, Crew
from indexer.default import build_if_missing
from indexer.storage import open_index
from models.ccsg.denoiser import LARGEST, NAME
from xtal.crystals import Crystal, atoms_of_formula, parse_formula, units_of
from xtal.errors import UserError
from xtal.patterns.sample import Sample

INDEXING = "indexing the peaks, and listing what the cell may hold"
NO_CONTENTS = "no_contents"  # reason of an error: nobody knows what to generate
COUNTING = "indexing the peaks, and counting what the cell holds"
CODE = ("models", "generate")  # that takes part
CERTAIN = 0.5  # probability of a cell whose volume is relied on
GUESSES = 3  # compositions tried where none is given
HELD = "no formula was given; tried what real frameworks of these metals and linkers most often hold"
LOOKED_AT = 30  # hits whose compositions are considered


@dataclass(frozen=True, eq=False)
class Generation:
    """Candidates for one pattern, best first.

    Attributes:
        candidates: ranked over all formulas.
        formulas: contents of the cells that were tried.
        notes: what the user should know of how these came about.
        cancelled: whether it was stopped; the candidates are those of the formulas that were done by then.
    """

    candidates: list[Candidate]
    formulas: list[str]
    notes: list[str]
    cancelled: bool = False


def generate_for(
    sample: Sample,
    formula: str,
    units: int | None,
    request: Request,
    index: str,
    progress: Progress,
    crew: Crew[None] = HERE,
) -> Generation:
    """Generate with a formula, or with those of the nearest known crystals where none is given.

    Args:
        sample: the pattern.
        formula: contents of the primitive cell over `units`; blank when unknown.
        units: formula units per cell; None where these are to be found, too.
        request: how to sample.
        index: name of the index of known crystals.
        progress: hears of every entry while an index is built, and of every step.
        crew: searches from parts.

    Raises:
        UserError: a formula or template that cannot be used, or an index that cannot be opened.
    """
    if formula.strip():
        atoms_of_formula(formula, units or 1)  # a mistake is said before anything slow
    generator = CandidateGenerator.open(crew=crew)
    build_if_missing(index, generator.embedder, progress)
    gallery = Gallery.of_index(open_index(index, embedder=generator.embedder))
    return generate_with(generator, gallery, sample, formula, units, request, watch_on(progress))


def watch_on(progress: Progress) -> Watch:
    """Return a watch that brings one progress from 0 to 100 over all formulas, and says which is being tried."""
    reached = 0

    def watch(preview: Preview) -> None:
        """Advance by the per cents gained."""
        nonlocal reached
        now = round(100 * preview.share)
        progress(f"generate: {preview.turn.words}", now - reached, 100)
        reached = now

    return watch


def generate_with(
    generator: CandidateGenerator,
    gallery: Gallery | None,
    sample: Sample,
    formula: str,
    units: int | None,
    request: Request,
    watch: Watch = lambda _: None,
    elements: frozenset[str] | None = None,
) -> Generation:
    """Generate as `generate_for` does, with a generator and a gallery that are open.

    Without a formula the metals and linkers of the request are used, and without these the nearest known crystals.
    Without a gallery a formula is needed. Where it is guessed, the cells hold no other than these `elements`.
    """
    if formula.strip():
        if units is None:
            return _of_composition(generator, gallery, sample, formula, request, watch)
        return _generation(generator, gallery, sample, [atoms_of_formula(formula, units)], request, watch, [])
    if request.linkers:
        return _of_linkers(generator, gallery, sample, request, watch, elements)
    if gallery is None:
        raise UserError(
            "this index has other fingerprints than the generator; say what one primitive cell holds", NO_CONTENTS
        )
    cells = guessed_cells(generator, gallery, sample, elements)
    notes = ["no formula was given; tried those of the nearest known crystals"]
    return _generation(generator, gallery, sample, cells, request, watch, notes)


def _of_composition(
    generator: CandidateGenerator,
    gallery: Gallery | None,
    sample: Sample,
    formula: str,
    request: Request,
    watch: Watch,
) -> Generation:
    """Generate with as many units of a formula as the cell may hold, more of the likelier; mostly whole ones."""
    numbers, written = atoms_of_formula(parse_formula(formula) or ""), units_of(formula)
    watch(Preview(0, request.steps, list, what=COUNTING))
    cells = indexed_cells(sample)
    found = likely_multiples(cells, numbers, written)
    words = " or ".join(f"{one.units / written:g} ({one.probability:.0%})" for one in found)
    says = "by the volumes of the likeliest cells" if cells else "which is usual; no cell was found to tell"
    notes = [f"the primitive cell was taken to hold {words} formula units, {says}"]
    contents, shares = [np.tile(numbers, one.units) for one in found], [one.probability for one in found]
    return _generation(generator, gallery, sample, contents, request, watch, notes, shares)


def _of_linkers(
    generator: CandidateGenerator,
    gallery: Gallery | None,
    sample: Sample,
    request: Request,
    watch: Watch,
    elements: frozenset[str] | None,
) -> Generation:
    """Generate from metals and linkers: in all likely cells at once or, where none is found, of likely contents."""
    watch(Preview(0, request.steps, list, what=INDEXING))
    found = indexed_cells(sample)
    cells = likely_cells(found, request, elements) if request.seconds and request.template == "auto" else []
    candidates = frameworks_in(generator, gallery, sample, cells, request, watch) if cells else []
    if candidates:
        formulas = list(dict.fromkeys(candidate.crystal.formula for candidate in candidates))
        words = "; ".join(held.words for held in cells[0].contents[:GUESSES])
        notes = [f"{HELD}; in the likeliest cell, of {cells[0].cell.volume:.0f} Å³, {words} are the most usual"]
        return Generation(candidates, formulas, notes)
    known = known_cells(request, elements, found[0].volume if found and found[0].probability >= CERTAIN else None)
    notes = [f"{HELD}: {'; '.join(cell.words for cell in known)}"]
    return _generation(generator, gallery, sample, [cell.numbers for cell in known], request, watch, notes)


def known_cells(
    request: Request, elements: frozenset[str] | None = None, volume: float | None = None
) -> list[Contents]:
    """Likely contents of a primitive cell from the metals and linkers of a request: up to `GUESSES`, the best first.

    Those that hold anything but `elements` are passed over. The `volume` of the cell (Å³) tells how much it holds.

    Raises:
        UserError: none is small enough.
    """
    usable = usable_contents(request, elements, volume)
    if not usable:
        raise UserError(
            f"no cell of at most {LARGEST} atoms can be made of {', '.join((*request.metals, *request.linkers))}; "
            "say what one primitive cell holds",
            NO_CONTENTS,
        )
    return usable[:GUESSES]


def guessed_cells(
    generator: CandidateGenerator, gallery: Gallery, sample: Sample, elements: frozenset[str] | None = None
) -> list[NDArray[np.int64]]:
    """Contents of the cells of the nearest known crystals: (N,) atomic numbers of up to `GUESSES` different ones.

    Those that hold anything but `elements` are passed over.

    Raises:
        UserError: none of the nearest crystals is ordered and small enough.
    """
    vector = generator.embedder.embed_patterns([sample.lines])[0]
    near = [neighbour.crystal for neighbour in gallery.nearest(vector, LOOKED_AT)]
    fitting = [c for c in near if elements is None or c.composition.keys() <= elements]
    usable = [c for c in fitting if len(c) <= LARGEST and (c.occupancies == 1).all()]
    cells = {c.formula: np.sort(c.numbers).astype(np.int64) for c in usable}
    if not cells:
        raise UserError(
            f"none of the {LOOKED_AT} nearest known crystals is ordered, has at most {LARGEST} atoms per cell and "
            "no other element; say what one primitive cell holds",
            NO_CONTENTS,
        )
    return list(cells.values())[:GUESSES]


def write_candidates(candidates: Sequence[Candidate], folder: Path) -> list[Path]:
    """Write one CIF per candidate, named by rank; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    width = len(str(len(candidates)))
    files = []
    for candidate in candidates:
        path = folder / f"generated-{candidate.rank:0{width}d}.cif"
        path.write_text(candidate_cif(candidate, NAME, candidate.crystal.formula))
        files.append(path)
    return files


def _generation(
    generator: CandidateGenerator,
    gallery: Gallery | None,
    sample: Sample,
    cells: list[NDArray[np.int64]],
    request: Request,
    watch: Watch,
    notes: list[str],
    weights: Sequence[float] = (),
) -> Generation:
    """Share candidates and time among cells, by `weights` or alike; rank all; cancelled, keep those that are done."""
    every = np.array(weights or [1.0] * len(cells)) / (sum(weights) or len(cells))
    counts = np.diff(np.concatenate([[0.0], request.count * every.cumsum()]).round().astype(int)).tolist()
    tried = [(count, cell) for count, cell in zip(counts, cells, strict=True) if count]
    batches: list[list[Candidate]] = []
    try:
        for (count, cell), turn in zip(tried, _turns(tried), strict=True):
            each = replace(request, count=count, seconds=-(-request.seconds * count // request.count))
            batches.append(generator.generate(sample, cell, each, gallery, partial(_in_turn, watch, turn)))
    except Cancelled as cancelled:
        if not batches:
            raise
        said = str(cancelled) or CANCELLED
        notes = [*notes, f"{said} after {len(batches)} of {len(tried)} formulas; what was generated until then is kept"]
    found = ordered(chain.from_iterable(batches))
    formulas = list(dict.fromkeys(candidate.crystal.formula for candidate in found))
    return Generation(found, formulas, notes, len(batches) < len(tried))


def _turns(tried: Sequence[tuple[int, NDArray[np.int64]]]) -> list[Turn]:
    """Place formulas, each with its candidates, one after the other; the work is about that of their atoms."""
    work = np.array([count * len(cell) for count, cell in tried], float)
    ends = (np.cumsum(work) / work.sum()).tolist()
    formulas = [Crystal(np.eye(3), np.zeros((len(cell), 3)), cell.astype(np.uint8)).formula for _, cell in tried]
    begins = [0.0, *ends[:-1]]
    return [Turn(n, len(tried), *rest) for n, rest in enumerate(zip(formulas, begins, ends, strict=True), 1)]


def _in_turn(watch: Watch, turn: Turn, preview: Preview) -> None:
    """Tell `watch` of a step together with the formula that it belongs to."""
    watch(replace(preview, turn=turn))
