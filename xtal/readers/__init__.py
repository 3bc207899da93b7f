"""Pattern files: every usual powder diffraction format in, one checked `Pattern` out.

Readers never guess: the wavelength comes from the file or from the caller, the x axis from what the file says, and a
file that leaves either open is refused with what is missing.
"""

from pathlib import Path

from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.readers.cif import read_cif
from xtal.readers.scan import Scan
from xtal.readers.text import read_text, refuse_binary
from xtal.readers.vendor import read_vendor, says_vendor

TEXT = (".xy", ".xye", ".csv", ".txt", ".dat", ".chi", ".asc", ".prn", ".tsv")
VENDOR = (".xrdml", ".raw", ".brml", ".ras", ".rasx", ".uxd", ".udf", ".rd", ".fxye", ".gsas", ".gsa", ".gda", ".xra")
SUFFIXES = (*TEXT, *VENDOR, ".cif")
MOST_LINES = 500_000
LARGEST = 50_000_000  # bytes: 200,000 points take 10 MB in the wordiest of these formats

__all__ = ["SUFFIXES", "read_pattern"]


def read_pattern(path: Path, wavelength: float | None = None) -> Pattern:
    """Read a powder pattern.

    Args:
        path: a file with one of `SUFFIXES`.
        wavelength: Å; wins over what the file states. Needed where the file states none.

    Returns:
        The pattern, 2θ ascending. Files on a q axis are converted. A file of several scans gives the first of them,
        and `source` says so.

    Raises:
        UserError: with the name of the file, when it is no pattern or leaves its wavelength open.
    """
    path = Path(path)
    scan = _read(path)
    return scan.pattern(path.name, wavelength)


def _read(path: Path) -> Scan:
    """Pick the reader: by suffix, and for text by what the text says it is."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path.name}: {suffix or 'a file without suffix'} is no pattern format known here; "
            f"known are {', '.join(SUFFIXES)}"
        )
    content = _content(path)
    if suffix == ".cif":
        return read_cif(path, content)
    if suffix in VENDOR or says_vendor(content):
        scan = read_vendor(path, content)
        if scan is not None:
            return scan
    refuse_binary(path.name, content)
    return read_text(path.name, content)


def _content(path: Path) -> bytes:
    """Return the bytes of a file that is there, not empty and not too large."""
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path.name}: {path.stat().st_size:,} bytes; a pattern file has at most {LARGEST:,}")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    if not content.strip():
        raise UserError(f"{path.name}: the file is empty")
    if max(content.count(b"\n"), content.count(b"\r")) > MOST_LINES:
        raise UserError(f"{path.name}: more than {MOST_LINES:,} lines; a pattern has at most 200,000 points")
    return content
