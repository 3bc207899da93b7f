"""What all figures share: where they may be written, and their colours."""

from pathlib import Path

from xtal.errors import UserError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito (2008), for all eyes
SUFFIXES = (".png", ".pdf", ".svg")


def check_figure(path: Path) -> Path:
    """Return `path` when a figure can be written there, else raise UserError: better before the work than after it."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"the figure must be a file that ends in {', '.join(SUFFIXES)}, got {path}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"there is no folder {path.parent} for the figure {path.name}; make it first")
    return path
