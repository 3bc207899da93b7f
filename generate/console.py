"""Candidates as text or data, for the command lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generate.limits import MOST_SECONDS

if TYPE_CHECKING:
    from generate.candidate import Candidate

Contents = Annotated[
    str, typer.Option(help="What one primitive cell to generate holds: Zn4O13C24H12; unknown: as near hits.")
]
Units = Annotated[int, typer.Option("--z", min=1, help="How often the cell holds the contents.")]
Metals = Annotated[list[str] | None, typer.Option("--metal", help="That it holds: Zn; once or twice, with --linker.")]
Linkers = Annotated[
    list[str] | None,
    typer.Option("--linker", help="That it holds: BDC, a SMILES, or a .cif, .mol, .sdf or .xyz file; up to three."),
]
Guests = Annotated[list[str] | None, typer.Option("--guest", help="Solvent or ion in it: DMF, NO3; up to three.")]
Seconds = Annotated[
    int, typer.Option(min=0, max=MOST_SECONDS, help="Of a core, to search for frameworks from their parts; 0: none.")
]


def knowledge(metals: list[str] | None, linkers: list[str] | None, guests: list[str] | None) -> dict[str, Any]:
    """Return what was named as fields of a `Request`; linkers in files become SMILES."""
    from generate.knowledge import plain_linker

    return {
        "metals": tuple(metals or ()),
        "linkers": tuple(map(plain_linker, linkers or ())),
        "guests": tuple(guests or ()),
    }


def candidate_row(candidate: "Candidate") -> dict[str, Any]:
    """One candidate for programs."""
    from generate.checks import plausibility

    row = {key: value for key, value in vars(candidate).items() if key != "crystal"}
    crystal = candidate.crystal
    return {**row, "formula": crystal.formula, "volume": crystal.volume, "geometry": plausibility(crystal).words}


def candidate_table(candidates: Sequence["Candidate"]) -> str:
    """All candidates for people."""
    lines = ["rank  agreement     fit  similarity  contacts  cell (Å, °)                                started from"]
    lines += [
        f"{c.rank:4d}  {c.agreement:9.2f}  {c.fit:6.3f}  {c.similarity:10.3f}  {c.closest:8.2f}  "
        f"{_cell(c):41s}  {c.start}"
        for c in candidates
    ]
    return "\n".join([*lines, "generated, not verified: look at contacts (below 1 atoms overlap) and at the fit"])


def _cell(candidate: "Candidate") -> str:
    from xtal.crystals import cell_parameters

    lengths, angles = cell_parameters(candidate.crystal.lattice)
    return " ".join([*(f"{v:6.2f}" for v in lengths), *(f"{v:6.1f}" for v in angles)])
