"""Pattern files: every usual powder diffraction format in, one checked `Pattern` out.

Readers never guess: the wavelength comes from the file or from the caller, the x axis from what the file says, and a
file that leaves either open is refused with what is missing.
"""

import re
from pathlib import Path

from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.readers.checked import pattern_of
from xtal.readers.instruments import read_cif, read_instrument, read_vendor, says_vendor
from xtal.readers.missing import missing
from xtal.readers.scan import Scan
from xtal.readers.techniques import refuse_techniques
from xtal.readers.text import read_text, refuse_binary

TEXT = (".xy", ".xye", ".xyd", ".csv", ".txt", ".dat", ".chi", ".asc", ".prn", ".tsv", ".xdd", ".cpi", ".mdi")
VENDOR = (".xrdml", ".raw", ".brml", ".ras", ".rasx", ".uxd", ".udf", ".rd")
GSAS = (".fxye", ".gsas", ".gsa", ".gda", ".gss", ".xra")
SUFFIXES = (*TEXT, *VENDOR, *GSAS, ".cif")  # the usual names; a file of any other is known by its content
CIF = re.compile(rb"\s*(?:#[^\n]*\n\s*)*data_\S*\s*\n(?=[\s\S]*_pd_)")
MOST_LINES = 500_000
UNREADABLE = "unreadable"  # reason of an error: there is no file of usual size
LARGEST = 50_000_000  # bytes: 200,000 points take 10 MB in the wordiest of these formats

__all__ = ["SUFFIXES", "read_pattern"]


def read_pattern(path: Path, wavelength: float | None = None) -> Pattern:
    """Read a powder pattern.

    Args:
        path: a file with one of `SUFFIXES`, or any other that holds one of these formats or columns of numbers.
        wavelength: Å; wins over what the file states. Needed where the file states none.

    Returns:
        The pattern, 2θ ascending. Files on a q or d axis are converted. Ranges that follow one another are joined, of
        other scans in one file the first is read, and `source` says so.

    Raises:
        UserError: with the name of the file, when it is no pattern or leaves its wavelength open.
    """
    path = Path(path)
    return pattern_of(_read(path), path.name, wavelength)


def _read(path: Path) -> Scan:
    """Pick the reader: by what the content says it is, and by the suffix where it says nothing."""
    content = _content(path)
    suffix = path.suffix.lower()
    refuse_techniques(path.name)
    if suffix == ".cif" or CIF.match(content):
        return read_cif(path, content)
    scan = None if says_vendor(content) else read_instrument(path.name, content)
    if scan is None and (suffix in VENDOR + GSAS or says_vendor(content)):
        scan = read_vendor(path, content)
    if scan is not None:
        return scan
    refuse_binary(path.name, content)
    return read_text(path.name, content)


def _content(path: Path) -> bytes:
    """Return the bytes of a file that is there, not empty and not too large."""
    if path.is_dir():
        raise UserError(f"cannot read {path}: it is a folder; give one of the pattern files in it", UNREADABLE)
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise UserError(f"{path.name}: {size:,} bytes; a pattern file has at most {LARGEST:,}", UNREADABLE)
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UserError(missing(path, SUFFIXES), UNREADABLE) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}", UNREADABLE) from error
    if len(content) > LARGEST:  # a pipe or a device says nothing of its size
        raise UserError(f"{path.name} goes on after {LARGEST:,} bytes; a pattern file has no more", UNREADABLE)
    if not content.strip():
        raise UserError(f"{path.name}: the file is empty; copy or export it again", UNREADABLE)
    if max(content.count(b"\n"), content.count(b"\r")) > MOST_LINES:
        raise UserError(f"{path.name}: more than {MOST_LINES:,} lines; a pattern has at most 200,000 points")
    return content
