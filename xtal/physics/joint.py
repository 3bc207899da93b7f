"""Fit several phases to one measured pattern: their scales, strains and widths, and one zero shift.

    net(x) ≈ Σ_p scale_p Σ_k A_pk φ(x - x_pk; w_p, η_p) + background correction,      scale_p >= 0

with the weights and priors of `xtal.physics.fit`. The scales are non-negative least squares at every step; strains,
widths and shapes of all phases, and the zero shift they share, move together by Gauss-Newton steps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.physics.fit import PARAMETERS, Weighted, prior_precision, step_limit, weighted_profiles
from xtal.physics.sticks import Sticks
from xtal.physics.target import Target

ZERO = 6  # place of the zero shift among the parameters
STEPS = 5
ENOUGH = 1e-3  # relative fall of χ² below which no further step is made
OWN = np.array([i for i in range(PARAMETERS) if i != ZERO])


@dataclass(frozen=True, eq=False)
class JointFit:
    """P phases fitted together.

    Attributes:
        parameters: (P, 9) see `xtal.physics.fit.Fit`; all share the zero shift.
        scale: (P,) area of all lines of each, intensity x degrees.
        chi_square: with the priors.
        without: (P,) χ² when a phase is left out and the others are scaled anew.
        curves: (P, M) calculated profiles in units of the standard deviation, background correction taken off.
        data: (M,) the measured one likewise.
    """

    parameters: NDArray[np.float64]
    scale: NDArray[np.float64]
    chi_square: float
    without: NDArray[np.float64]
    curves: NDArray[np.float32]
    data: NDArray[np.float32]

    @property
    def explained(self) -> float:
        """Share of the data, in units of the standard deviation, that the sum reproduces; 0 at least."""
        left = np.abs(self.data - self.curves.sum(axis=0)).sum()
        return float(max(0.0, 1 - left / max(np.abs(self.data).sum(), 1e-30)))


def fit_jointly(target: Target, sticks: Sticks, start: NDArray[np.float64], steps: int = STEPS) -> JointFit:
    """Fit P phases together.

    Args:
        target: the measured pattern.
        sticks: lines of P phases, with Kα2 where the beam has it.
        start: (P, 9) parameters to begin with; their zero shifts are averaged.
        steps: at most so many.
    """
    data, precision = Weighted.of(target, 0.0), prior_precision(target.wavelength)
    limit, parameters = step_limit(target.wavelength), np.array(start, dtype=np.float64)
    parameters[:, ZERO] = parameters[:, ZERO].mean()
    best: JointFit | None = None
    for _ in range(steps + 1):
        curves = weighted_profiles(data, sticks, parameters, True)
        now = _evaluated(data, curves[:, 0], parameters, precision)
        gained = np.inf if best is None else 1 - now.chi_square / best.chi_square
        if best is None or gained > 0:
            best = now
        if gained < ENOUGH:
            break
        parameters = parameters + np.clip(_move(data, curves, now, precision), -limit, limit)
    if best is None:
        raise RuntimeError("a fit makes at least one evaluation")
    return best


def non_negative(curves: NDArray, data: NDArray) -> NDArray[np.float64]:
    """Return the scales (P,) >= 0 of curves (P, M) that come nearest to the data (M,)."""
    from scipy.optimize import nnls

    norm = np.maximum(np.sqrt(np.einsum("pm,pm->p", curves, curves, dtype=np.float64)), 1e-30)
    unit = (curves / norm[:, None]).astype(np.float64)
    normal = unit @ unit.T + 1e-9 * np.eye(len(unit))
    root = np.linalg.cholesky(normal).T  # |root s - root⁻ᵀ c|² is |unitᵀ s - data|² up to a constant
    aim = np.linalg.solve(root.T, unit @ data.astype(np.float64))
    return np.asarray(nnls(root, aim)[0] / norm)


def _evaluated(data: Weighted, curves: NDArray, parameters: NDArray, precision: NDArray) -> JointFit:
    """Scale curves (P, M) and weigh what they leave."""
    shapes = data.project(curves)
    scale = non_negative(shapes, data.data)
    prior = _prior(parameters, precision)
    everyone = np.arange(len(shapes))
    without = []
    for phase in everyone:
        rest = shapes[everyone != phase]
        part = non_negative(rest, data.data) @ rest if len(rest) else np.zeros_like(data.data)
        without.append(float(((data.data - part) ** 2).sum()) + prior)
    total = float(((data.data - scale @ shapes) ** 2).sum()) + prior
    drawn = (scale[:, None] * shapes).astype(np.float32)
    return JointFit(parameters, scale, total, np.array(without), drawn, data.data)


def _prior(parameters: NDArray, precision: NDArray) -> float:
    """Cost of the parameters; the shared zero shift counts once."""
    once = parameters.copy()
    once[1:, ZERO] = 0
    return float(np.einsum("pi,ij,pj->", once, precision, once))


def _move(data: Weighted, curves: NDArray, now: JointFit, precision: NDArray) -> NDArray[np.float64]:
    """(P, 9) Gauss-Newton step of curves and derivatives (P, 10, M); the scales are unknowns too, then solved anew."""
    count = len(curves)
    projected = data.project(curves)  # (P, 10, M)
    scaled = now.scale[:, None, None] * projected[:, 1:]
    own = scaled[:, OWN].reshape(count * len(OWN), -1)
    design = np.concatenate([projected[:, 0], own, scaled[:, ZERO].sum(axis=0)[None]]).astype(np.float64)
    residual = (now.data - now.curves.sum(axis=0)).astype(np.float64)
    normal, gradient = design @ design.T, design @ residual
    block = precision[np.ix_(OWN, OWN)]
    for phase in range(count):
        part = slice(count + phase * len(OWN), count + (phase + 1) * len(OWN))
        normal[part, part] += block
        gradient[part] -= block @ now.parameters[phase, OWN]
    normal[-1, -1] += precision[ZERO, ZERO]
    gradient[-1] -= precision[ZERO, ZERO] * now.parameters[0, ZERO]
    heads = np.arange(count)
    normal[heads, heads] += 1e-6 * normal[heads, heads] + 1e-9
    move = np.linalg.solve(normal, gradient)
    step = np.empty((count, PARAMETERS))
    step[:, OWN] = move[count:-1].reshape(count, len(OWN))
    step[:, ZERO] = move[-1]
    return step
