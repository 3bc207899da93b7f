"""What goes wrong inside the libraries that read files, in the words of this program."""

import re
import struct
import zipfile
import zlib
from pathlib import Path

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
LONGEST = 200  # characters of a library's reason
UNKNOWN = "this build"  # rietx's words for a file that none of its readers takes
KINDS = {".raw": "Bruker RAW 1 to 4, STOE"}
NEXT = "export it from the instrument's program as text with two columns (.xy)"


def reason(error: BaseException, path: Path) -> str:
    """Return what a library says went wrong: its first clause, without the file's name."""
    text = " ".join(str(error).replace(str(path), path.name).split())
    text = text.removeprefix(f"{path.name}: ").replace(path.name, "the file")
    if UNKNOWN in text:
        kinds = KINDS.get(path.suffix.lower())
        return f"the file is no {path.suffix} known here" + (f" ({kinds})" if kinds else ", or damaged")
    if "truncated" in text.lower():
        return "the file is truncated"
    first = re.split(r"(?<=[a-z)\]}'\"])[.;:]\s| — |, (?:so|and|because|but) ", text)[0].rstrip(".")
    if first.count("(") > first.count(")"):
        first = first[: first.rindex("(")].rstrip()
    if not first or len(first) > LONGEST or "array(" in first:
        first = f"the file is damaged ({type(error).__name__})"
    return first
