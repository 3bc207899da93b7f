"""Text formats that give first angle, step and last angle, then nothing but counts.

Sietronics .cpi, XFIT, Koalariet and Topas .xdd, MDI Jade .mdi, FullProf with INSTRM = 0, DBWS and LHPM. They are known
by their arithmetic: as many counts as first angle, last angle and step promise.
"""

import re

import numpy as np

from xtal.errors import UserError
from xtal.readers.scan import FEWEST, MOST_POINTS, Scan
from xtal.readers.stated import stated_wavelength

CPI = re.compile(r"SIETRONICS|CPI", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
SUFFIXES = (".xdd", ".cpi", ".mdi")  # files of these names are nothing else
HEADER_LINES, MOST_KEYS = 15, 200
JADE = 7  # fields of the line of the plan in a .mdi file
LETTER = re.compile(r"[^\W\d_]")
KEYS = [
    re.compile(
        rf"^\W*(?:scan[\s_]*)?(?:{words})(?!.*time)(?:.*?[=:,;]|[^\d=:,;]*\s)\s*\"?(-?\d+(?:[.,]\d+)?)\W*(?:deg\w*)?\W*$",
        re.IGNORECASE,
    )
    for words in ("start|begin|first|from", "step|incr", "stop|end|last|to(?![a-z])")
]


def read_steps(name: str, lines: list[str]) -> Scan | None:
    """Read such a file; None where it is none.

    Raises:
        UserError: with the `name` of the file, where it is one by its name or first line, and its counts do not fit.
    """
    if lines and CPI.match(lines[0].strip()) and any("SCANDATA" in line.upper() for line in lines[:40]):
        return _cpi(name, lines)
    promises: list[tuple[int, int]] = []
    for i, line in enumerate(lines[:HEADER_LINES]):
        for start, step, stop in _plans(line):
            promised = _points(start, step, stop)
            if promised is None:
                continue
            counts = _counts(lines[i + 1 :], promised)
            if counts is not None and len(counts) == promised:
                header = [*lines[:i], *_beam(line)]
                return Scan(start + step * np.arange(promised), counts, None, stated_wavelength(name, header))
            promises.append((promised, -1 if counts is None else len(counts)))
    keyed = _keyed(name, lines)
    if keyed is not None:
        return keyed
    if name.lower().endswith(SUFFIXES) and promises and promises[0][1] >= 0:
        raise UserError(
            f"{name}: first angle, step and last angle promise {promises[0][0]:,} counts, the file holds "
            f"{promises[0][1]:,}; is it complete?"
        )
    return None


def _beam(line: str) -> list[str]:
    """Return what the line of the plan says of the beam, in words; by its place in a .mdi file."""
    cells = line.replace(",", " ").split()
    if len(cells) == JADE and cells[3].isalpha():
        return [f"anode: {cells[3]}", f"wavelength: {cells[4]}"]
    return [line]


def _keyed(name: str, lines: list[str]) -> Scan | None:
    """Read counts below a header that states start, step and end in words; None where they do not fit together."""
    at = next((i for i, line in enumerate(lines[:MOST_KEYS]) if line.strip() and not LETTER.search(line)), 0)
    header = lines[:at]
    found = [next((match for line in header if (match := key.search(line))), None) for key in KEYS]
    start, step, stop = (float(match[1].replace(",", ".")) if match else np.nan for match in found)
    promised = _points(start, step, stop)
    counts = None if promised is None else _counts(lines[at:], promised)
    if promised is None or counts is None or len(counts) != promised:
        return None
    return Scan(start + step * np.arange(promised), counts, None, stated_wavelength(name, header))


def _plans(line: str) -> list[tuple[float, float, float]]:
    """Return what a line may mean as start, step and stop, in degrees."""
    cells = line.replace(",", " ").split()
    if len(cells) == JADE and cells[3].isalpha():  # .mdi: start, step, seconds, anode, wavelength, stop, points
        cells = [cells[0], cells[1], cells[5]]
    if len(cells) < 3 or not all(map(NUMBER.fullmatch, cells[:3])):
        return []
    first, second, third = map(float, cells[:3])
    return [(first, second, third), (first, third, second)]


def _points(start: float, step: float, stop: float) -> int | None:
    """Return how many points there are from `start` to `stop`; None where that is no scan."""
    if not (step > 0 and -180 < start < stop <= 180 and step <= stop - start):
        return None
    count = (stop - start) / step + 1
    return round(count) if FEWEST <= count <= MOST_POINTS and abs(count - round(count)) < 0.2 else None


def _counts(lines: list[str], promised: int) -> np.ndarray | None:
    """Return the numbers of `lines`, without zeros that fill up the last of them; None where there is anything else."""
    cells = " ".join(lines).replace(",", " ").split()
    if not 0.5 * promised <= len(cells) <= 2 * promised:
        return None
    try:
        counts = np.array([float(cell) for cell in cells])
    except ValueError:
        return None
    return counts[:promised] if 0 < len(counts) - promised < 10 and not counts[promised:].any() else counts


def _cpi(name: str, lines: list[str]) -> Scan:
    """Read a Sietronics file: one value in each line, the counts after SCANDATA."""
    at = next(i for i, line in enumerate(lines) if "SCANDATA" in line.upper())
    head = [line.strip() for line in lines[1:at]]
    try:
        start, stop, step = (float(text) for text in head[:3])
        counts = np.array([float(cell) for cell in " ".join(lines[at + 1 :]).replace(",", " ").split()])
    except ValueError:
        raise UserError(
            f"{name}: a Sietronics .cpi file needs first angle, last angle and step in its second to fourth line, "
            "and nothing but counts after SCANDATA"
        ) from None
    promised = _points(start, step, stop)
    if promised is None or promised != len(counts):
        raise UserError(
            f"{name}: {start:g} to {stop:g} in steps of {step:g} promise {promised or 'no'} counts, the file holds "
            f"{len(counts):,}; is it complete?"
        )
    stated = [f"anode: {head[3]} wavelength: {head[4]}"] if len(head) > 4 else []
    return Scan(start + step * np.arange(promised), counts, None, stated_wavelength(name, stated))
