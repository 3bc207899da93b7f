"""Instrument formats that rietx reads: Bruker, Rigaku, Malvern Panalytical, Philips and GSAS."""

import re
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.axes import Kind, meaning
from xtal.readers.instruments.archives import brml_doublet, check_size, measured_only
from xtal.readers.instruments.damage import LIBRARY_ERRORS, NEXT, reason
from xtal.readers.ranges import joined
from xtal.readers.scan import Scan
from xtal.readers.stated import stated_wavelength
from xtal.readers.techniques import WANTED, refuse_techniques
from xtal.readers.text import decode

MARKS = re.compile(
    rb"(?m)^[ \t]*(?:BANK\s+\d+\s+\d+\s+\d+\s+\w|\*RAS_DATA_START|RawScan,?|SampleIdent,)|<xrdMeasurements"
)
BANK = re.compile(r"(?m)^[ \t]*BANK[ \t]+(\d+)[ \t]+\d+[ \t]+\d+[ \t]+(\w+)")
FLIGHT = {"RALF", "SLOG", "TIME_MAP", "LOG6"}  # GSAS binnings of a time of flight
RAW3, RAW3_DOUBLET = b"RAW1.01", 624  # Bruker's third format and the place of Kα1 and Kα2 in its header of 712 bytes
MOST_SCANS = 20  # of one file; more are a mapping or a series, and only its first is read
NOT_OURS = ("xy", "chi", "pdcif")


def says_vendor(content: bytes) -> bool:
    """Whether the first lines are those of an instrument format, whatever the file is called."""
    return content.startswith(b"PK\x03\x04") or bool(MARKS.search(content[:4096]))


def read_vendor(path: Path, content: bytes) -> Scan | None:
    """Read an instrument's file; None where it is no such file but may be plain columns.

    Scans or banks that follow one another are joined, of others the first is read.

    Raises:
        UserError: with the name of the file, when it is damaged, unsafe to open, or no powder scan over 2θ.
    """
    check_size(path, content)
    from rietx.io.readers import identify_format

    try:
        if identify_format(path).name in NOT_OURS:
            return None
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: {reason(error, path)}; {NEXT}") from error
    banks = BANK.findall(decode(content))
    if any(kind in FLIGHT for _, kind in banks):
        raise UserError(f"{path.name}: a time-of-flight pattern (neutrons); {WANTED}")
    if banks:
        refuse_techniques(path.name, decode(content[:1024]).split("BANK")[0].splitlines())
        numbers = list(dict.fromkeys(int(number) for number, _ in banks))[:MOST_SCANS]
        scans = [_one(path, content, bank=number)[0] for number in numbers]
        return joined(scans, "bank")
    if content.startswith(b"PK") and (complete := measured_only(content)) is not None:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            copy.write_bytes(complete)
            return _all(copy, complete)
    return _all(path, content)


def _all(path: Path, content: bytes) -> Scan:
    """Read the first scan, and those that follow it."""
    first, count = _one(path, content)
    if count == 1:
        return first
    if count > MOST_SCANS:
        return joined([first, *[first.at(np.arange(0))] * (count - 1)])
    rest = []
    for number in range(1, count):
        try:
            rest.append(_one(path, content, scan=number)[0])
        except UserError:  # one over another axis, or aborted: it is counted, and the first is read
            rest.append(first.at(np.arange(0)))
    return joined([first, *rest])


def _one(path: Path, content: bytes, **which: int) -> tuple[Scan, int]:
    """Read one scan, by default the first, and return how many the file holds."""
    from rietx.io.readers import read_pattern

    notes: list[Any] = []
    try:
        with np.errstate(all="ignore"):  # values like 1e400 become infinite, and are refused later by name
            data = read_pattern(path, diagnostics=notes, **which)
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: {reason(error, path)}; {NEXT}") from error
    if data.axis != "two_theta":
        raise UserError(f"{path.name}: a time-of-flight pattern (neutrons); {WANTED}")
    if any(note.code == "PATTERN_X_AXIS_ASSUMED" for note in notes):
        _refuse_unclear_axis(path.name, content, str(data.metadata.get("scan_axis") or ""))
    seconds = _positive(data.metadata.get("count_time_s"))
    scan = Scan(
        x=np.array(data.two_theta),
        intensity=np.array(data.intensity),
        sigma=None if data.sigma is None else np.array(data.sigma),
        wavelength=_wavelength(path, content, data.metadata),
        seconds=seconds if str(data.metadata.get("intensity_unit", "")).lower() in ("counts", "") else None,
    )
    return scan, int(data.metadata.get("scan_count", 1))


def _refuse_unclear_axis(name: str, content: bytes, axis: str) -> None:
    """Refuse a scan whose stated `axis` is not 2θ, and one that states none but in its positions."""
    if axis and meaning(axis).kind is Kind.TWO_THETA:
        return
    if re.search(rb'<positions[^>]*axis="2Theta"[^>]*>\s*<(?:startPosition|listPositions)', content):
        return
    stated = f"it names {axis!r}" if axis else "it names none"
    raise UserError(
        f"{name}: it is not clear that its axis is 2θ: {stated}; export it as two columns (.xy) if it is 2θ"
    )


def _wavelength(path: Path, content: bytes, metadata: dict[str, str]) -> float | None:
    """Return the wavelength in Å that the file states for its peaks, or None."""
    primary, second = _positive(metadata.get("wavelength")), _positive(metadata.get("wavelength_alpha2"))
    if content.startswith(RAW3):
        ka1, ka2 = struct.unpack_from("<2d", content, RAW3_DOUBLET)
        primary, second = primary or _positive(ka1), _positive(ka2)
    elif metadata["format"] == "brml":
        ka1, ka2 = map(_positive, brml_doublet(path))
        primary, second = primary or ka1, ka2
    if primary is None:
        # GSAS files keep it in another file, but beamlines write it into the comments at the top
        return stated_wavelength(path.name, re.findall(r"(?m)^[ \t]*#(.*)$", decode(content[:65536])))
    if re.search(rb'usedWavelength[^>]{0,200}intended="K-Alpha 1"', content):
        return primary
    return mean_wavelength(primary, second)


def _positive(value: str | float | None) -> float | None:
    """Return the number that `value` holds, None where it holds none above 0."""
    try:
        number = float(value or "nan")
    except ValueError:
        return None
    return number if 0 < number < np.inf else None
