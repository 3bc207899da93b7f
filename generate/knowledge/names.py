"""The names by which chemists call linkers, solvents and ions."""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

from xtal.errors import UserError
from xtal.shipped import whole

Role = Literal["linker", "guest", "ion"]
NAMES = Path(__file__).parent / "data" / "names.tsv"
NEAREST = 5  # names proposed for one that is unknown


@dataclass(frozen=True)
class Named:
    """A molecule or ion with a name.

    Attributes:
        role: linkers are written as neutral acids, ions with their charge.
        names: as people write them, the shortest usual one first.
        smiles: of the whole molecule.
        formula: in Hill order.
        acids: hydrogens that metals may replace.
    """

    role: Role
    names: tuple[str, ...]
    smiles: str
    formula: str
    acids: int


@cache
def table() -> tuple[Named, ...]:
    """Return everything that has a name here."""
    text = whole(NAMES).read_text(encoding="utf-8")
    return tuple(
        Named(row["role"], tuple(row["names"].split("|")), row["smiles"], row["formula"], int(row["acids"]))  # type: ignore[arg-type]
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    )


def find_named(text: str, roles: Collection[Role]) -> Named | None:
    """Look a name up; case, blanks, hyphens and brackets do not count.

    ``H2BDC`` is ``BDC``, and ``terephthalate`` is ``terephthalic acid``.
    """
    known = _by_name()
    for spelling in _spellings(text):
        for role in roles:
            if (role, spelling) in known:
                return known[role, spelling]
    return None


def unknown_name(text: str, roles: Collection[Role]) -> UserError:
    """Return the error for a name that is not known, with those next to it."""
    names = {_plain(name): name for named in table() if named.role in roles for name in named.names}
    near = get_close_matches(_plain(text), names, NEAREST, cutoff=0.5)
    hint = f"; the nearest names are {', '.join(names[name] for name in near)}" if near else ""
    kind = "linker" if "linker" in roles else "guest"
    return UserError(
        f"{text!r} is no known name of a {kind} and no SMILES{hint}; "
        "write a SMILES such as OC(=O)c1ccc(cc1)C(=O)O, or the path of a .cif, .mol, .sdf or .xyz file"
    )


def _spellings(text: str) -> list[str]:
    """Spellings to look for, the exact one first."""
    plain = _plain(text)
    without = re.sub(r"^h\d?(?=[a-z0-9])", "", _plain(re.sub(r"\d?[-\u2212]$", "", text.strip())))
    acids = [re.sub("ate$", "icacid", word) for word in (plain, without) if word.endswith("ate")]
    return [plain, without, *acids]


def _plain(text: str) -> str:
    """Leave out what people write in one way or another."""
    return re.sub(r"[\s,'\"\u2032\u2019()\[\]:-]", "", text.casefold())


@cache
def _by_name() -> dict[tuple[Role, str], Named]:
    return {(named.role, _plain(name)): named for named in table() for name in named.names}
