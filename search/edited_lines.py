"""Lines that a person edited, instead of those found in a pattern: from a table, checked, ready to be searched with."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xtal.errors import UserError
from xtal.patterns import Lines, Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.background import background
from xtal.patterns.linefinder import MOST_LINES, line_points
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.sample import Sample

COLUMNS = ("two_theta", "intensity", "width")
WANTED = "give a table of two_theta (degrees) and intensity (any unit), and width (degrees) where it is known"


def sample_with(pattern: Pattern, lines: Lines | None) -> Sample:
    """Return the pattern with its background, and with the found lines where none are given.

    Given lines without widths get the pattern's usual one, which the fingerprints look at.

    Raises:
        UserError: no line is given, too many are, or one lies outside of the measured range.
    """
    if lines is None:
        return Sample.of(pattern)
    under = background(pattern)
    _check(two_theta_from_q(lines.q, pattern.wavelength), np.asarray(lines.intensity, float), pattern)
    width = _widths(lines.q, pattern, under, np.nan) if lines.width is None else lines.width
    return Sample(pattern, under, Lines(lines.q, lines.intensity, width, pattern.q_range))


def lines_at(pattern: Pattern, two_theta: ArrayLike, intensity: ArrayLike, width: ArrayLike = np.nan) -> Lines:
    """Make lines of a pattern as `find_lines` would have found them there.

    Args:
        pattern: that they belong to.
        two_theta: (K,) degrees, in any order.
        intensity: (K,) areas as measured, any unit.
        width: (K,) full widths at half maximum in degrees, or one for all; NaN for the pattern's usual one.

    Raises:
        UserError: there is no line or there are too many, or a number is not finite, not positive or not measured.
    """
    places, areas = np.asarray(two_theta, float), np.asarray(intensity, float)
    _check(places, areas, pattern)
    order = np.argsort(places, kind="stable")
    places, areas = places[order], areas[order]
    degrees = np.broadcast_to(np.asarray(width, float), order.shape)[order]
    if (degrees <= 0).any() or np.isinf(degrees).any():
        raise UserError(f"widths must be positive degrees 2θ, got {degrees[~(degrees > 0) | np.isinf(degrees)][0]:g}")
    q = q_from_two_theta(places, pattern.wavelength)
    widths = _widths(q, pattern, background(pattern), degrees)
    return Lines(q, areas * lorentz_polarisation_ratio(q, pattern.wavelength), widths, pattern.q_range)


def measured_lines(lines: Lines, wavelength: float) -> NDArray[np.float64]:
    """Return (K, 4) 2θ in degrees, d in Å, area as measured (strongest 100), width in degrees (NaN: unknown)."""
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
    half = np.full(len(lines), np.nan) if lines.width is None else lines.width / 2
    places, area = two_theta_from_q(lines.q, wavelength), 100 * area / area.max(initial=1e-30)
    width = two_theta_from_q(lines.q + half, wavelength) - two_theta_from_q(lines.q - half, wavelength)
    return np.column_stack([places, 2 * np.pi / lines.q, area, width])


def read_lines(path: Path, pattern: Pattern) -> Lines:
    """Read the lines of a pattern from a CSV file: two_theta,intensity and perhaps width, in degrees.

    With a header its names count, in any order and beside other columns; without one the order does. A blank width is
    the pattern's usual one.

    Raises:
        UserError: the file cannot be read, or its lines cannot be used; see `lines_at`.
    """
    rows = _rows(path)
    named = [cell.lower() for cell in rows[0]]
    columns, rows = (named, rows[1:]) if any(name in COLUMNS for name in named) else (list(COLUMNS), rows)
    missing = [name for name in COLUMNS[:2] if name not in columns]
    if missing:
        raise UserError(f"{path.name} has no column {missing[0]}, only {', '.join(columns)}; {WANTED}")
    table = np.array([_numbers(path, row, columns) for row in rows]).reshape(-1, len(COLUMNS))
    try:
        return lines_at(pattern, *table.T)
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from None


def _rows(path: Path) -> list[list[str]]:
    """Return the cells of a file's rows; blank rows and those that begin with # are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"lines cannot be read from {path}: {error}; {WANTED}") from None
    kept = [row for row in text.splitlines() if row.strip() and not row.lstrip().startswith("#")]
    if not kept:
        raise UserError(f"{path.name} holds no lines; {WANTED}")
    return [[cell.strip() for cell in row] for row in csv.reader(kept)]


def _numbers(path: Path, row: Sequence[str], columns: Sequence[str]) -> list[float]:
    """Return 2θ, intensity and width (NaN where blank) of one row."""
    cells = dict(zip(columns, row, strict=False))
    try:
        place, area = (float(cells[name]) for name in COLUMNS[:2])
        return [place, area, float(cells.get("width") or "nan")]
    except (KeyError, ValueError):
        raise UserError(f"{path.name}: the row {','.join(row)!r} holds no two_theta and intensity; {WANTED}") from None


def _check(two_theta: NDArray[np.float64], intensity: NDArray[np.float64], pattern: Pattern) -> None:
    """Refuse lines that nothing can be searched with."""
    if two_theta.ndim != 1 or two_theta.shape != intensity.shape:
        raise UserError(f"every line needs 2θ and an intensity, got {two_theta.shape} and {intensity.shape}")
    if not 1 <= len(two_theta) <= MOST_LINES:
        raise UserError(f"1 to {MOST_LINES} lines can be searched with, got {len(two_theta)}; keep the strongest")
    first, last = pattern.two_theta[[0, -1]]
    outside = two_theta[~((two_theta >= first - 1e-6) & (two_theta <= last + 1e-6))]  # NaN is outside too
    if len(outside):
        raise UserError(f"lines must lie in the measured range, {first:g} to {last:g}°, got {outside[0]:g}°; remove it")
    wrong = intensity[~((intensity > 0) & np.isfinite(intensity))]
    if len(wrong):
        raise UserError(f"intensities of lines must be positive and finite, got {wrong[0]:g}; correct or remove it")


def _widths(
    q: NDArray[np.floating], pattern: Pattern, under: NDArray[np.float64], degrees: ArrayLike
) -> NDArray[np.float64]:
    """Return widths (K,) in Å⁻¹ of lines at `q`; the pattern's usual one where `degrees` is NaN."""
    points = line_points(pattern, pattern.intensity - under)
    usual = points * float(np.median(np.diff(pattern.two_theta)))
    half = np.where(np.isnan(degrees), usual, degrees) / 2
    centre = two_theta_from_q(q, pattern.wavelength)
    return q_from_two_theta(centre + half, pattern.wavelength) - q_from_two_theta(centre - half, pattern.wavelength)
