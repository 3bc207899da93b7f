"""Rigaku .asc: keys like ``*START = 5``, and after ``*BEGIN`` groups of counts, four in a row or one."""

import re

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.axes import Kind, meaning
from xtal.readers.ranges import joined
from xtal.readers.scan import MOST_POINTS, Scan
from xtal.readers.stated import stated_wavelength

KEY = re.compile(r"\*(\w+)\s*(?:=\s*(.*))?")
SEPARATORS = re.compile(r"[,;\s]+")


def says_rigaku_asc(lines: list[str]) -> bool:
    """Whether the file has the keys that such a file has, each in a line."""
    found = {match[1] for line in lines[:400] if line.startswith("*") and (match := KEY.match(line.strip()))}
    return {"START", "STEP"} <= found and bool(found & {"STOP", "COUNT", "BEGIN"})


def read_rigaku_asc(name: str, lines: list[str]) -> Scan:
    """Read all groups, and join those that follow one another.

    Raises:
        UserError: with the `name` of the file, where a group is damaged or no scan over 2θ.
    """
    keys: dict[str, str] = {}
    groups: list[tuple[dict[str, str], list[float]]] = []
    values: list[float] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if (match := KEY.match(text)) is not None:
            if values:
                groups.append((dict(keys), values))
                values = []
            keys[match[1].upper()] = (match[2] or "").strip(" '\"")
        elif text and not text.startswith(("#", ";")):
            values += _row(name, number, text)
    groups += [(keys, values)] if values else []
    if not groups:
        raise UserError(f"{name}: a Rigaku .asc file without counts; is it complete?")
    return joined([_scan(name, *group) for group in groups])


def _row(name: str, number: int, text: str) -> list[float]:
    """Return the numbers of a row."""
    try:
        return [float(cell) for cell in SEPARATORS.split(text.strip(" ,;"))]
    except ValueError:
        raise UserError(f"{name}: line {number} ({text[:40]!r}) holds something else than counts") from None


def _scan(name: str, keys: dict[str, str], values: list[float]) -> Scan:
    """Return one group, checked against the points that it promises."""
    axis = keys.get("SCAN_AXIS", "")
    if axis and meaning(axis).kind is not Kind.TWO_THETA:
        raise UserError(f"{name}: it is a scan over {axis!r}, not over 2θ; export the scan over 2θ")
    start, step, stop, count = (_number(keys, key) for key in ("START", "STEP", "STOP", "COUNT"))
    if start is None or not step or len(values) > MOST_POINTS:
        raise UserError(
            f"{name}: a Rigaku .asc file needs *START and *STEP above 0, and at most {MOST_POINTS:,} counts"
        )
    promised = count if count is not None else None if stop is None else round((stop - start) / step) + 1
    if promised is not None and int(promised) != len(values):
        raise UserError(f"{name}: the scan promises {promised:g} points, the file holds {len(values)}; is it complete?")
    if count is not None and stop is not None and abs(start + step * (count - 1) - stop) > abs(step):
        raise UserError(f"{name}: {count:g} points from {start:g} in steps of {step:g} do not end at {stop:g}")
    return Scan(start + step * np.arange(len(values)), np.array(values), None, _wavelength(name, keys))


def _wavelength(name: str, keys: dict[str, str]) -> float | None:
    """Return the wavelength in Å: that of the doublet, or of the target."""
    primary, second = _number(keys, "WAVE_LENGTH1"), _number(keys, "WAVE_LENGTH2")
    if primary:
        return mean_wavelength(primary, second)
    return stated_wavelength(name, [f"target: {keys['TARGET']}"]) if "TARGET" in keys else None


def _number(keys: dict[str, str], key: str) -> float | None:
    """Return the number that the value of `key` begins with; None where it holds none."""
    match = re.match(r"[+-]?[\d.]+(?:e[+-]?\d+)?", keys.get(key, ""), re.IGNORECASE)
    try:
        return float(match[0]) if match else None
    except ValueError:
        return None
