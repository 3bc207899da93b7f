"""Powder CIF: loops of 2θ and intensity, read by rietx, or a 2θ range with intensities, read by geddes."""

from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.scan import Scan
from xtal.readers.text import refuse_binary
from xtal.readers.vendor import LIBRARY_ERRORS, reason

VALUE = "_diffrn_radiation_wavelength"
WEIGHT = "_diffrn_radiation_wavelength_wt"
RANGE = ("_pd_meas_2theta_range_min", "_pd_proc_2theta_range_min")


def read_cif(path: Path, content: bytes) -> Scan:
    """Read the first powder pattern of a CIF, with the wavelength of its block.

    Raises:
        UserError: with the name of the file, when it cannot be parsed or holds no measured pattern.
    """
    refuse_binary(path.name, content)
    try:
        document = gemmi.cif.read_string(content.decode("utf-8", errors="replace"))
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: not a readable CIF ({reason(error, path)})") from error
    block = next((b for b in document if any(b.find_value(tag) for tag in RANGE)), None)
    return _looped(path, document) if block is None else _ranged(path, block)


def _looped(path: Path, document: Any) -> Scan:
    """Read a pattern whose loop gives 2θ and intensity of every point."""
    from rietx.io.readers import read_pdcif

    try:
        data = read_pdcif(path)
    except LIBRARY_ERRORS as error:
        raise UserError(
            f"{path.name}: no powder pattern in this CIF ({reason(error, path)}); "
            "it needs a loop of _pd_meas_2theta_scan (or _pd_proc_2theta_corrected) and an intensity"
        ) from error
    block = document.find_block(data.metadata["block"])
    sigma = None if data.sigma is None else np.array(data.sigma)
    return Scan(np.array(data.two_theta), np.array(data.intensity), sigma, _wavelength(block))


def _ranged(path: Path, block: Any) -> Scan:
    """Read a pattern that states first 2θ and step, and loops over intensities only."""
    import geddes

    try:
        data = geddes.read(str(path))
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: {reason(error, path)}") from error
    return Scan(np.array(data.x), np.array(data.y), None, _wavelength(block))


def _wavelength(block: Any) -> float | None:
    """Return the wavelength in Å that `block` states; of several the mean by their weights."""
    values = _column(block, VALUE)
    if not values:
        return None
    weights = _column(block, WEIGHT)
    if len(weights) == len(values) and sum(weights) > 0:
        return float(np.average(values, weights=weights))
    return mean_wavelength(values[0], values[1]) if len(values) == 2 else values[0]


def _column(block: Any, tag: str) -> list[float]:
    """Return the positive numbers under `tag`, be it a loop or a single value."""
    numbers = [gemmi.cif.as_number(text) for text in block.find_values(tag)]
    return [number for number in numbers if 0 < number < np.inf]
