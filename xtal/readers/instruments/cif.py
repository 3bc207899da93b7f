"""Powder CIF: a loop of 2θ, d or q and an intensity, or a 2θ range with a loop of intensities."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.instruments.damage import LIBRARY_ERRORS, reason
from xtal.readers.scan import Scan
from xtal.readers.stated import stated_wavelength
from xtal.readers.techniques import WANTED
from xtal.readers.text import decode, refuse_binary

WAVELENGTH, WEIGHT = "_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_wt"
RADIATION = ("_diffrn_radiation_probe", "_diffrn_radiation_type", "_diffrn_source", "_diffrn_source_type")
ANGLES = ("_pd_proc_2theta_corrected", "_pd_meas_2theta_scan", "_pd_meas_2theta_corrected")
OTHER_AXES = {"_pd_proc_d_spacing": 2 * np.pi, "_pd_proc_recip_len_q": 0.0}  # q = 2π / d; 0 stands for q itself
RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")
INTENSITIES = (
    "_pd_meas_counts_total",
    "_pd_meas_intensity_total",
    "_pd_meas_counts",
    "_pd_proc_intensity_total",
    "_pd_meas_intensity_net",
    "_pd_proc_intensity_net",
    "_pd_proc_ls_intensity_obs",
    "_pd_meas_counts_net",
)
FLIGHT = ("_pd_meas_time_of_flight", "_pd_proc_time_of_flight", "_pd_meas_tof")
ENERGY = ("_pd_proc_energy_detection", "_pd_proc_energy_incident")
ATOMS = "_atom_site_fract_x"
STRUCTURE = "structure"  # reason of an error
BACKSLASH = "\\"  # before a Greek letter
UNCERTAINTY = re.compile(r"[+-]?\d*(?:\.(\d*))?\((\d+)\)")
PROBES = {"neutrons": "neutron|nuclear|reactor|spallation", "electrons": r"electron(?!ic)"}
Column = NDArray[np.floating]


def read_cif(path: Path, content: bytes) -> Scan:
    """Read the first powder pattern of a CIF, with the wavelength of its block or of the only one that states any.

    Raises:
        UserError: with the name of the file, when it cannot be parsed, holds no measured pattern or no X-ray pattern.
    """
    refuse_binary(path.name, content)
    document = _document(path, content)
    found = [(block, scan) for block in document if (scan := _scan(path.name, block)) is not None]
    for block in document:
        _refuse_other_axes(path.name, block)
    if not found and any(block.find_values(ATOMS) for block in document):
        raise UserError(f"{path.name}: this CIF holds a crystal structure and no measured pattern", STRUCTURE)
    if not found:
        raise UserError(
            f"{path.name}: no powder pattern in this CIF; it needs a loop of _pd_meas_2theta_scan "
            "(or _pd_proc_2theta_corrected) and a measured intensity such as _pd_meas_counts_total"
        )
    block, scan = found[0]
    _refuse_other_radiation(path.name, document, block)
    note = f", pattern 1 of {len(found)}" if len(found) > 1 else ""
    return replace(scan, wavelength=_wavelength(path.name, document, block), note=note)


def _document(path: Path, content: bytes) -> Any:
    """Parse the CIF, with tags of either dictionary language (``_pd_meas.counts_total``) written in the older one."""
    text = re.sub(r"(?m)^(\s*_[A-Za-z]\w*)\.(?=\w)", r"\1_", decode(content))
    try:
        return gemmi.cif.read_string(text.encode("ascii", errors="replace").decode())
    except LIBRARY_ERRORS as error:
        at = re.search(r":(\d+):\d+", str(error))
        where = f"line {at[1]}" if at else reason(error, path)
        raise UserError(f"{path.name}: not a readable CIF ({where}); check its loops and quotes there") from error


def _scan(name: str, block: Any) -> Scan | None:
    """Return the pattern of one block, without its wavelength and what is unknown; None where it has none."""
    found = _intensity(block)
    axis = None if found is None else _axis(name, block, len(found[1]))
    if found is None or axis is None:
        return None
    tag, texts = found
    known = np.array([text not in ("?", ".") for text in texts])
    return Scan(axis[0], _numbers(texts), _sigma(block, tag, texts), on_q=axis[1]).at(known)


def _intensity(block: Any) -> tuple[str, list[str]] | None:
    """Return the tag and the values of the measured intensities, the raw ones first."""
    for tag in INTENSITIES:
        texts = list(block.find_loop(tag))
        if texts and not all(text in ("?", ".") for text in texts):
            return tag, texts
    return None


def _axis(name: str, block: Any, count: int) -> tuple[Column, bool] | None:
    """Return x of `count` points, and whether it is q in Å⁻¹; None where the block has no such axis."""
    for tag in ANGLES:
        if len(texts := list(block.find_loop(tag))) == count:
            return _numbers(texts), False
    for prefix in RANGES:
        limits = [gemmi.cif.as_number(block.find_value(f"{prefix}_{end}") or "?") for end in ("min", "inc", "max")]
        start, step, stop = limits
        if not np.isfinite([start, step]).all() or step == 0:
            continue
        if np.isfinite(stop) and abs(start + step * (count - 1) - stop) > abs(step):
            raise UserError(
                f"{name}: {start:g} to {stop:g}° in steps of {step:g}° promises "
                f"{round((stop - start) / step) + 1:,} points, the file holds {count:,}; is it complete?"
            )
        return start + step * np.arange(count), False
    for tag, factor in OTHER_AXES.items():
        if len(texts := list(block.find_loop(tag))) == count:
            values = _numbers(texts)
            with np.errstate(divide="ignore"):
                return (factor / values if factor else values), True
    return None


def _refuse_other_axes(name: str, block: Any) -> None:
    """Refuse by name a pattern over another axis."""
    if any(len(block.find_loop(tag)) for tag in FLIGHT):
        raise UserError(f"{name}: a time-of-flight pattern (neutrons); {WANTED}")
    if any(len(block.find_loop(tag)) for tag in ENERGY):
        raise UserError(f"{name}: an energy-dispersive pattern; {WANTED}")


def _refuse_other_radiation(name: str, document: Any, block: Any) -> None:
    """Refuse by name a pattern of neutrons or electrons, said by its block or, where that says nothing, by another."""
    own = _radiation(block)
    for tag, text in own or [said for other in document for said in _radiation(other)]:
        for probe, words in PROBES.items():
            if re.search(words, text, re.IGNORECASE):
                raise UserError(f"{name}: a pattern of {probe} ({tag} says {text.strip()}); {WANTED}")


def _radiation(block: Any) -> list[tuple[str, str]]:
    """Return what a block says of its radiation, with the tags."""
    return [(tag, text) for tag in RADIATION for text in block.find_values(tag) if text not in ("?", ".")]


def _sigma(block: Any, tag: str, texts: list[str]) -> Column | None:
    """Return the standard uncertainties: a column, those in brackets, or ``σ = 1/√w`` of the weights."""
    for suffix in ("_su", "_esd"):
        if len(own := list(block.find_loop(tag + suffix))) == len(texts):
            return _numbers(own)
    if all(found := [UNCERTAINTY.fullmatch(text) for text in texts]):
        return np.array([int(one[2]) * 10.0 ** -len(one[1] or "") for one in found if one])
    weights = list(block.find_loop("_pd_proc_ls_weight"))
    if len(weights) != len(texts):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 / np.sqrt(_numbers(weights))


def _wavelength(name: str, document: Any, block: Any) -> float | None:
    """Return the wavelength in Å that `block` states, or all others agree on, or that of the line it names."""
    own = _of_block(block)
    others = {found for other in document if (found := _of_block(other)) is not None}
    if own is not None or others:
        return own if own is not None else others.pop() if len(others) == 1 else None
    return stated_wavelength(name, [f"radiation: {text.replace(BACKSLASH, '')}" for _, text in _radiation(block)])


def _of_block(block: Any) -> float | None:
    """Return the wavelength in Å that one block states; of several the mean by their weights."""
    values, weights = _positive(block, WAVELENGTH), _positive(block, WEIGHT)
    if not values:
        return None
    if len(weights) == len(values):
        return float(np.average(values, weights=weights))
    return mean_wavelength(values[0], values[1]) if len(values) == 2 else values[0]


def _positive(block: Any, tag: str) -> list[float]:
    """Return the positive numbers under `tag`, be it a loop or a single value."""
    numbers = [gemmi.cif.as_number(text) for text in block.find_values(tag)]
    return [number for number in numbers if 0 < number < np.inf]


def _numbers(texts: list[str]) -> Column:
    """Return the numbers in `texts` without the uncertainty in brackets; NaN where there is none."""
    return np.array([gemmi.cif.as_number(text) for text in texts], dtype=float)
