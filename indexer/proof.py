"""Proof that a worker prepares records as this machine would: a digest of the code and of the libraries it runs.

Workers of a cluster join and leave as they like, and may hold another version of this package, or one that somebody
has changed. Their work would look sound and be wrong.
"""

import hashlib
import importlib.metadata
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Self

import indexer
import xtal
from xtal.console import FAILED
from xtal.errors import UserError

PACKAGES = (xtal, indexer)  # whose code turns records into crystals and lines; no weights take part in that
LIBRARIES = ("numpy", "scipy", "gemmi", "spglib")
LOADED = time.time()  # when this module was, hence the code beside it
SLACK = 1.0  # seconds by which clocks of file systems lag behind

Files = tuple[tuple[str, int, int, int], ...]
_known: dict[tuple[str, ...], tuple[Files, str]] = {}  # of the packages by name: what was last seen, and its digest


class OtherCodeError(UserError):
    """A worker runs other code than the machine that builds."""

    exit_code = FAILED

    @classmethod
    def here(cls) -> Self:
        """Return the error of a worker on this machine."""
        return cls(
            f"a worker on {socket.gethostname()} runs other code or libraries than this machine, and what it prepares "
            "would be wrong; install the same version of xtalscout and its libraries there, start the workers again "
            "and repeat the command: it goes on where it stopped"
        )


def proof(packages: Sequence[ModuleType] = PACKAGES, libraries: Sequence[str] = LIBRARIES) -> str:
    """Return the SHA-256 (hex) of all that decides what a record becomes, as this process has loaded it.

    Args:
        packages: whose code takes part.
        libraries: distributions whose versions do.
    """
    found = [(path, path.stat()) for package in packages for path in _sources(package.__file__)]
    files = tuple((str(path), state.st_size, state.st_mtime_ns, state.st_ino) for path, state in found)
    names = tuple(package.__name__ for package in packages)
    if _known.get(names, ((), ""))[0] != files:
        digest = hashlib.sha256("\0".join(_versions(libraries)).encode())
        for path, _ in found:
            digest.update(f"\0{path.name}\0".encode())
            digest.update(path.read_bytes())
        changed = any(state.st_ctime > LOADED + SLACK for _, state in found)
        told = f"changed after process {os.getpid()} loaded it" if changed else digest.hexdigest()
        _known[names] = files, told
    return _known[names][1]


def prove(expected: str) -> None:
    """Raise OtherCodeError unless this process runs what `expected` is the proof of."""
    if proof() != expected:
        raise OtherCodeError.here()


def _sources(init: str | None) -> list[Path]:
    return sorted(Path(init or "").parent.rglob("*.py"))


def _versions(libraries: Sequence[str]) -> list[str]:
    found = [f"python {sys.version_info.major}.{sys.version_info.minor}"]
    for name in libraries:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} missing")
    return found
