"""Which of our own readers a file is for, by its content."""

from xtal.readers.instruments.bruker_raw import RAW1, RAW2, read_raw1, read_raw2
from xtal.readers.instruments.rigaku_asc import read_rigaku_asc, says_rigaku_asc
from xtal.readers.instruments.steps import read_steps
from xtal.readers.instruments.stoe_raw import STOE, read_stoe
from xtal.readers.instruments.uxd import read_uxd, says_uxd
from xtal.readers.scan import Scan
from xtal.readers.text import text_lines

BINARY = {RAW1: read_raw1, RAW2: read_raw2, STOE: read_stoe}


def read_instrument(name: str, content: bytes) -> Scan | None:
    """Read the file called `name` where one of our own readers knows its `content`; None where none does.

    Raises:
        UserError: with the `name` of the file, where it is known but damaged.
    """
    for mark, read in BINARY.items():
        if content.startswith(mark):
            return read(name, content)
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    lines = text_lines(content)
    if says_uxd(lines):
        return read_uxd(name, lines)
    if says_rigaku_asc(lines):
        return read_rigaku_asc(name, lines)
    return read_steps(name, lines)
