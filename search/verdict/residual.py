"""Why a fitted profile and the measured one differ, in numbers.

What the fit reflection by reflection takes (`search.verdict.scrutiny`) is told apart by where it acts: errors of lines
at low angles alone are guests in the pores, those that go with a direction are texture, and a strain that the metric of
the entry's cell forbids is a lower symmetry.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.lattices import mappings
from xtal.patterns import two_theta_from_q
from xtal.physics.reflection_profile import Model, State, View, spread
from xtal.physics.shell import VOIGT
from xtal.physics.target import Target
from xtal.physics.texture import SPREAD, nearest_axis

LOW = 0.94  # Å⁻¹, spacings beyond 6.7 Å: what fills pores changes these lines most
SAME_METRIC = 0.01  # relative to the edges: cells that differ by less have the same symmetry
LITTLE_TEXTURE, LITTLE_STRAIN = 0.7, 0.004  # rms in units of what is usual, strain: less is not looked into
HULL_POINTS = 200  # of the background, enough for a hump


@dataclass(frozen=True)
class Residual:
    """What of a misfit a fit reflection by reflection puts down to what.

    Attributes:
        low_angles: ln of the fitted over the calculated intensity of lines below `LOW`, relative to that of the others;
            0 where there are none of either.
        below: degrees 2θ up to which that is.
        texture: March-Dollase ratio about the likeliest axis; 1 where hardly any is needed.
        beyond: root mean square of the errors of the lines from `LOW` on that show, in units of what is usual.
        shown: how many these are.
        agreement: cosine of the roots of the fitted and the calculated intensities of the lines from `LOW` on.
        split: largest difference of the strain in two directions that the metric symmetry of the entry makes alike.
        split_sigmas: how many standard deviations that strain is from none.
    """

    low_angles: float = 0.0
    below: float = 0.0
    texture: float = 1.0
    beyond: float = 0.0
    shown: int = 0
    agreement: float = 0.0
    split: float = 0.0
    split_sigmas: float = 0.0

    @classmethod
    def of(cls, view: View, model: Model, state: State, shows: NDArray[np.bool_]) -> Self:
        """Take apart where a fit stands in a view; `shows` (L,) are the lines whose errors noise does not hide."""
        errors, _, texture = state.split(model.lines)
        seen, high = view.target, model.shell.line_q >= LOW
        low, first = _low_angles(model, errors, seen)
        split, sigmas = _split(state, model.lines, spread(seen.wavelength)[:6, :6], model.shell.lattice)
        calculated = np.sqrt(np.bincount(model.shell.line, model.shell.area)[high])
        fitted = calculated * np.exp(0.5 * (model.spread * errors)[high])
        norm = np.linalg.norm(fitted) * np.linalg.norm(calculated)
        told = errors[high & shows]
        return cls(
            low_angles=low,
            below=first,
            texture=_texture(model, state, texture),
            beyond=float(np.sqrt(np.mean(told**2))) if len(told) else 0.0,
            shown=len(told),
            agreement=float(fitted @ calculated / max(norm, 1e-30)),
            split=split,
            split_sigmas=sigmas,
        )


def amorphous_share(target: Target) -> float:
    """Return which share of the scattering stands in broad humps of the background, 0 to 1.

    The level ground is the largest convex curve below the background: what a beam and air leave falls off with the
    angle, and bends upwards; a halo bends downwards.
    """
    few = np.unique(np.linspace(0, len(target.under) - 1, HULL_POINTS).astype(int))
    angle, under = target.two_theta[few], target.under[few]
    hump = np.interp(target.two_theta, angle, under - _hull(angle, under))[target.measured].sum()
    return float(hump / max(hump + np.clip(target.net, 0, None).sum(), 1e-30))


def _low_angles(model: Model, errors: NDArray, seen: Target) -> tuple[float, float]:
    """Return `Residual.low_angles` and `Residual.below`."""
    shell, q = model.shell, model.shell.line_q
    area = np.bincount(shell.line, shell.area)
    angle = two_theta_from_q(q, seen.wavelength)
    inside = (angle > seen.two_theta[0]) & (angle < seen.two_theta[-1])
    low, high = inside & (q < LOW), inside & (q >= LOW)
    if not (low.any() and high.any()):
        return 0.0, 0.0
    fitted = area * np.exp(model.spread * errors)
    ratio = [max(float(fitted[part].sum()), 1e-30) / max(float(area[part].sum()), 1e-30) for part in (low, high)]
    return float(np.log(ratio[0] / ratio[1])), float(two_theta_from_q(LOW, seen.wavelength))


def _texture(model: Model, state: State, texture: NDArray) -> float:
    """Return the ratio of the March-Dollase texture that a fitted tensor stands for; 1 where it is weak."""
    if np.sqrt(np.mean(texture**2)) < LITTLE_TEXTURE or not len(model.shell.axes):
        return 1.0
    precision = np.linalg.inv(np.linalg.inv(state.normal)[-7:-1, -7:-1])
    return float(np.exp(SPREAD * nearest_axis(model.shell.axes, texture, precision)[1]))


def _split(state: State, lines: int, units: NDArray, lattice: NDArray) -> tuple[float, float]:
    """Return `Residual.split` and `Residual.split_sigmas`: the strain less its mean over the metric's symmetry."""
    part = slice(lines, lines + 6)
    strain = np.empty((3, 3))
    strain[VOIGT] = strain[VOIGT[::-1]] = units @ state.unknowns[part]
    if np.ptp(np.linalg.eigvalsh(strain)) < LITTLE_STRAIN:
        return 0.0, 0.0
    metric = lattice @ lattice.T
    turns = np.linalg.inv(lattice) @ mappings(metric, metric, SAME_METRIC) @ lattice  # (K, 3, 3), in space
    broken = strain - np.mean(turns @ strain @ turns.swapaxes(1, 2), axis=0)
    six = np.linalg.solve(units, broken[VOIGT])
    covariance = np.linalg.inv(state.normal)[part, part]
    sigmas = np.sqrt(max(float(six @ np.linalg.solve(covariance, six)), 0.0))
    return float(np.ptp(np.linalg.eigvalsh(broken))), float(sigmas)


def _hull(angle: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest convex curve (M,) below points (M,) of ascending angle."""
    corners: list[int] = []
    for place in range(len(angle)):
        while len(corners) > 1 and _above(angle, height, corners[-2], corners[-1], place):
            corners.pop()
        corners.append(place)
    return np.interp(angle, angle[corners], height[corners])


def _above(angle: NDArray, height: NDArray, before: int, here: int, after: int) -> bool:
    """Tell whether a point lies on or above the straight line between two others."""
    rise = (height[here] - height[before]) * (angle[after] - angle[before])
    return bool(rise >= (height[after] - height[before]) * (angle[here] - angle[before]))
