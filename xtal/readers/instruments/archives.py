"""Archives that some instruments write: what is safe to open, and Bruker's .brml beyond what rietx reads."""

import io
import re
import zipfile
from pathlib import Path

from xtal.errors import UserError
from xtal.readers.instruments.damage import LIBRARY_ERRORS, reason
from xtal.readers.text import decode

LARGEST_MEMBER = 16_000_000  # bytes unpacked: a scan of 200,000 points, and memory for no more than 1 GB of XML tree
MOST_MEMBERS = 10_000
RAW_DATA = re.compile(r"(^|/)RawData\d+\.xml$")
NOT_MEASURED = re.compile(rb"<Datum>(?:0(?:\.0*)?,)[^<]*-9999(?:\.0*)?\s*(?:,[^<]*)?</Datum>")


def check_size(path: Path, content: bytes) -> None:
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


def brml_doublet(path: Path) -> tuple[str | None, str | None]:
    """Return Kα1 and Kα2 in Å as the tube in a .brml states them, None for what it does not state."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if RAW_DATA.search(name)]
            text = decode(archive.read(members[0]))
    except LIBRARY_ERRORS as error:
        raise UserError(f"{path.name}: the archive is damaged ({reason(error, path)})") from error
    found = [re.search(rf'<WaveLengthAlpha{line}\b[^>]*\bValue="([^"]*)"', text) for line in (1, 2)]
    ka1, ka2 = (match[1] if match else None for match in found)
    return ka1, ka2


def measured_only(content: bytes) -> bytes | None:
    """Return a .brml without the points that an interrupted scan did not reach (no time, intensity -9999).

    None where every point was measured, or it is no such archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except LIBRARY_ERRORS:
        return None
    raw = {name: NOT_MEASURED.subn(b"", text) for name, text in members.items() if RAW_DATA.search(name)}
    if not any(count for _, count in raw.values()):
        return None
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (members | {name: text for name, (text, _) in raw.items()}).items():
            archive.writestr(name, text)
    return out.getvalue()
