"""Command line of what the chemist knows: contents of a cell from metals and linkers, and where that is learnt."""

from pathlib import Path
from typing import Annotated

import typer

from generate.console import Guests, Linkers, Metals
from generate.console import knowledge as named
from xtal.console import AsJson, errors_reported, print_result, progress_bars, to_file

knowledge = typer.Typer(help="What cells of given metals and linkers may hold.", no_args_is_help=True)


@knowledge.command("contents")
def show_contents(
    metal: Metals = None,
    linker: Linkers = None,
    guest: Guests = None,
    volume: Annotated[
        float | None, typer.Option(min=1, help="Of the primitive cell, Å³, as indexing finds it.")
    ] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="At most so many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """List what a primitive cell of metals and linkers may hold, the likeliest first, by what real frameworks hold."""
    from generate.knowledge import check_knowledge, likely_contents
    from xtal.crystals.crystal import composition_of, format_formula

    with errors_reported():
        known = named(metal, linker, guest)
        check_knowledge(**known)
        found = likely_contents(**known, volume=volume)[:limit]
    rows = [
        {
            "words": each.words,
            "formula": format_formula(composition_of(each.numbers)),
            "atoms": len(each.numbers),
            "ln_probability": each.ln_probability,
        }
        for each in found
    ]
    lines = [
        f"{rank:4d}  {row['ln_probability']:14.1f}  {row['atoms']:5d}  {row['words']:40s}  {row['formula']}"
        for rank, row in enumerate(rows, 1)
    ]
    print_result(rows, "\n".join([f"rank  ln probability  atoms  {'unit':40s}  cell", *lines]), as_json)


@knowledge.command("learn")
def learn_recipes(
    source: Annotated[list[str], typer.Option(help="Crystals, as for an index; may be given several times.")],
    out: Annotated[Path, typer.Option(callback=to_file, help="File to write: .tsv.gz.")],
    split: Annotated[str | None, typer.Option(help="train, val or test: only the crystals of this part.")] = None,
    max_atoms: Annotated[int, typer.Option(min=2, help="Leave out crystals of more atoms per cell.")] = 400,
) -> None:
    """Count what real frameworks of each metal and linker hold, one line for each crystal."""
    from generate.knowledge.learning import learn
    from generate.knowledge.survey import recipe_of
    from models.ccsg.training.dataset import usable
    from models.cpcp.training.dataset import split_of
    from xtal.errors import UserError

    with errors_reported():
        if split not in (None, "train", "val", "test"):
            raise UserError(f"unknown split {split!r}; known are train, val and test")
        found = []
        with progress_bars() as advance:
            for _, crystal in usable(source, max_atoms):
                advance("learn", 1, None)
                if split in (None, split_of(crystal.reduced_formula)):
                    found.append(recipe_of(crystal))
        recipes = learn(found)
        recipes.save(out)
    typer.echo(f"wrote {len(recipes.recipes)} recipes to {out}")
