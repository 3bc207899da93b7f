"""STOE WinXPOW .raw (``RAW_1.06Powdat``): blocks of 512 bytes, little endian.

::

    322 2 float32 Kα1 and Kα2 in Å   474 uint16 blocks of counts   476 uint16 blocks of the file
    counts: the last blocks of the file, uint32 each; the block before them is the header of the range:
        34 uint16 points   44 six float32: start of 2θ and of θ, end of both, step of both   120 uint32 least and most

The layout is that which the Chemotion converter describes. Everything is checked against everything else: points
against start, end and step, and the least and most counts against those that are stored.
"""

import struct

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.scan import Scan

STOE = b"RAW_1."
BLOCK = 512
LINES, BLOCKS = 322, 474
POINTS, SCAN, EXTREMES = 34, 44, 120  # in the header of a range


def read_stoe(name: str, content: bytes) -> Scan:
    """Read the only range of the file.

    Raises:
        UserError: with the `name` of the file, where its parts do not fit together.
    """
    places: list[int] = []
    if len(content) >= 2 * BLOCK:
        data, whole = struct.unpack_from("<2H", content, BLOCKS)
        places = [(whole - data) * BLOCK] if 0 < data < whole else []
        places += range(2 * BLOCK, len(content), BLOCK)  # files with another count of blocks
    scan = next((found for place in places if (found := _range(content, place)) is not None), None)
    if scan is None:
        raise UserError(
            f"{name}: a STOE raw file of a kind that is not known here, or damaged; "
            "export it from WinXPOW as text with two columns (.xyd or .xy)"
        )
    return scan


def _range(content: bytes, place: int) -> Scan | None:
    """Return the range whose counts begin at `place`; None where header and counts do not fit together."""
    header = place - BLOCK
    if header < BLOCK or place > len(content):
        return None
    (points,) = struct.unpack_from("<H", content, header + POINTS)
    start, _, end, _, step, _ = struct.unpack_from("<6f", content, header + SCAN)
    if not np.isfinite([start, end, step]).all() or step <= 0 or end <= start or place + 4 * points > len(content):
        return None
    if points < 2 or abs((end - start) / step + 1 - points) > 0.5:
        return None
    counts = np.frombuffer(content, "<u4", points, place)
    least, most = struct.unpack_from("<2I", content, header + EXTREMES)
    if most and (counts.min(), counts.max()) != (least, most):
        return None
    ka1, ka2 = (float(f"{value:.6g}") for value in struct.unpack_from("<2f", content, LINES))
    return Scan(
        x=float(f"{start:.6g}") + float(f"{step:.6g}") * np.arange(points),
        intensity=counts.astype(float),
        wavelength=mean_wavelength(ka1, ka2) if 0 < ka1 < np.inf else None,
    )
