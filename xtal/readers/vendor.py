"""Instrument formats, read by rietx: Bruker, Rigaku, Malvern Panalytical, Philips and GSAS."""

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.readers.scan import Scan
from xtal.readers.stated import stated_wavelength
from xtal.readers.text import decode

# What the libraries raise on files that are damaged or no pattern at all, seen or possible by their source
LIBRARY_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,  # xml.etree's ParseError
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)
MARKS = re.compile(rb"(?m)^[ \t]*(?:BANK\s+\d|\*RAS_DATA_START|XYDATA|_FILEVERSION\s*=|_DRIVE\s*=)|<xrdMeasurements")
RAW3, RAW3_DOUBLET = b"RAW1.01", 624  # Bruker's third format and the place of Kα1 and Kα2 in its header of 712 bytes
LARGEST_MEMBER = 16_000_000  # bytes unpacked: a scan of 200,000 points, and memory for no more than 1 GB of XML tree
MOST_MEMBERS = 10_000


def says_vendor(content: bytes) -> bool:
    """Whether the first lines are those of an instrument format, whatever the file is called."""
    return bool(MARKS.search(content[:4096]))


def read_vendor(path: Path, content: bytes) -> Scan | None:
    """Read an instrument's file; None where it is no such file but may be plain columns.

    Raises:
        UserError: with the name of the file, when it is damaged, unsafe to open, or no powder scan over 2θ.
    """
    _check_size(path, content)
    from rietx.io.readers import identify_format, read_pattern

    notes: list[Any] = []
    try:
        if identify_format(path).name in ("xy", "chi", "pdcif"):
            return None
        with np.errstate(all="ignore"):  # values like 1e400 become infinite, and are refused later by name
            data = read_pattern(path, diagnostics=notes)
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: {reason(error, path)}") from error
    if data.axis != "two_theta":
        raise UserError(f"{path.name}: a time-of-flight pattern; only X-ray patterns over 2θ or q are understood")
    assumed = next((note for note in notes if note.code == "PATTERN_X_AXIS_ASSUMED"), None)
    if assumed:
        raise UserError(f"{path.name}: it is not clear that its axis is 2θ. {assumed.message}")
    scans = int(data.metadata.get("scan_count", 1))
    return Scan(
        x=np.array(data.two_theta),
        intensity=np.array(data.intensity),
        sigma=None if data.sigma is None else np.array(data.sigma),
        wavelength=_wavelength(path, content, data.metadata),
        note=f", scan 1 of {scans}" if scans > 1 else "",
    )


def _check_size(path: Path, content: bytes) -> None:
    """Refuse archives and XML that would unpack to more than the memory holds."""
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                sizes = [member.file_size for member in archive.infolist()]
        except LIBRARY_ERRORS as error:
            raise UserError(f"{path.name}: the archive is damaged ({reason(error, path)})") from error
        if len(sizes) > MOST_MEMBERS or max(sizes, default=0) > LARGEST_MEMBER:
            raise UserError(
                f"{path.name}: the archive unpacks to {len(sizes)} files of up to {max(sizes):,} bytes; "
                f"at most {MOST_MEMBERS:,} of {LARGEST_MEMBER:,} are opened"
            )
    elif content.lstrip()[:1] == b"<" and len(content) > LARGEST_MEMBER:
        raise UserError(f"{path.name}: {len(content):,} bytes of XML; at most {LARGEST_MEMBER:,} are opened")


def reason(error: BaseException, path: Path) -> str:
    """Return what a library says went wrong, in one line and without the file's name."""
    text = " ".join(str(error).replace(str(path), path.name).split()).removeprefix(f"{path.name}: ")
    return text[:300] or f"the file is damaged ({type(error).__name__})"


def _wavelength(path: Path, content: bytes, metadata: dict[str, str]) -> float | None:
    """Return the wavelength in Å that the file states for its peaks, or None."""
    primary, second = _positive(metadata.get("wavelength")), _positive(metadata.get("wavelength_alpha2"))
    if content.startswith(RAW3):
        ka1, ka2 = struct.unpack_from("<2d", content, RAW3_DOUBLET)
        primary, second = primary or _positive(ka1), _positive(ka2)
    elif metadata["format"] == "brml":
        ka1, ka2 = _brml_doublet(path)
        primary, second = primary or ka1, ka2
    if primary is None:
        # GSAS files keep it in another file, but beamlines write it into the comments at the top
        return stated_wavelength(path.name, re.findall(r"(?m)^[ \t]*#(.*)$", decode(content[:65536])))
    if re.search(rb'usedWavelength[^>]{0,200}intended="K-Alpha 1"', content):
        return primary
    return mean_wavelength(primary, second)


def _brml_doublet(path: Path) -> tuple[float | None, float | None]:
    """Return Kα1 and Kα2 in Å as the tube in a .brml states them, None for what it does not state."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if re.search(r"(^|/)RawData\d+\.xml$", name)]
            text = decode(archive.read(members[0]))
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: the archive is damaged ({reason(error, path)})") from error
    found = [re.search(rf'<WaveLengthAlpha{line}\b[^>]*\bValue="([^"]*)"', text) for line in (1, 2)]
    ka1, ka2 = (_positive(match[1]) if match else None for match in found)
    return ka1, ka2


def _positive(value: str | float | None) -> float | None:
    """Return the number that `value` holds, None where it holds none above 0."""
    try:
        number = float(value or "nan")
    except ValueError:
        return None
    return number if 0 < number < np.inf else None
