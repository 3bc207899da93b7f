"""Command line of the libraries of parts."""

from pathlib import Path
from typing import Annotated

import typer

from xtal.console import AsJson, errors_reported, print_result, progress_bars, to_file

parts = typer.Typer(help="Libraries of the parts that frameworks consist of.", no_args_is_help=True)


@parts.callback()
def group() -> None:
    """Libraries of the parts that frameworks consist of."""


@parts.command("build")
def build_library(
    source: Annotated[list[str], typer.Option(help="Crystals, as for an index; may be given several times.")],
    out: Annotated[Path, typer.Option(callback=to_file, help="File to write.")],
    split: Annotated[str | None, typer.Option(help="train, val or test: only the crystals of this part.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Collect the parts of all crystals of a database: metals, nodes, linkers, their shapes, what goes together."""
    from generate.parts.build import build
    from xtal.errors import UserError

    with errors_reported():
        if split not in (None, "train", "val", "test"):
            raise UserError(f"unknown split {split!r}; known are train, val and test")
        with progress_bars() as advance:
            library = build(source, split, workers, advance)
        library.save(out)
    roles = {role: sum(kind.role == role for kind in library.kinds) for role in {k.role for k in library.kinds}}
    found = ", ".join(f"{number} of role {role}" for role, number in sorted(roles.items()))
    words = f"{len(library.kinds)} kinds of parts ({found}) of {len(library)} crystals in {out}"
    print_result({"crystals": len(library), "kinds": roles, "file": str(out)}, words, as_json)


@parts.command("series")
def build_series(
    out: Annotated[Path, typer.Option(callback=to_file, help="File to write.")], as_json: AsJson = False
) -> None:
    """Make straight linkers by rule, whether anyone made a framework of them or not: cores, sides and ends."""
    from generate.knowledge.series import series

    with errors_reported():
        with progress_bars() as advance:
            library = series(advance)
        library.save(out)
    print_result({"kinds": len(library.kinds), "file": str(out)}, f"{len(library.kinds)} linkers in {out}", as_json)
