"""Powder patterns: the value objects, wavelengths, background and line finding. Measurements, not crystals."""

from xtal.patterns.pattern import Lines, Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.wavelengths import mean_wavelength, parse_wavelength
from xtal.patterns.writers import write_xye

__all__ = [
    "Lines",
    "Pattern",
    "mean_wavelength",
    "parse_wavelength",
    "q_from_two_theta",
    "two_theta_from_q",
    "write_xye",
]
