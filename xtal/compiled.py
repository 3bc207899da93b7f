"""Compiled code that is kept on disk beside its sources."""

from pathlib import Path


def forget_older(*folders: Path) -> None:
    """Remove what numba keeps for the first folder where a source of any of these folders is newer.

    Numba compares the file of a function with what is kept, not those of functions that are compiled into it: these
    may have changed since.
    """
    newest = max(path.stat().st_mtime_ns for folder in folders for path in folder.glob("*.py"))
    for index in (folders[0] / "__pycache__").glob("*.nbi"):
        try:
            if index.stat().st_mtime_ns < newest:
                index.unlink()
        except OSError:  # another process was faster, or it may not be removed
            continue
