"""The files of numbers that come with the package: weights, calibrations, tables. One that was damaged is not used.

``shipped.sha256`` beside this module lists them, as ``sha256sum`` does, by their place beside the packages.
"""

import hashlib
from functools import cache
from pathlib import Path

from xtal.console import FAILED
from xtal.errors import UserError

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("shipped.sha256")
FOLDERS = (
    "models/weights",
    "generate/parts/data",
    "generate/judging/data",
    "generate/knowledge/data",
    "search/frameworks/data",
    "xtal/sources/lab/data",
)
WORDS = (".md", ".LICENSE")  # endings of what only people read


class DamagedFileError(UserError):
    """A file of the package is not the one that was shipped."""

    exit_code = FAILED


def whole(path: Path) -> Path:
    """Return `path`, whose content is known to be as it was shipped; any other path as it is.

    A file is read once, and again when it has changed.

    Raises:
        DamagedFileError: it is not.
    """
    expected = _listed().get(_place(path))
    if expected is not None and path.is_file():
        state = path.stat()
        if _digest(path, state.st_size, state.st_mtime_ns, state.st_ino) != expected:
            raise DamagedFileError(
                f"{path} is damaged: it is not the file that came with this program; install the program again "
                "(pip install --force-reinstall xtalscout)"
            )
    return path


def shipped_files() -> list[Path]:
    """Return the files that are shipped, in order."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in found if path.is_file() and not path.name.endswith(WORDS))


def write_list() -> None:
    """List the files as they are now: for whoever makes them anew."""
    lines = [f"{_sha256(path)}  {_place(path)}\n" for path in shipped_files()]
    LIST.write_text("".join(lines), encoding="ascii", newline="\n")
    _listed.cache_clear()


def renewed(path: Path) -> None:
    """Take note that a file was made anew, if it is one that is shipped."""
    if _place(path) in _listed():
        write_list()


@cache
def _listed() -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in LIST.read_text(encoding="ascii").splitlines())
    return {place: digest for digest, place in pairs}


@cache
def _digest(path: Path, _size: int, _changed: int, _inode: int) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _place(path: Path) -> str:
    """Return where a file lies under the folder of the packages; nothing for any other."""
    resolved = path.resolve()
    return resolved.relative_to(ROOT).as_posix() if resolved.is_relative_to(ROOT) else ""
