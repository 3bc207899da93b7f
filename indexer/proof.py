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
from pathlib import Path

import indexer
import xtal
from xtal.console import FAILED
from xtal.errors import UserError

PACKAGES = (xtal, indexer)  # whose code turns records into crystals and lines; no weights take part in that
LIBRARIES = ("numpy", "scipy", "gemmi", "spglib")
LOADED = time.time()  # when this module was, hence the code beside it
SLACK = 1.0  # seconds by which clocks of file systems lag behind

Files = tuple[tuple[str, int, int, int], ...]
_known: dict[Files, str] = {}


class OtherCodeError(UserError):
    """A worker runs other code than the machine that builds."""

    exit_code = FAILED


def proof() -> str:
    """Return the SHA-256 (hex) of all that decides what a record becomes, as this process has loaded it."""
    found = [(path, path.stat()) for package in PACKAGES for path in _sources(package.__file__)]
    files = tuple((str(path), state.st_size, state.st_mtime_ns, state.st_ino) for path, state in found)
    if files not in _known:
        digest = hashlib.sha256("\0".join(_versions()).encode())
        for path, _ in found:
            digest.update(f"\0{path.name}\0".encode())
            digest.update(path.read_bytes())
        changed = any(state.st_ctime > LOADED + SLACK for _, state in found)
        _known.clear()
        _known[files] = f"changed after process {os.getpid()} loaded it" if changed else digest.hexdigest()
    return _known[files]


def prove(expected: str) -> None:
    """Raise OtherCodeError unless this process runs what `expected` is the proof of."""
    if proof() != expected:
        raise OtherCodeError(
            f"a worker on {socket.gethostname()} runs other code or libraries than this machine, and what it prepares "
            "would be wrong; install the same version of xtalscout and its libraries there, start the workers again "
            "and repeat the command: it goes on where it stopped"
        )


def _sources(init: str | None) -> list[Path]:
    return sorted(Path(init or "").parent.rglob("*.py"))


def _versions() -> list[str]:
    found = [f"python {sys.version_info.major}.{sys.version_info.minor}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} missing")
    return found
