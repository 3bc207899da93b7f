"""Bruker .uxd, the text export of DIFFRAC: keys, then blocks of counts.

``_COUNTS`` and ``_CPS`` hold intensities alone, several in a row, from ``_START`` in steps of ``_STEPSIZE``;
``_2THETACOUNTS`` and ``_2THETACPS`` hold positions beside them. A key holds until it is stated again. The position is
that of the drive ``_DRIVE``, whatever the block is called, so a drive other than 2θ is refused.
"""

import re

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.ranges import joined
from xtal.readers.scan import MOST_POINTS, Scan
from xtal.readers.stated import stated_wavelength

MARK = re.compile(r"_(2THETA)?(COUNTS|CPS)(?:TIME)?")
KEY = re.compile(r"_(\w+)\s*=\s*(.*)")
SAYS = re.compile(r"_(?:FILEVERSION\s*=|DRIVE\s*=|START\s*=|(?:2THETA)?(?:COUNTS|CPS)$)")
COUPLED = {"coupled", "2theta", "twotheta", "theta2theta", "thetatheta", "coupledtwothetatheta", "2thetatheta"}
OTHER = {
    "theta": "a rocking curve",
    "omega": "a rocking curve",
    "phi": "a φ scan",
    "khi": "a χ scan",
    "chi": "a χ scan",
}
OTHER |= {"psi": "a ψ scan", "x": "a scan of the sample's place", "y": "a scan of the sample's place"}
OTHER |= {"z": "a scan of the sample's height"}


def says_uxd(lines: list[str]) -> bool:
    """Whether the first lines that are no comments are those of a .uxd file."""
    first = [line.strip() for line in lines[:60] if line.strip() and not line.lstrip().startswith(";")]
    return bool(first) and first[0].startswith("_") and any(map(SAYS.match, first))


def read_uxd(name: str, lines: list[str]) -> Scan:
    """Read all ranges, and join those that follow one another.

    Raises:
        UserError: with the `name` of the file, where a range is damaged or no scan over 2θ.
    """
    keys: dict[str, str] = {}
    opened: tuple[str, dict[str, str]] | None = None
    ranges: list[tuple[str, dict[str, str], list[list[float]]]] = []
    for number, line in enumerate(lines, 1):
        text = line.split(";")[0].strip()
        if not text:
            continue
        if MARK.fullmatch(text):
            opened = (text, dict(keys))
            ranges.append((*opened, []))
        elif (key := KEY.match(text)) is not None:
            keys[key[1].upper()] = key[2].strip(" '\"")
            opened = None
        elif opened is not None:
            ranges[-1][2].append(_row(name, number, text))
        elif not text.startswith("_"):
            raise UserError(f"{name}: line {number} ({text[:40]!r}) is no key, and no block of counts is open")
    if not ranges:
        raise UserError(f"{name}: a .uxd file without a block of counts (_COUNTS, _CPS, _2THETACOUNTS or _2THETACPS)")
    return joined([_scan(name, *one) for one in ranges], "range")


def _row(name: str, number: int, text: str) -> list[float]:
    """Return the numbers of a row."""
    try:
        return [float(cell) for cell in text.replace(",", " ").split()]
    except ValueError:
        raise UserError(f"{name}: line {number} ({text[:40]!r}) holds something else than numbers") from None


def _scan(name: str, mark: str, keys: dict[str, str], rows: list[list[float]]) -> Scan:
    """Return one range, checked against the number of points that it promises."""
    _refuse_other_drives(name, keys.get("DRIVE", ""))
    with_position, per_second = mark.startswith("_2THETA"), "CPS" in mark
    values = np.array([value for row in rows for value in (row[:2] if with_position else row)])
    if with_position:
        if any(len(row) < 2 for row in rows):
            raise UserError(f"{name}: a row of {mark} holds one number; it needs 2θ and an intensity")
        x, intensity = values[::2], values[1::2]
    else:
        start, step = _positive(keys, "START"), _positive(keys, "STEPSIZE")
        start = _positive(keys, "2THETA") if start is None else start
        if start is None or step is None:
            raise UserError(f"{name}: {mark} needs _START and _STEPSIZE above 0, and the file lacks them")
        x, intensity = start + step * np.arange(len(values)), values
    promised = _positive(keys, "STEPCOUNT")
    if promised is not None and int(promised) != len(x):
        raise UserError(f"{name}: the range promises {promised:g} points, the file holds {len(x)}; is it complete?")
    if not 0 < len(x) <= MOST_POINTS:
        raise UserError(f"{name}: a range of {len(x):,} points; a pattern has 10 to {MOST_POINTS:,}")
    seconds = _positive(keys, "STEPTIME")
    sigma = np.sqrt(np.maximum(intensity * seconds, 1)) / seconds if per_second and seconds else None
    return Scan(x, intensity, sigma, _wavelength(name, keys), seconds=None if per_second else seconds)


def _refuse_other_drives(name: str, drive: str) -> None:
    """Refuse a range over anything but 2θ."""
    key = re.sub(r"[^a-z0-9]", "", drive.lower())
    if key in OTHER:
        raise UserError(f"{name}: its drive is {drive!r}, {OTHER[key]}; export the coupled scan over 2θ")
    if drive and key not in COUPLED:
        raise UserError(
            f"{name}: it is not clear that its axis is 2θ: its drive is {drive!r}, known are COUPLED and 2THETA; "
            "export it as two columns (.xy) if it is"
        )


def _wavelength(name: str, keys: dict[str, str]) -> float | None:
    """Return the wavelength in Å: that of the doublet, or of the anode."""
    primary, second = _positive(keys, "WL1"), _positive(keys, "WL2")
    if primary is not None:
        return mean_wavelength(primary, second)
    return stated_wavelength(name, [f"anode: {keys['ANODE']}"]) if "ANODE" in keys else None


def _positive(keys: dict[str, str], key: str) -> float | None:
    """Return the number under `key`; None where there is none above 0."""
    try:
        number = float(keys.get(key, "nan"))
    except ValueError:
        return None
    return number if 0 < number < np.inf else None
