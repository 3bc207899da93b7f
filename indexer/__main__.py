"""Command line: build, list, show, check and remove indexes of known crystals."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtal.console import FAILED, PARTIAL, AsJson, errors_reported, print_result, progress_bars, spelled

if TYPE_CHECKING:
    from indexer.storage import Manifest

TOLERATED = 0.05  # share of broken entries: every public database has some; more means that something is wrong
SHOWN = 10  # broken entries that `info` lists


class Device(StrEnum):
    """Choices of --device."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Tier(StrEnum):
    """Choices of --tier."""

    auto = "auto"
    exact = "exact"
    half = "half"
    clusters = "clusters"

    @property
    def chosen(self) -> str | None:
        """The tier, None where it follows from the size."""
        return None if self is Tier.auto else self.value


app = typer.Typer(help="Build and keep indexes of known crystals.", no_args_is_help=True, add_completion=False)
TierOption = Annotated[
    Tier,
    typer.Option(
        help="How the index is searched: `exact` compares every vector, `half` reads half of each for single queries "
        "with the same answers, `clusters` looks into the nearest only. Chosen by size."
    ),
]
IndexName = Annotated[str, typer.Argument(metavar="NAME", help="Name of an index, see `list`.")]


@app.command("build")
def build_index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="coremof2019-asr, coremof2019-fsr, coremof2014, hmof100, hmof400, cif:PATH or packed:PATH; "
            "several go into one index.",
        ),
    ],
    source: Annotated[
        Path | None, typer.Option(help="File or folder of a source that has to be fetched by hand.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the index; made from the sources by default.")] = None,
    embedder: Annotated[str, typer.Option(help="Fingerprint model; `profile` is untrained.")] = "cpcp-reciprocal",
    limit: Annotated[int | None, typer.Option(min=1, help="Take only so many entries of each source.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core by default.")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Prepare the records on the Dask cluster with this scheduler."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where the fingerprint model runs.")] = Device.auto,
    tier: TierOption = Tier.auto,
    as_json: AsJson = False,
) -> None:
    """Build an index from sources of crystals and publish it.

    An interrupted build goes on where it stopped when the same command runs again.
    """
    import models
    from indexer.build import build, finished_records
    from indexer.plan import open_plan

    with errors_reported():
        plan = open_plan(sources, models.load(embedder, device.value), name, source, limit, tier=tier.chosen)
        try:
            with progress_bars() as progress:
                manifest = build(plan, workers, progress, scheduler)
        except KeyboardInterrupt:
            kept = finished_records(plan)
            typer.echo(f"stopped; {kept} finished records are kept: run the same command again to go on", err=True)
            raise typer.Exit(FAILED) from None
    print_result(asdict(manifest), _summary(manifest), as_json)
    counts = manifest.counts
    if counts.broken > TOLERATED * (counts.broken + counts.entries):
        raise typer.Exit(PARTIAL)


@app.command("add")
def add_sources(
    name: IndexName,
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="As for `build`.")],
    source: Annotated[
        Path | None, typer.Option(help="File or folder of a source that has to be fetched by hand.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; one per core by default.")] = None,
    tier: TierOption = Tier.auto,
    as_json: AsJson = False,
) -> None:
    """Add sources to an index that is there, without doing its work again; it is searched as it was until then."""
    import models
    from indexer.grow import add
    from indexer.plan import open_addition
    from indexer.storage import store

    with errors_reported():
        plan = open_addition(name, sources, models.load(store.read_manifest(name).embedder), source, tier.chosen)
        with progress_bars() as progress:
            manifest = add(plan, workers, progress)
    print_result(asdict(manifest), _summary(manifest), as_json)


@app.command("merge")
def merge_indexes(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Indexes to put together; they stay.")],
    name: Annotated[str, typer.Option(help="Name of the new index.")],
    tier: TierOption = Tier.auto,
    as_json: AsJson = False,
) -> None:
    """Put indexes of one model together as one more, without doing their work again."""
    from indexer.grow import merge

    with errors_reported():
        manifest = merge(names, name, tier=tier.chosen)
    print_result(asdict(manifest), _summary(manifest), as_json)


@app.command("list")
def list_indexes(as_json: AsJson = False) -> None:
    """List all indexes."""
    from indexer.storage import folders, store

    with errors_reported():
        listing = store.list_indexes()
        nothing = f"no index in {folders.indexes_folder()}; build one: {spelled('indexer build')} coremof2019-asr"
    described = (
        f"{m.name}  {m.counts.entries} entries  {m.embedder}  {m.search.tier} search  {m.created}"
        for m in listing.manifests
    )
    lines = "\n".join(described)
    print_result([asdict(m) for m in listing.manifests], lines or nothing, as_json)
    for problem in listing.problems:
        typer.echo(f"error: {problem}", err=True)
    if listing.problems:
        raise typer.Exit(PARTIAL)


@app.command("info")
def show_info(name: IndexName, as_json: AsJson = False) -> None:
    """Show what is in an index and where it came from."""
    from indexer.storage import store

    with errors_reported():
        manifest, broken = store.read_manifest(name), store.broken_entries(name)
    text = [_summary(manifest), *(f"broken: {b.id}: {b.reason}" for b in broken[:SHOWN])]
    if len(broken) > SHOWN:
        text.append(f"and {len(broken) - SHOWN} more broken entries, see --json")
    print_result({**asdict(manifest), "broken": [asdict(b) for b in broken]}, "\n".join(text), as_json)


@app.command("verify")
def verify_index(name: IndexName, as_json: AsJson = False) -> None:
    """Check every file of an index against its digest."""
    from indexer.storage import store

    with errors_reported():
        report = store.verify(name)
    text = "\n".join(report.problems) or f"{name}: all {report.files} files are as they were written"
    print_result(asdict(report), text, as_json)
    if report.problems:
        raise typer.Exit(FAILED)


@app.command("remove")
def remove_index(
    name: IndexName, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
) -> None:
    """Remove an index and whatever an interrupted build of it left."""
    from indexer.storage import folders, store

    with errors_reported():
        folder = folders.index_folder(name)
        if not yes:
            typer.confirm(f"remove {folder}?", abort=True, err=True)
        store.remove(name)
    print_result({"removed": name}, f"removed {folder}", as_json)


def _summary(manifest: "Manifest") -> str:
    counts = manifest.counts
    lines = [
        f"{manifest.name}: {counts.entries} entries in {counts.groups} groups of equal structures, "
        f"{counts.broken} broken and {counts.left_out} too large entries left out",
        f"embedder {manifest.embedder} (model {manifest.model_id[:12]}), {manifest.dimension} dimensions",
        f"search: {manifest.search}",
        f"build {manifest.build_id} of {manifest.created}, {sum(f.size for f in manifest.files) / 1e6:.1f} MB",
        *(f"source {s.name} ({s.licence}): {s.citation}" for s in manifest.sources),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    app()
