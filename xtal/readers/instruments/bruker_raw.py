"""Siemens and Bruker RAW, first and second version, from the DIFFRAC-AT of the 1990s. Little endian throughout.

Version 1, for each range a header of 156 bytes and the counts as float32::

    0 "RAW " (may be missing from the second range on)   4 uint32 points   8 float32 seconds per step
    12 float32 step in degrees   16 uint32 scan mode   24 float32 start of 2θ   72 float32 Kα1   76 float32 Kα2 in Å
    152 uint32 whether another range follows

Version 2, a header of 256 bytes, then for each range its header and the counts as float32::

    0 "RAW2"   4 uint16 ranges   190 float32 Kα1   194 float32 Kα2 in Å
    range: 0 uint16 length of its header   2 uint16 points   8 float32 seconds   12 float32 step   16 float32 start

The layouts are those that xylib, PyXRD and GSAS-II describe.
"""

import struct

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.ranges import joined
from xtal.readers.scan import MOST_POINTS, Scan

RAW1, RAW2 = b"RAW ", b"RAW2"
HEADER1, HEADER2, SHORTEST = 156, 256, 48  # bytes
MOST_RANGES = 1000


def read_raw1(name: str, content: bytes) -> Scan:
    """Read version 1.

    Raises:
        UserError: with the `name` of the file, where it ends too early.
    """
    ranges: list[Scan] = []
    place, more = 0, 1
    while more and len(ranges) < MOST_RANGES:
        place -= 0 if content[place : place + 4] == RAW1 else 4  # the mark is counted even where it is missing
        points, seconds, step = _unpack(name, content, "<Iff", place + 4)
        (start,) = _unpack(name, content, "<f", place + 24)
        ka1, ka2 = _unpack(name, content, "<2f", place + 72)
        (more,) = _unpack(name, content, "<I", place + HEADER1 - 4)
        data = place + HEADER1
        ranges.append(_scan(name, content, data, (points, start, step, seconds), (ka1, ka2)))
        place = data + 4 * points
    return joined(ranges, "range")


def read_raw2(name: str, content: bytes) -> Scan:
    """Read version 2.

    Raises:
        UserError: with the `name` of the file, where it ends too early.
    """
    (count,) = _unpack(name, content, "<H", 4)
    ka1, ka2 = _unpack(name, content, "<2f", 190)
    ranges: list[Scan] = []
    place = HEADER2
    for _ in range(min(count, MOST_RANGES)):
        length, points = _unpack(name, content, "<2H", place)
        if length < SHORTEST:
            raise UserError(f"{name}: a damaged Bruker RAW file: the header of a range has {length} bytes")
        seconds, step, start = _unpack(name, content, "<3f", place + 8)
        ranges.append(_scan(name, content, place + length, (points, start, step, seconds), (ka1, ka2)))
        place += length + 4 * points
    if not ranges:
        raise UserError(f"{name}: this Bruker RAW file holds no range")
    return joined(ranges, "range")


def _scan(
    name: str, content: bytes, place: int, steps: tuple[int, float, float, float], lines: tuple[float, float]
) -> Scan:
    """Return one range: `steps` are its points, start, step and seconds, `lines` its Kα1 and Kα2."""
    points, start, step, seconds = steps
    if not 0 < points <= MOST_POINTS or place + 4 * points > len(content):
        raise UserError(
            f"{name}: the Bruker RAW file promises {points:,} points, but ends after "
            f"{max(len(content) - place, 0) // 4:,}; is it complete?"
        )
    # float32 holds 7 digits, and steps are round numbers: 0.04 is stored as 0.0399999991
    first, width = float(f"{start:.6g}"), float(f"{step:.6g}")
    return Scan(
        x=first + width * np.arange(points),
        intensity=np.frombuffer(content, "<f4", points, place).astype(float),
        wavelength=_wavelength(*lines),
        seconds=seconds if 0 < seconds < np.inf else None,
    )


def _wavelength(ka1: float, ka2: float) -> float | None:
    """Return the wavelength in Å of two stored as float32, None where none is stored."""
    if not 0 < ka1 < np.inf:
        return None
    return mean_wavelength(float(f"{ka1:.7g}"), float(f"{ka2:.7g}"))


def _unpack(name: str, content: bytes, layout: str, place: int) -> tuple:
    """Return what lies at `place`; refuse a file that ends before."""
    try:
        return struct.unpack_from(layout, content, place)
    except struct.error:
        raise UserError(f"{name}: the Bruker RAW file ends in the middle of a header; is it complete?") from None
