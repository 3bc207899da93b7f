"""Structures that are dropped beside a pattern, to be compared with it."""

import re
from pathlib import Path

ATOMS, PROFILE = re.compile(rb"_atom_site[_.]fract_x", re.I), re.compile(rb"_pd_(meas|calc|proc)_", re.I)
LARGEST = 2_000_000  # bytes; a structure takes less, and a longer file is a pattern


def is_structure(path: Path) -> bool:
    """Whether a file is the CIF of a structure and of no pattern."""
    if path.suffix.lower() != ".cif" or not path.is_file() or path.stat().st_size > LARGEST:
        return False
    content = path.read_bytes()
    return bool(ATOMS.search(content)) and not PROFILE.search(content)
