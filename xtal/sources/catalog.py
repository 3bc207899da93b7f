"""The databases by name."""

from contextlib import suppress
from pathlib import Path

from xtal.errors import UserError
from xtal.sources.cif_files import open_cif_files
from xtal.sources.core_mof import ARCHIVES, open_core_mof
from xtal.sources.hmof import MOST_ATOMS, open_hmof
from xtal.sources.lab import open_lab
from xtal.sources.lab.source import NAME as LAB
from xtal.sources.packed_file import open_packed_file
from xtal.sources.record import Source

NAMES = (*ARCHIVES, LAB, *MOST_ATOMS, "cif:PATH", "packed:PATH")


def open_source(name: str, path: Path | None = None) -> Source:
    """Open a database by its name.

    Args:
        name: one of `NAMES`, with a path in place of PATH.
        path: the files of a database that does not come with a package (hmof100, hmof400).

    Raises:
        UserError: an unknown name, a missing path, or a path where none is taken.
    """
    if name in MOST_ATOMS:
        return open_hmof(name, path)
    if path is not None:
        raise UserError(f"{name} takes no separate path; only {', '.join(MOST_ATOMS)} do (for files: cif:{path})")
    if name in ARCHIVES:
        return open_core_mof(name)
    if name == LAB:
        return open_lab()
    kind, _, place = name.partition(":")
    if place and kind == "cif":
        return open_cif_files(Path(place))
    if place and kind == "packed":
        return open_packed_file(Path(place))
    raise UserError(f"unknown database {name!r}; known are {', '.join(NAMES)}{_as_path(name)}")


def _as_path(name: str) -> str:
    """Say how a path is written, if the name is one."""
    with suppress(OSError, ValueError):  # no file can have such a name
        if name and Path(name).exists():
            return f"; write {'packed' if name.endswith('.npz') else 'cif'}:{name}"
    return ""
