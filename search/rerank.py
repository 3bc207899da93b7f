"""Order a shortlist by how well each candidate explains the measured profile."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import q_from_two_theta
from xtal.physics import LineTable, Sticks
from xtal.physics.fit import Fit, refine
from xtal.physics.target import Target


@dataclass(frozen=True)
class Stage:
    """Compare at most `candidates` with `blur` Å⁻¹ of extra line width after `steps` Gauss-Newton steps."""

    candidates: int
    blur: float
    steps: int


# Wide lines first: they meet their partners across a strain of 1 %, and coarse grids are cheap for many candidates.
STAGES = (Stage(48, 0.025, 1), Stage(16, 0.010, 1), Stage(12, 0.0, 1))
STRAIN_MARGIN = 1.02  # lines this much beyond the measured range may be strained into it


@dataclass(frozen=True, eq=False)
class Ranking:
    """The candidates in their new order: `order` (R,) are positions in the shortlist, `fit` has the same order."""

    order: NDArray[np.int64]
    fit: Fit


def rerank(target: Target, table: LineTable, rows: NDArray[np.integer]) -> Ranking:
    """Order the entries `rows` (R,), best first as the embedding sees it, of an index by the physics fit.

    Candidates dropped at a stage stand behind those that went on, ordered by what that stage found; candidates beyond
    the first stage keep their order at the end.
    """
    q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
    order = np.arange(len(rows))
    fit = Fit.start(len(rows))
    chosen = order[: STAGES[0].candidates]
    sticks = Sticks.of(table, rows[chosen], target.wavelength, q_max)
    for stage in STAGES:
        chosen, sticks = order[: stage.candidates], sticks.take(np.arange(min(stage.candidates, len(sticks))))
        blur = np.degrees(stage.blur * target.wavelength / (2 * np.pi))
        result = refine(target, sticks, blur, stage.steps, fit.take(np.arange(len(sticks))))
        best = np.argsort(result.chi_square, kind="stable")
        order = np.concatenate([chosen[best], order[len(chosen) :]])
        fit = _replace_head(fit, result.take(best))
        sticks = sticks.take(best)
    return Ranking(order, fit)


def _replace_head(fit: Fit, head: Fit) -> Fit:
    """Return `fit` with its first candidates replaced."""
    count = len(head.scale)
    return Fit(
        *(np.concatenate([new, old[count:]]) for new, old in zip(vars(head).values(), vars(fit).values(), strict=True))
    )
