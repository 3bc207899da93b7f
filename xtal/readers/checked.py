"""From what a file holds to a `Pattern`: the checks that are the same for every format."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH
from xtal.readers.peaks import drawn, is_peak_list
from xtal.readers.ranges import in_one
from xtal.readers.scales import scale_of_noise
from xtal.readers.scan import MOST_POINTS, Scan

MEAN_OVER = 21  # points that noise is averaged over: about a line's width
MOST_TWINS = 0.1  # share of points at the angle of the point before: more have lost digits


def pattern_of(scan: Scan, name: str, wavelength: float | None = None) -> Pattern:
    """Check `scan` and return it as a `Pattern`; `wavelength` in Å wins over the file's own.

    A scan from high to low angles is turned round, ranges that follow one another are joined, points at or below
    2θ = 0 are left out (no line is there), points at one angle are averaged, and a curve that subtracting a background
    left negative is raised, the noise that is still below becomes 0. A list of lines is drawn as a pattern. `source`
    says what was done.

    Raises:
        UserError: with the `name` of the file, on anything else that is no pattern.
    """
    given = _stated(name, scan) if wavelength is None else wavelength
    _refuse_no_numbers(name, scan)
    if scan.on_q:
        scan = scan.at(scan.x > 0)
        scan = replace(scan, x=_two_theta(name, scan.x, given), on_q=False)
    if is_peak_list(scan.x, scan.intensity):
        two_theta, intensity, note = drawn(scan.x, scan.intensity, given)
        return _checked(name, Scan(two_theta, intensity, note=scan.note + note), given)
    return _checked(name, _counted(_averaged(name, in_one(name, scan))), given)


def _stated(name: str, scan: Scan) -> float:
    """Return the wavelength that the file states, in Å; refuse a file that states none."""
    if scan.wavelength is None:
        raise UserError(f"no wavelength in {name}", "no_wavelength")
    return scan.wavelength


def _refuse_no_numbers(name: str, scan: Scan) -> None:
    """Refuse more points than a pattern has, and values that are no numbers."""
    if len(scan) > MOST_POINTS:
        raise UserError(f"{name}: {len(scan):,} points; a pattern has at most {MOST_POINTS:,}")
    for column in (scan.x, scan.intensity):
        if not np.isfinite(column).all():
            raise UserError(
                f"{name}: point {np.flatnonzero(~np.isfinite(column))[0] + 1} holds NaN or infinity; "
                "every value must be a finite number"
            )


def _averaged(name: str, scan: Scan) -> Scan:
    """Leave out x <= 0, and average the few neighbours that share an angle; refuse many."""
    scan = scan.at(scan.x > 0)
    twins = np.diff(scan.x) <= 0
    if not twins.any():
        return scan
    if twins.mean() > MOST_TWINS:
        raise UserError(
            f"{name}: 2θ (or q) must rise from point to point, but {scan.x[int(np.argmax(twins))]:g} appears twice, "
            "and so do many; give 2θ with more digits, or one row for each angle"
        )
    start = np.flatnonzero(np.concatenate([[True], ~twins]))
    count = np.diff(np.append(start, len(scan)))
    sigma = None if scan.sigma is None else np.sqrt(np.add.reduceat(scan.sigma**2, start)) / count
    mean = np.add.reduceat(scan.intensity, start) / count
    note = f"{scan.note}, points at one angle averaged ({twins.sum()})"
    return replace(scan, x=scan.x[start], intensity=mean, sigma=sigma, note=note)


def _counted(scan: Scan) -> Scan:
    """Take logarithms and square roots back to counts, where the noise gives them away."""
    scale = None if scan.sigma is not None else scale_of_noise(scan.intensity)
    if scale is None:
        return scan
    return replace(
        scan, intensity=scale.back(scan.intensity), note=f"{scan.note}, intensities converted from {scale.name}"
    )


def _checked(name: str, scan: Scan, wavelength: float) -> Pattern:
    """Return the `Pattern`, or its refusal with the name of the file."""
    if len(scan) and scan.x[-1] >= 180:
        raise UserError(
            f"{name}: its x axis runs to {scan.x[-1]:g}, but 2θ must lie within 0 to 180 degrees; "
            "give 2θ in degrees, or name the column (q, d, ...): time of flight, energies and wavenumbers are not read"
        )
    sigma = _known(scan.intensity, scan.sigma)
    try:
        intensity = _not_negative(scan.intensity)
        x, esd = np.asarray(scan.x, np.float64), None if sigma is None else np.asarray(sigma, np.float64)
        return Pattern(x, np.asarray(intensity, np.float64), wavelength, esd, f"{name}{scan.note}")
    except UserError as error:
        raise UserError(f"{name}: {error}", error.reason) from error


def _known(intensity: NDArray[np.floating], sigma: NDArray[np.floating] | None) -> NDArray[np.floating] | None:
    """Return uncertainties that are known everywhere.

    One of 0 (or none at all) means that nobody knows it, not that the point is exact. A few such get what counting
    gives with the factor of the others, ``σ² = k I``; where most are unknown, all are.
    """
    if sigma is None:
        return None
    known = np.isfinite(sigma) & (sigma > 0)
    if known.all():
        return sigma
    counted = known & (intensity > 0)
    if known.mean() < 0.5 or not counted.any():
        return None
    factor = np.median(sigma[counted] ** 2 / intensity[counted])
    counts = np.maximum(intensity, intensity[counted].min())
    return np.where(known, sigma, np.sqrt(factor * counts))


def _two_theta(name: str, q: NDArray[np.floating], wavelength: float) -> NDArray[np.floating]:
    """Return 2θ in degrees of `q` (Å⁻¹); refuse what no angle reaches."""
    if not SHORTEST_WAVELENGTH <= wavelength <= LONGEST_WAVELENGTH:
        raise UserError(
            f"{name}: wavelength must lie in {SHORTEST_WAVELENGTH} to {LONGEST_WAVELENGTH} Å, got {wavelength:g}"
        )
    two_theta = two_theta_from_q(q, wavelength)
    if np.isnan(two_theta).any():
        raise UserError(
            f"{name}: its q axis reaches {q.max():g} Å⁻¹, but {wavelength:g} Å reaches {4 * np.pi / wavelength:.4g} "
            "Å⁻¹ at most; check the wavelength, and name the column q_nm^-1 if q is in nm⁻¹"
        )
    return two_theta


def _not_negative(intensity: NDArray[np.floating]) -> NDArray[np.floating]:
    """Raise a background that was taken off too far, and set what noise leaves below 0 to 0.

    The running mean is nowhere negative then: cut off at 0 instead, whole stretches lose the feet of their lines and
    the noise by which lines are told. A curve whose negative values outweigh the positive ones is refused.
    """
    positive, negative = intensity[intensity > 0].sum(), -intensity[intensity < 0].sum()
    if negative > positive or (len(intensity) and -intensity.min() > intensity.max()):
        raise UserError(
            f"the intensities are mostly negative ({intensity.min():g} to {intensity.max():g}); "
            "give measured intensities, not a difference curve or logarithms"
        )
    window = min(MEAN_OVER, len(intensity))
    lowest = np.convolve(intensity, np.full(window, 1 / window), "valid").min() if window else 0.0
    return np.clip(intensity - min(lowest, 0.0), 0, None)
