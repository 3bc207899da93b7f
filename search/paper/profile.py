"""A fitted profile as it is drawn and written: measured, calculated, background, difference, and where peaks lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.paper.indices import Indexed, indexed_peaks

if TYPE_CHECKING:
    from search.answer import Hit, Overlay
    from search.engine import Engine
    from search.refinement.run import Refined
    from search.solution import Solution
    from xtal.crystals import Crystal
    from xtal.patterns import Pattern

COLUMNS = "two_theta,observed,calculated,background,difference"


@dataclass(frozen=True, eq=False)
class Marks:
    """Where the peaks of one phase lie: (K,) `ticks` in degrees 2θ, and the `peaks` with indices."""

    name: str
    formula: str
    ticks: NDArray[np.float64]
    peaks: Indexed


@dataclass(frozen=True, eq=False)
class FittedProfile:
    """What a pattern and the structures found in it look like; (M,) arrays over the angles.

    Attributes:
        name: of the sample.
        two_theta: degrees.
        observed: as measured.
        calculated: on top of the background.
        background: as fitted or estimated.
        phases: the structures.
        r_wp: ``sqrt(Σ w (y - y_c)² / Σ w y²)``, the background in y.
        wavelength: Å.
        refined: whether this is a Rietveld refinement, and not the search's fit of cell and line shape alone.
        unexplained: degrees 2θ of peaks that no phase explains.
    """

    name: str
    two_theta: NDArray[np.float64]
    observed: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    phases: tuple[Marks, ...]
    r_wp: float
    wavelength: float
    refined: bool = False
    unexplained: tuple[float, ...] = ()

    @property
    def difference(self) -> NDArray[np.float64]:
        """(M,) observed - calculated."""
        return self.observed - self.calculated

    def csv(self) -> str:
        """Return 2θ in degrees, and intensities as measured, as columns with a heading."""
        columns = (self.two_theta, self.observed, self.calculated, self.background, self.difference)
        rows = (f"{t:.5f}," + ",".join(f"{v:.6g}" for v in rest) for t, *rest in zip(*columns, strict=True))
        return "\n".join([COLUMNS, *rows]) + "\n"


def of_crystal(
    overlay: "Overlay", pattern: "Pattern", crystal: "Crystal", title: str, zero_shift: float, name: str
) -> FittedProfile:
    """Return the profile of a crystal that no index holds, called `title`, as it was laid over the pattern."""
    from xtal.crystals.conventional import conventional

    scan = (float(pattern.two_theta[0]), float(pattern.two_theta[-1]))
    structure = conventional(crystal)
    peaks = indexed_peaks(structure, pattern.wavelength, scan, zero_shift)
    return _laid_over(overlay, pattern, [Marks(title, structure.formula, overlay.ticks, peaks)], name)


def of_hits(
    engine: "Engine | None", pattern: "Pattern", hits: "Sequence[Hit]", name: str, unexplained: Sequence[float] = ()
) -> FittedProfile:
    """Return the profile of hits as the search fitted them together; of none, the pattern alone."""
    from search.refinement.start import strained
    from xtal.patterns.background import background

    if engine is None or not hits:
        under = background(pattern)
        return FittedProfile(name, pattern.two_theta, pattern.intensity, under, under, (), 1.0, pattern.wavelength)
    overlay = engine.stacked(pattern, hits)
    ticks = [part.ticks for part in overlay.parts] or [overlay.ticks]
    scan = (float(pattern.two_theta[0]), float(pattern.two_theta[-1]))
    marks = []
    for hit, places in zip(hits, ticks, strict=True):
        crystal = engine.crystal(hit.id)
        structure = strained(crystal, np.array(hit.parameters or (0.0,) * 9))
        peaks = indexed_peaks(structure, pattern.wavelength, scan, hit.zero_shift or 0.0)
        marks.append(Marks(named(engine, hit), hit.formula, places, peaks))
    return _laid_over(overlay, pattern, marks, name, unexplained)


def _laid_over(
    overlay: "Overlay", pattern: "Pattern", marks: Sequence[Marks], name: str, unexplained: Sequence[float] = ()
) -> FittedProfile:
    """Return the profile that was laid over a pattern, with the marks of what it consists of."""
    from xtal.refinement.asked import Observed

    return FittedProfile(
        name,
        overlay.two_theta,
        overlay.measured,
        overlay.calculated,
        overlay.background,
        tuple(marks),
        Observed.of(pattern).r_wp(overlay.calculated),
        pattern.wavelength,
        unexplained=tuple(unexplained),
    )


def named(engine: "Engine", hit: "Hit") -> str:
    """Return the common name of an entry with what it is called, or that alone."""
    from search.frameworks.described import Describer
    from search.frameworks.entry import EntryId

    name, called = Describer(engine.index).name(hit.row), EntryId.of(hit.id).words
    return f"{name} ({called})" if name else called


def of_solution(engine: "Engine", solution: "Solution", name: str) -> FittedProfile:
    """Return the profile of what the verdict speaks of: all phases of a mixture, or the first hit."""
    answer, verdict = solution.answer, solution.verdict
    hits = [phase.hit for phase in verdict.phases] or list(answer.hits[:1])
    return of_hits(engine, answer.pattern, hits, name, verdict.unexplained)


def of_refined(refined: "Refined", name: str) -> FittedProfile:
    """Return the profile of a refinement."""
    from search.frameworks.entry import EntryId

    found = refined.found
    scan = (float(found.profile.two_theta[0]), float(found.profile.two_theta[-1]))
    marks = tuple(
        Marks(
            EntryId.of(phase.structure.name).words or "structure",
            phase.structure.formula,
            phase.ticks,
            indexed_peaks(phase.structure, found.wavelengths[0], scan, found.zero_shift.value),
        )
        for phase in found.phases
    )
    return FittedProfile(
        name,
        found.profile.two_theta,
        found.profile.observed,
        found.profile.calculated,
        found.profile.background,
        marks,
        found.agreement.r_wp,
        found.wavelengths[0],
        refined=True,
    )
