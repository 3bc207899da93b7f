"""Proof that a worker does its work as this machine would: a digest of the code, weights and libraries it runs.

Workers of a cluster join and leave as they like, and may hold another version of this package, or one that somebody
has changed. Their work would look sound and be wrong. Of the weights the list of their sums takes part: a file that
is not as listed is not used (`xtal.shipped`).
"""

import hashlib
import importlib
import importlib.metadata
import os
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from xtal import shipped
from xtal.console import FAILED
from xtal.errors import UserError

PACKAGES = ("xtal", "indexer")  # whose code turns records into crystals and lines; no weights take part in that
WEIGHTS = "models"  # the package that uses them
LIBRARIES = ("numpy", "scipy", "gemmi", "spglib")
LOADED = time.time()  # when this module was, hence the code beside it
SLACK = 1.0  # seconds by which clocks of file systems lag behind

Files = tuple[tuple[str, int, int, int], ...]
_known: dict[tuple[str, ...], tuple[Files, str]] = {}  # by packages and libraries: what was last seen, its digest


class OtherCodeError(UserError):
    """A worker runs other code than the machine that builds."""

    exit_code = FAILED

    @classmethod
    def here(cls) -> Self:
        """Return the error of a worker on this machine."""
        return cls(
            f"a worker on {socket.gethostname()} runs other code, weights or libraries than this machine, and what "
            "it does would be wrong; install the same version of xtalscout and its libraries there, start the workers "
            "again and repeat the command"
        )


@dataclass(frozen=True)
class Standing:
    """What work rests on, and the proof of it on the machine that asks.

    Attributes:
        packages: whose code takes part; with `models`, the weights do, too.
        libraries: distributions whose versions do.
        digest: see `proof`.
    """

    packages: tuple[str, ...]
    libraries: tuple[str, ...]
    digest: str

    @classmethod
    def here(cls, packages: tuple[str, ...] = PACKAGES, libraries: tuple[str, ...] = LIBRARIES) -> Self:
        """Describe this process."""
        return cls(packages, libraries, proof(packages, libraries))

    def prove(self) -> None:
        """Raise OtherCodeError unless this process has the same."""
        if proof(self.packages, self.libraries) != self.digest:
            raise OtherCodeError.here()


def proof(packages: Sequence[str] = PACKAGES, libraries: Sequence[str] = LIBRARIES) -> str:
    """Return the SHA-256 (hex) of all that decides what comes of the work, as this process has loaded it.

    Args:
        packages: whose code takes part, and the weights with `models`.
        libraries: distributions whose versions do.
    """
    found = [(path, path.stat()) for package in packages for path in _sources(package)]
    files = tuple((str(path), state.st_size, state.st_mtime_ns, state.st_ino) for path, state in found)
    names = (*packages, *libraries)
    if _known.get(names, ((), ""))[0] != files:
        digest = hashlib.sha256("\0".join(_versions(libraries)).encode())
        for path, _ in found:
            digest.update(f"\0{path.name}\0".encode())
            digest.update(path.read_bytes())
        changed = any(state.st_ctime > LOADED + SLACK for _, state in found)
        told = f"changed after process {os.getpid()} loaded it" if changed else digest.hexdigest()
        _known[names] = files, told
    return _known[names][1]


def _sources(package: str) -> list[Path]:
    init = importlib.import_module(package).__file__
    listed = [shipped.LIST] if package == WEIGHTS else []
    return sorted(Path(init or "").parent.rglob("*.py")) + listed


def _versions(libraries: Sequence[str]) -> list[str]:
    found = [f"python {sys.version_info.major}.{sys.version_info.minor}"]
    for name in libraries:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} missing")
    return found
