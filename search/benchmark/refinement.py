"""How well refinement works: on measured patterns with their structures, and on simulated ones of known cells."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from search.benchmark.gallery import held_out
from search.refinement.run import Model, refine_models
from search.refinement.start import strained
from xtal.crystals import Crystal
from xtal.crystals.conventional import Conventional
from xtal.errors import UserError
from xtal.patterns import Pattern, q_from_two_theta
from xtal.physics.artefacts import LABORATORY_SCAN, Artefacts, apply
from xtal.physics.powder import reflections
from xtal.physics.simulate import MARGIN
from xtal.refinement import Choices, Observed, Refinement, Start, refine

ERRORS, CLOSE = 3.0, 2e-4  # a cell is back within so many uncertainties, or so close (relative)
LONG = 60.0  # seconds for the reference that starts from the truth
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Case:
    """One refinement.

    Attributes:
        name: of the structure.
        before: Rwp of the search's fit.
        after: Rwp refined.
        gof: goodness of fit.
        finished: whether it came to its end in time.
        seconds: that it took.
        sites: independent ones.
        error: what went wrong, "" where nothing did.
        off: largest relative error of a cell length, None where the truth is not known.
        sigmas: largest error of the cell in units of its uncertainty, None likewise.
        back: whether the cell came back, None likewise.
        reference: Rwp of a refinement from the true cell, with more time; None likewise.
    """

    name: str
    before: float = np.nan
    after: float = np.nan
    gof: float = np.nan
    finished: bool = False
    seconds: float = np.nan
    sites: int = 0
    error: str = ""
    off: float | None = None
    sigmas: float | None = None
    back: bool | None = None
    reference: float | None = None


def measured_cases(pairs: Sequence[tuple[Pattern, Crystal]], choices: Choices, progress: Progress) -> list[Case]:
    """Refine each crystal against the pattern that was measured of it."""
    return list(_counted((_case(pattern, crystal, choices) for pattern, crystal in pairs), len(pairs), progress))


def simulated_cases(
    index: Index, count: int, severity: float, seed: int, choices: Choices, progress: Progress
) -> list[Case]:
    """Refine entries against patterns simulated of them in a strained cell that their symmetry allows.

    The entries are `count` of those whose formulas no model was trained on.
    """
    rows = held_out(index)
    chosen = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)

    def cases() -> Iterable[Case]:
        """Simulate and refine one after the other."""
        for number, row in enumerate(chosen):
            crystal = replace(index.crystal(int(row)), name=str(index.entries.ids[row]))
            pattern, truth = simulated(crystal, severity, np.random.default_rng([seed, number]))
            yield _case(pattern, crystal, choices, truth)

    return list(_counted(cases(), len(chosen), progress))


def simulated(crystal: Crystal, severity: float, rng: np.random.Generator) -> tuple[Pattern, Conventional]:
    """Return the pattern of a crystal with the artefacts of one laboratory, and the structure it is of.

    Its strain is the part of the drawn one that keeps the symmetry, so that a refinement can find the cell.
    """
    drawn = Artefacts.draw(severity, rng)
    voigt = drawn.strain[(0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)]
    truth = strained(crystal, np.concatenate([voigt, np.zeros(3)]))
    last = float(q_from_two_theta(LABORATORY_SCAN.last, LABORATORY_SCAN.wavelength))
    ideal = reflections(truth.whole(), last * MARGIN, wavelength=LABORATORY_SCAN.wavelength)
    return apply(replace(drawn, strain=np.zeros((3, 3))), ideal, rng, LABORATORY_SCAN), truth


def _case(pattern: Pattern, crystal: Crystal, choices: Choices, truth: Conventional | None = None) -> Case:
    began = time.monotonic()
    try:
        refined = refine_models(pattern, [Model(crystal, "benchmark")], choices)
    except UserError as error:
        return Case(crystal.name, seconds=time.monotonic() - began, error=str(error))
    found = refined.found
    fit = found.agreement
    sites = len(found.phases[0].structure)
    case = Case(
        crystal.name,
        refined.r_wp_before,
        fit.r_wp,
        fit.gof,
        found.finished,
        time.monotonic() - began,
        sites,
    )
    return case if truth is None else _compared(case, found, pattern, truth)


def _compared(case: Case, found: Refinement, pattern: Pattern, truth: Conventional) -> Case:
    """Compare a refined cell with the true one, and Rwp with that of a refinement which starts there."""
    cell = np.array([value.value for value in found.phases[0].cell])
    errors = np.array([value.error or np.nan for value in found.phases[0].cell])
    off = np.abs(cell - truth.cell)
    sigmas, relative = off / errors, off / truth.cell
    back = bool(((sigmas < ERRORS) | (relative < CLOSE)).all())
    known = sigmas[np.isfinite(sigmas)]
    start = Start((truth,), found.zero_shift.value, _width(pattern), second=LABORATORY_SCAN.second)
    try:
        reference = refine(pattern, start, Choices(seconds=LONG)).agreement.r_wp
    except UserError:
        reference = None
    return replace(
        case,
        off=float(relative[:3].max()),
        sigmas=float(known.max()) if len(known) else None,
        back=back,
        reference=reference,
    )


def _width(pattern: Pattern) -> float:
    """Return the usual width of a pattern's lines in degrees."""
    observed = Observed.of(pattern)
    return observed.per_line * float(np.median(np.diff(observed.two_theta)))


