"""Files that are not there: what there is in their place."""

import os
from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

WILD = frozenset("*?[")  # of shells, which put file names in their place, where any match
MOST = 20_000  # names of a folder that are looked at
SHOWN = 3


def missing(path: Path, suffixes: Collection[str]) -> str:
    """Say why there is no file of this name, and which pattern files its folder holds instead.

    Args:
        path: of the file that is not there.
        suffixes: of pattern files.
    """
    folder = path.parent
    if not folder.is_dir():
        return f"cannot read {path}: there is no folder {folder}"
    wild = WILD & set(path.name)
    what = "no file matches it" if wild else "there is no such file"
    names = _names(folder)
    like = [] if wild else get_close_matches(path.name, names, n=1, cutoff=0.8)
    if like:
        return f"cannot read {path}: {what}; did you mean {like[0]}?"
    there = sorted(name for name in names if Path(name).suffix.lower() in suffixes)
    where = folder.resolve()
    if not there:
        return f"cannot read {path}: {what}, and {where} holds no pattern file; give the path of one"
    others = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
    return f"cannot read {path}: {what}; the pattern files in {where} are {', '.join(there[:SHOWN])}{others}"


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, none where it cannot be looked into."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, MOST)]
    except OSError:
        return []
