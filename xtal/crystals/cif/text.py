"""CIF text before it is parsed: characters that CIF knows, bounds, and the structures of a file one by one."""

import codecs
import re
from itertools import pairwise

import numpy as np

from xtal.errors import UserError

MAX_BYTES = 16 * 2**20  # the largest CoRE MOF CIF holds 0.7 MB; reflection lists in CIFs reach some MB
MAX_WORDS = 2_000_000  # the parser keeps 32 bytes for each
MAX_BLOCKS = 2000
LARGE = 2 * 2**20  # bytes from which on words are counted and characters are no longer translated

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CHARACTERS = str.maketrans(
    {
        **dict.fromkeys(
            "\u00af\u203e\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-"
        ),  # bars, hyphens, a dash, minus signs
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        **dict.fromkeys("\u200b\u200e\u2060\ufeff", ""),
        **{chr(0x2080 + digit): str(digit) for digit in range(10)},  # P2₁/c
    }
)
OVERLINED = re.compile("(\\d)[\u0304\u0305]")  # Fm3̅m
HEADING = re.compile(rb"^(?:(;)|[ \t]*data_(\S*))", re.M | re.I)
TEXT = re.compile(rb"^;.*?^;", re.M | re.S)
SITES = re.compile(rb"_atom_site[_.](?:fract|cartn)_x", re.I)


def plain(text: str | bytes) -> bytes:
    """Return CIF text as ASCII with line feeds: other minus signs and blanks are translated, the rest is ``?``.

    Args:
        text: bytes are UTF-8 or UTF-16, with or without a byte-order mark, or else Windows-1252.

    Raises:
        UserError: a text beyond the bounds.
    """
    if len(text) > MAX_BYTES:
        raise UserError(f"the CIF holds {len(text):,} bytes, more than {MAX_BYTES:,}")
    if isinstance(text, str) or not text.isascii() or 0 in text[:2]:
        text = _ascii(text if isinstance(text, str) else _decoded(text))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if len(text) > LARGE:
        blank = np.frombuffer(text, np.uint8) <= ord(" ")
        words = int(np.count_nonzero(blank[:-1] & ~blank[1:]))
        if words > MAX_WORDS:
            raise UserError(f"the CIF holds {words:,} words, more than {MAX_WORDS:,}")
    return text


def structures(text: str | bytes) -> list[tuple[str, bytes]]:
    """Return the name and the text of each data block that lists atom sites, in the order of the file.

    A file of one block comes back whole and unread, whatever it holds: what is wrong with it shows when it is read.

    Raises:
        UserError: more blocks than `MAX_BLOCKS`, or a text beyond the bounds.
    """
    text = plain(text)
    count = text.lower().count(b"data_")
    if count > MAX_BLOCKS:
        raise UserError(f"the CIF holds {count:,} data blocks, more than {MAX_BLOCKS:,}; give one file per structure")
    if count <= 1:
        return [("", text)]
    starts, names, quoted = [], [], False
    for heading in HEADING.finditer(text):
        if heading[1]:
            quoted = not quoted  # lines that begin with a semicolon open and close texts
        elif not quoted:
            starts.append(heading.start())
            names.append(heading[2].decode())
    parts = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    found = [(name, part) for name, part in zip(names, parts, strict=True) if SITES.search(TEXT.sub(b"", part))]
    return found or [("", text)]


def _decoded(text: bytes) -> str:
    """Return bytes as text, in the encoding that they show."""
    for mark, encoding in MARKS:
        if text.startswith(mark):
            return text.decode(encoding, "replace")
    if text[:1] == b"\0" or text[1:2] == b"\0":
        return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")


def _ascii(text: str) -> bytes:
    """Return text in ASCII; long ones are not looked at character by character."""
    if not text.isascii() and len(text) <= LARGE:
        text = OVERLINED.sub(r"-\1", text.translate(CHARACTERS))
    return text.encode("ascii", "replace")
