"""Order a shortlist by how well each candidate explains the measured profile."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.wavelengths import K_ALPHA_2, is_mean_of_doublet, spectrum
from xtal.physics import LineRows, Sticks
from xtal.physics.fit import Fit, in_degrees, refine
from xtal.physics.target import Target


@dataclass(frozen=True)
class Stage:
    """Compare at most `candidates` with `blur` Å⁻¹ of extra line width after `steps` Gauss-Newton steps."""

    candidates: int
    blur: float
    steps: int


# Wide lines first: they meet their partners across a strain of 1 %, and coarse grids are cheap for many candidates.
STAGES = (Stage(100, 0.025, 2), Stage(24, 0.010, 3), Stage(12, 0.0, 4))
RESOLVED = 0.25  # of the line width: a doublet nearer than that at the last angle makes no difference
LEADING = 4  # candidates that are asked how the instrument draws lines,
TRIAL_STEPS = 4  # after so many steps
GROWTHS = (0.0, 2.0, 8.0, 30.0)  # of the line width: 1, 1.5, 2.3 and 3.4 times as wide at 80 as at 20°
CONTRARY = 0.005  # more must be explained by a beam unlike the stated one: the mean of a doublet, or one line
WIDE = 40.0  # degrees 2θ: no instrument changes much before
STRAIN_MARGIN = 1.02  # lines this much beyond the measured range may be strained into it


@dataclass(frozen=True, eq=False)
class Ranking:
    """The candidates in their new order: `order` (R,) are positions in the shortlist, `fit` has the same order.

    `target` is what was fitted, with lines that grow wider with the angle as the pattern has it.
    """

    order: NDArray[np.int64]
    fit: Fit
    target: Target


def rerank(target: Target, table: LineRows, rows: NDArray[np.integer]) -> Ranking:
    """Order the entries `rows` (R,), best first as the embedding sees it, of an index by the physics fit.

    Candidates dropped at a stage stand behind those that went on, ordered by what that stage found; candidates beyond
    the first stage keep their order at the end.
    """
    q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
    order = np.arange(len(rows))
    fit = Fit.start(len(rows))
    chosen = order[: STAGES[0].candidates]
    sticks = Sticks.of(table, rows[chosen], target.wavelength, q_max)
    second = 0.0
    for stage in STAGES:
        chosen, sticks = order[: stage.candidates], sticks.take(np.arange(min(stage.candidates, len(sticks))))
        blur, start = in_degrees(stage.blur, target.wavelength), fit.take(np.arange(len(sticks)))
        if not stage.blur:
            target, second = suited(target, sticks, start)
        result = refine(target, sticks, blur, stage.steps, start, second=second)
        best = np.argsort(result.chi_square, kind="stable")
        order = np.concatenate([chosen[best], order[len(chosen) :]])
        fit = with_head(fit, result.take(best))
        sticks = sticks.take(best)
    return Ranking(order, fit, target)


def suited(target: Target, sticks: Sticks, start: Fit) -> tuple[Target, float]:
    """Choose how lines grow wider with the angle, and the share of Kα2 in the beam, by the leading candidates.

    A file that states the wavelength of an anode's Kα may come from a doublet or from behind a monochromator, or it was
    computed with one line; only the pattern knows. What fits the best of the candidates better is taken.
    """
    few = np.arange(min(LEADING, len(sticks)))
    sticks, start = sticks.take(few), start.take(few)

    def unexplained(target: Target, second: float) -> float:
        """Share of the intensity; other than χ² it means the same on every axis."""
        fit = refine(target, sticks, 0.0, TRIAL_STEPS, start, second=second)
        return 1 - float(fit.explained.max())

    last = float(target.two_theta[-1])
    q = 0.99 * q_from_two_theta(last, target.wavelength)
    apart = float(np.ptp(two_theta_from_q(q / np.array(spectrum(target.wavelength)), target.wavelength)))
    shares = (0.0, K_ALPHA_2) if apart > RESOLVED * target.fwhm else (0.0,)
    targets = [target.grown(growth) for growth in GROWTHS] if last >= WIDE else [target]
    choices = [(grown, share) for grown in targets for share in shares]
    stated = K_ALPHA_2 if is_mean_of_doublet(target.wavelength) else 0.0
    doubt = {share: 0.0 if share == stated else CONTRARY for share in shares}
    return choices[0] if len(choices) == 1 else min(choices, key=lambda c: unexplained(*c) + doubt[c[1]])


def with_head(fit: Fit, head: Fit) -> Fit:
    """Return `fit` with its first candidates replaced."""
    count = len(head.scale)
    return Fit(
        *(np.concatenate([new, old[count:]]) for new, old in zip(vars(head).values(), vars(fit).values(), strict=True))
    )
