"""What phases leave of the lines that were found."""

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import Lines, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics import Sticks
from xtal.physics.fit import in_degrees, line_positions
from xtal.physics.target import widening

NEAR, SLACK = 0.8, 0.0014  # lines meet within so many widths, and so many Å⁻¹ more
LEFT = 0.25  # of a line's area: what others leave of it is a line of its own
FAINT = 0.01  # of the strongest line's area: less is no line


def assigned(
    lines: Lines, sticks: Sticks, parameters: NDArray, scale: NDArray, wavelength: float, width: float, growth: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the calculated lines of P phases to the found lines nearest to them.

    Args:
        lines: K found lines.
        sticks: of P phases.
        parameters: (P, 9) fitted.
        scale: (P,) areas of all lines of each, in the unit of the found lines.
        wavelength: Å.
        width: of lines at small angles, degrees.
        growth: of the width with the angle.

    Returns:
        (P, K) calculated areas near each found line, and (P,) areas that are near none.
    """
    found = two_theta_from_q(lines.q, wavelength)
    places = line_positions(sticks, parameters, wavelength)[0]  # (P, L)
    low, high = two_theta_from_q(np.array(lines.q_range), wavelength)
    area = np.where((places > low) & (places < high), sticks.area * scale[:, None], 0.0)
    near = np.abs(places[..., None] - found).argmin(axis=2)  # (P, L)
    reach = NEAR * width * widening(found, growth) + in_degrees(SLACK, wavelength)
    meets = np.abs(places - found[near]) <= reach[near]
    met = np.zeros((len(places), len(found)))
    for phase in range(len(places)):
        np.add.at(met[phase], near[phase], np.where(meets[phase], area[phase], 0.0))
    return met, np.where(meets, 0.0, area).sum(axis=1)


def left_over(lines: Lines, met: NDArray[np.float64], wavelength: float) -> Lines:
    """Return what calculated areas (P, K) leave of the found lines, without those that are explained."""
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
    rest = np.clip(area - met.sum(axis=0), 0, None)
    kept = (rest > LEFT * area) & (rest > FAINT * area.max())
    return Lines(
        lines.q[kept],
        (rest * lorentz_polarisation_ratio(lines.q, wavelength))[kept],
        None if lines.width is None else lines.width[kept],
        lines.q_range,
    )
