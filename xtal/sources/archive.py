"""Files in folders and archives, streamed; nothing is ever written to disk."""

import bz2
import gzip
import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from xtal.errors import UserError

EXPANSION = 400  # archives may expand this much; CIFs compress 10 to 50 times, bombs 1,000 times and more
SLACK = 2**26  # bytes that any archive may expand to
WHOLE = 2**28  # bytes up to which a fingerprint reads the whole file
EDGE = 2**20  # bytes read at each end of larger files

OPENERS: dict[str, Callable[[Path], Any]] = {
    ".tar": lambda path: path.open("rb"),
    ".tar.gz": gzip.open,
    ".tgz": gzip.open,
    ".tar.bz2": bz2.open,
    ".tar.xz": lzma.open,
    ".txz": lzma.open,
}
DAMAGE = (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError)


def iter_files(path: Path, suffix: str | tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, content) of every file with `suffix` in a folder, zip or tar, or of one file whatever its suffix.

    A file larger than `largest` bytes comes cut off one byte beyond it, so that its reader can refuse it.

    Raises:
        UserError: no such path, a damaged or encrypted archive, or one that expands beyond reason.
    """
    if not (path.is_file() or path.is_dir()):
        raise UserError(f"no file or folder at {path}")
    try:
        yield from _members(path, suffix, largest)
    except DAMAGE as error:
        raise UserError(f"{path} cannot be read to its end: {error}; fetch the file again") from None


def fingerprint(path: Path) -> str:
    """Return 16 hex digits that change when a file's content, or a folder's listing, changes.

    Large files count by size and both ends, folders by the name, size and time of every file.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for file in _folder_files(path):
            status = file.stat()
            digest.update(f"{file.relative_to(path).as_posix()} {status.st_size} {status.st_mtime_ns}\n".encode())
    else:
        size = path.stat().st_size
        with path.open("rb") as stream:
            if size <= WHOLE:
                digest.update(stream.read())
            else:
                digest.update(str(size).encode() + stream.read(EDGE))
                stream.seek(-EDGE, 2)
                digest.update(stream.read())
    return digest.hexdigest()[:16]


def plain_stem(path: Path) -> str:
    """Return a file's name without the suffixes of archives: ``mofs.tar.xz`` gives ``mofs``."""
    endings = sorted((*OPENERS, ".zip"), key=len, reverse=True)
    return next((path.name[: -len(e)] for e in endings if path.name.lower().endswith(e)), path.stem)


def _members(path: Path, suffix: str | tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of whatever `path` is."""
    if path.is_dir():
        for file in _folder_files(path):
            if _wanted(file.name, suffix):
                with file.open("rb") as stream:
                    yield file.relative_to(path).as_posix(), stream.read(largest + 1)
    elif path.name.lower().endswith(".zip"):
        yield from _zip_members(path, suffix, largest)
    elif (opener := next((o for end, o in OPENERS.items() if path.name.lower().endswith(end)), None)) is not None:
        with opener(path) as stream:
            yield from _tar_members(_Metered(stream, path), suffix, largest)
    else:
        with path.open("rb") as stream:
            yield path.name, stream.read(largest + 1)


def _folder_files(folder: Path) -> list[Path]:
    """Return every file below a folder, sorted by path, without following links to folders."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _wanted(name: str, suffix: str | tuple[str, ...]) -> bool:
    """Tell whether a file has the suffix and is not one of the shadow files that macOS writes into archives."""
    base = PurePosixPath(name).name
    return base.lower().endswith(suffix) and not base.startswith("._")


def _zip_members(path: Path, suffix: str | tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of a zip in the order of its directory."""
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir() and _wanted(m.filename, suffix)]
        if any(m.flag_bits & 1 for m in members):
            raise UserError(f"{path} is encrypted; unpack it first and give the folder")
        _check_expansion(sum(m.file_size for m in members), path)
        for member in members:
            with archive.open(member) as stream:
                yield member.filename, stream.read(largest + 1)


def _tar_members(stream: "_Metered", suffix: str | tuple[str, ...], largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of a tar in its order, in one pass."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            archive.members.clear()  # tarfile keeps every header it has seen, a kilobyte each
            if member.isreg() and _wanted(member.name, suffix):
                content: IO[bytes] | None = archive.extractfile(member)
                if content is not None:
                    yield member.name, content.read(largest + 1)
    while stream.read(EDGE):  # to the end of the compressed data, where its checksum is
        pass


def _check_expansion(expanded: int, path: Path) -> None:
    """Raise UserError when an archive expands to more than its size can honestly hold."""
    if expanded > EXPANSION * path.stat().st_size + SLACK:
        raise UserError(
            f"{path} expands more than {EXPANSION} times, which crystal structures do not; "
            "unpack it yourself and give the folder"
        )


class _Metered:
    """A readable stream that refuses to go on when an archive has expanded beyond reason."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path, self._count = stream, path, 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        data = self._stream.read(size)
        self._count += len(data)
        _check_expansion(self._count, self._path)
        return data