def _counted(cases: Iterable[Case], total: int, progress: Progress) -> Iterable[Case]:
    for case in cases:
        yield case
        progress("refining", 1, total)


def pairs_of(folder: Path, patterns: Sequence[Pattern], files: Sequence[Path]) -> list[tuple[Pattern, Crystal]]:
    """Return patterns with the structures whose CIFs are named alike in `folder`.

    Raises:
        UserError: a CIF is missing.
    """
    from xtal.crystals import read_cif

    pairs = []
    for pattern, file in zip(patterns, files, strict=True):
        path = folder / f"{file.stem}.cif"
        if not path.is_file():
            raise UserError(f"{file.name} has no structure: {path} is missing")
        pairs.append((pattern, read_cif(path.read_bytes(), file.stem)))
    return pairs


def summary(cases: Sequence[Case]) -> list[str]:
    """Return what the cases come to, a line for each question."""
    done = [case for case in cases if not case.error]
    if not done:
        return [f"{len(cases)} patterns, none could be refined"]
    seconds = np.array([case.seconds for case in done])
    ratio = np.array([case.after / case.before for case in done])
    lines = [
        _share("Rwp lowered", [case.after < case.before for case in cases]),
        _share("come to their end in time", [case.finished for case in cases]),
        f"seconds: {np.median(seconds):.1f} (median), {np.percentile(seconds, 95):.1f} (95th percentile), "
        f"{seconds.max():.1f} (most)",
        f"Rwp, medians: {np.median([c.before for c in done]):.1%} before, {np.median([c.after for c in done]):.1%} "
        f"after, {np.median(ratio):.2f} of what it was",
    ]
    if any(case.back is not None for case in done):
        near = [case.reference is not None and case.after < case.reference + 0.01 for case in cases]
        lines += [
            _share(f"cell within {ERRORS:g} uncertainties or {CLOSE:.2%}", [bool(case.back) for case in cases]),
            _share("Rwp within 1 point of a refinement from the true cell", near),
        ]
    return lines


def _share(what: str, hits: Sequence[bool]) -> str:
    """Return a share in per cent with its Wilson interval of 95 %."""
    low, high = _wilson(np.array(hits))
    return f"{what}: {sum(hits)} of {len(hits)} = {np.mean(hits):.1%} [{low:.1%}, {high:.1%}]"


def _wilson(hits: NDArray[np.bool_], z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share (J. Am. Stat. Assoc. 22 (1927) 209)."""
    n, p = len(hits), float(hits.mean())
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return float(centre - half), float(centre + half)
