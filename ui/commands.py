"""All commands under one name: `xtalscout build`, `xtalscout solve`, `xtalscout serve` and so on."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

import generate.__main__ as generation
import generate.commands.indexing as cells
import indexer.__main__ as indexes
import models.__main__ as networks
import search.__main__ as searches
from search.commands import calibrating, kept
from search.commands.query import query
from search.commands.solve import solve
from search.commands.watch import watch
from search.refinement import commands as refinement
from ui.__main__ import serve

GROUPS: dict[str, dict[str, Callable[..., None]]] = {
    "Identify": {
        "solve": solve,
        "watch": watch,
        "refine": refinement.refine,
        "search": query,
        "generate": generation.run,
        "index": cells.index,
        "serve": serve,
    },
    "What was asked before": {"history": kept.history, "export": kept.export, "forget": kept.forget},
    "Indexes of known crystals": {
        "build": indexes.build_index,
        "add": indexes.add_sources,
        "merge": indexes.merge_indexes,
        "list": indexes.list_indexes,
        "info": indexes.show_info,
        "verify": indexes.verify_index,
        "remove": indexes.remove_index,
    },
    "Measure how good it is": {
        "benchmark": searches.benchmark,
        "robustness": searches.robustness,
        "benchmark-generation": generation.benchmark,
        "benchmark-index": cells.benchmark_index,
        "benchmark-refinement": searches.benchmark_refinement,
        "calibrate": calibrating.calibrate,
        "calibrate-generation": generation.calibrate,
        "simulate": searches.simulate,
        "figures": searches.figures,
    },
    "Train": {"export-model": networks.export},
}

app = typer.Typer(no_args_is_help=True)
for _group, _commands in GROUPS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_group)(_command)
app.add_typer(networks.training, name="train", rich_help_panel="Train")
app.add_typer(generation.parts, name="parts", rich_help_panel="Train")
app.add_typer(generation.known, name="knowledge", rich_help_panel="Train")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"xtalscout {version('xtalscout')}")
        raise typer.Exit


@app.callback()
def xtalscout(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Drop a powder X-ray diffraction pattern on it, get the crystal structure."""
