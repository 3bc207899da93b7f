"""Metals, linkers and guests as texts, in the way that people and programs name them."""

import re
from collections.abc import Sequence

from generate.knowledge.contents import Contents, check_metals, contents
from generate.knowledge.linkers import check_guest, check_linker, guest_kinds, linker_kinds
from xtal.errors import UserError

MOST_GUESTS = 3


def split_names(text: str) -> tuple[str, ...]:
    """Return the names or SMILES of a text, between semicolons or on lines of their own: commas belong to names."""
    return tuple(filter(None, (name.strip() for name in re.split(r"[;\n]", text))))


def split_metals(text: str) -> tuple[str, ...]:
    """Return the metals of a text, separated by blanks, commas or semicolons."""
    return tuple(filter(None, re.split(r"[\s,;]+", text)))


def check_knowledge(metals: Sequence[str], linkers: Sequence[str], guests: Sequence[str]) -> None:
    """Raise UserError for what cannot be used: metals and linkers are needed, guests are not; no file is opened."""
    check_metals(metals, len(linkers))
    for linker in linkers:
        check_linker(linker)
    if len(guests) > MOST_GUESTS:
        raise UserError(f"give at most {MOST_GUESTS} guests, got {len(guests)}")
    for guest in guests:
        check_guest(guest)


def likely_contents(
    metals: Sequence[str], linkers: Sequence[str], guests: Sequence[str], volume: float | None = None
) -> list[Contents]:
    """Return what a primitive cell may hold as `contents` does, from names and SMILES."""
    kinds = [linker_kinds(text)[0] for text in linkers]
    return contents(metals, kinds, [guest_kinds(text)[0] for text in guests], volume)
