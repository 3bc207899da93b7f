"""What speaks for and against each phase of a set, in numbers for the calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.phases.find import Finder, Found
from xtal.patterns import Lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics.fit import prior_precision

WIDEST = 3.0  # in ln χ²: a gain beyond says no more
MOSTLY = 0.5  # of the area calculated at a found line: whose line it is
LEAST = 1e-4
STANDS = 0.1  # of a curve's highest point
FEATURES = (
    "ln chi-square without it over that with it",
    "share of the chi-square it takes off that no other in its place does",
    "root of the share of its intensity where no line was found",
    "likeness of its profile and of what the others leave where it stands",
    "ln of one plus the chi-square that it takes off",
    "ln of its share of the intensity",
    "ln of one plus the lines that are mostly its own",
    "strain and shape that it takes",
    "ln chi-square per point of the whole",
    "root of the share of found lines that nothing explains",
    "similarity of its fingerprint and of what others leave",
    "phases of the set",
)
SIGNS = (1, 1, 0, 1, 1, 0, 1, -1, -1, 0, 1, 0)  # beside likeness, lines too faint to be found say nothing against it


@dataclass(frozen=True, eq=False)
class Shares:
    """How the intensity of a pattern is shared.

    Attributes:
        intensity: (P,) share of the calculated intensity.
        met: (P, K) calculated areas near the found lines.
        own: per phase, found lines (indices) that are mostly its own.
        unexplained: found lines (indices) that no phase explains.
        missing: share of the found lines, by the root of their areas, that no phase explains.
    """

    intensity: NDArray[np.float64]
    met: NDArray[np.float64]
    own: tuple[NDArray[np.int64], ...]
    unexplained: NDArray[np.int64]
    missing: float


FAINT = 0.1  # of a found line's area: less does not explain it


def shares(finder: Finder, found: Found) -> tuple[Shares, NDArray[np.float64]]:
    """Share out the intensity among the phases; also (P,) the area of each where no line was found."""
    state, lines = found.state, finder.answer.lines
    met, astray = finder.lines_met(state)
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, finder.wavelength)
    total = met.sum(axis=0)
    explained = total > FAINT * area
    own = tuple(np.flatnonzero(explained & (row > MOSTLY * total)) for row in met)
    root = np.sqrt(area)
    drawn = met.sum(axis=1) + astray
    return (
        Shares(
            drawn / max(drawn.sum(), 1e-30),
            met,
            own,
            np.flatnonzero(~explained),
            float(root[~explained].sum() / max(root.sum(), 1e-30)),
        ),
        astray,
    )


def features(finder: Finder, found: Found) -> NDArray[np.float64]:
    """Return (P, F) numbers, named in `FEATURES`, in which the odds of each phase are about log-linear."""
    state, points = found.state, max(finder.target.points, 1)
    share, astray = shares(finder, found)
    fit, rows = state.fit, np.array(state.rows)
    drawn = share.met.sum(axis=1) + astray
    precision = prior_precision(finder.wavelength)
    prior = np.einsum("pi,ij,pj->p", fit.parameters, precision, fit.parameters)
    gain = np.log(np.maximum(fit.without, 1e-9) / max(fit.chi_square, 1e-9))
    taken = np.maximum(fit.without - fit.chi_square, 1e-9)
    lead = np.clip((found.rivals - fit.chi_square) / taken, 0, 1)  # 1 without a rival
    return np.column_stack(
        [
            np.minimum(gain, WIDEST),
            lead,
            np.sqrt(astray / np.maximum(drawn, 1e-30)),
            _likeness(fit.curves, fit.data),
            np.log1p(taken),
            np.log(np.maximum(share.intensity, LEAST)),
            np.log1p([len(own) for own in share.own]),
            np.sqrt(prior / prior_size(finder)),
            np.full(len(rows), np.log(max(fit.chi_square, 1e-9) / points)),
            np.full(len(rows), np.sqrt(share.missing)),
            _similarity(finder, share, rows),
            np.full(len(rows), len(rows)),
        ]
    )


def prior_size(finder: Finder) -> int:
    """Number of parameters of a phase."""
    return len(prior_precision(finder.wavelength))


def _likeness(curves: NDArray, data: NDArray) -> NDArray[np.float64]:
    """(P,) cosine of each phase's curve and of the data without the others, where the curve is not faint."""
    total, result = curves.sum(axis=0), np.zeros(len(curves))
    for place, curve in enumerate(curves):
        stands = np.abs(curve) > STANDS * max(float(np.abs(curve).max()), 1e-9)
        own, rest = curve[stands], (data - total + curve)[stands]
        result[place] = float(own @ rest) / max(float(np.linalg.norm(own) * np.linalg.norm(rest)), 1e-9)
    return result


def _similarity(finder: Finder, share: Shares, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(P,) cosine of each phase's fingerprint and that of the lines that the others leave."""
    lines = finder.answer.lines
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, finder.wavelength)
    result = np.zeros(len(rows))
    for place, row in enumerate(rows):
        rest = np.clip(area - np.delete(share.met, place, axis=0).sum(axis=0), 0, None)
        kept = rest > FAINT * area
        if kept.any():
            own = Lines(
                lines.q[kept],
                (rest * lorentz_polarisation_ratio(lines.q, finder.wavelength))[kept],
                None if lines.width is None else lines.width[kept],
                lines.q_range,
            )
            vector = finder.engine.embedder.embed_patterns([own])[0]
            result[place] = float(vector @ finder.index.vectors.reconstruct(int(row)))
    return result
