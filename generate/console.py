"""Candidates as text or data, for the command lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from generate.limits import MOST_SECONDS

if TYPE_CHECKING:
    from generate.candidate import Candidate

WIDTH = 103  # of the table of candidates, before what they started from

Contents = Annotated[
    str, typer.Option(help="What one primitive cell to generate holds: Zn4O13C24H12; else what else is known tells.")
]
Composition = Annotated[
    str, typer.Option("--formula", help="Of the crystal, in any multiple: C8H4O5Zn; how much a cell holds is found.")
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


def candidate_rows(candidates: Sequence["Candidate"]) -> list[dict[str, Any]]:
    """All candidates for one pattern, for programs."""
    from generate.checks import plausibility
    from generate.judging import chances

    return [
        {key: value for key, value in vars(candidate).items() if key != "crystal"}
        | {"chance": chance.word, "framework_probability": chance.framework, "atoms_probability": chance.atoms}
        | {"formula": candidate.crystal.formula, "volume": candidate.crystal.volume}
        | {"geometry": plausibility(candidate.crystal).words}
        for candidate, chance in zip(candidates, chances(candidates), strict=True)
    ]


def candidate_table(candidates: Sequence["Candidate"]) -> str:
    """All candidates for people."""
    from generate.judging import chances

    head = "rank  chance     framework  atoms    fit  similarity  contacts  cell (Å, °)"
    lines = [f"{head:{WIDTH}s}started from"]
    lines += [
        f"{c.rank:4d}  {chance.word:9s}  {chance.framework:9.0%}  {chance.atoms:5.0%}  {c.fit:5.3f}  "
        f"{c.similarity:10.3f}  {c.closest:8.2f}  {_cell(c)}  {c.start}"
        for c, chance in zip(candidates, chances(candidates), strict=True)
    ]
    return "\n".join(
        [
            *lines,
            "generated, not verified; framework: how likely the net and its parts are right; atoms: that they are in "
            "place, too; contacts below 1: atoms overlap",
        ]
    )


def _cell(candidate: "Candidate") -> str:
    from xtal.crystals import cell_parameters

    lengths, angles = cell_parameters(candidate.crystal.lattice)
    return " ".join([*(f"{v:6.2f}" for v in lengths), *(f"{v:6.1f}" for v in angles)])
