"""Command line: learn what frameworks hold, from the crystals of sources."""

from pathlib import Path
from typing import Annotated

import typer

from xtal.console import errors_reported, progress_bars

app = typer.Typer(add_completion=False)


@app.command()
def learn(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Crystals, as for an index.")],
    out: Annotated[Path, typer.Option(help="File to write: .tsv.gz.")],
    everything: Annotated[bool, typer.Option("--all", help="Also from crystals that benchmarks hold out.")] = False,
    max_atoms: Annotated[int, typer.Option(min=2, help="Leave out crystals of more atoms per cell.")] = 400,
) -> None:
    """Count what real frameworks of each metal and each linker hold, for `generate.knowledge.contents`."""
    from generate.knowledge.learning import learn as learned
    from generate.knowledge.survey import recipe_of
    from models.ccsg.training.dataset import usable
    from models.cpcp.training.dataset import split_of

    with errors_reported(), progress_bars() as advance:
        found = []
        for _, crystal in usable(sources, max_atoms):
            advance("learn", 1, None)
            if everything or split_of(crystal.reduced_formula) == "train":
                found.append(recipe_of(crystal))
        recipes = learned(found)
        recipes.save(out)
    typer.echo(f"wrote {len(recipes.recipes)} recipes to {out}")


if __name__ == "__main__":
    app()
