"""Commands about the answers that are kept: ``history``, ``export``, ``forget``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtal.console import AsJson, errors_reported, print_result, to_file
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.cache import Cache, HistoryEntry

PATIENCE = 30.0  # seconds: on a busy machine a page that works lends its answers late


def history(
    search: Annotated[str, typer.Argument(help="Words that source, verdict or first hit must hold.")] = "",
    limit: Annotated[int, typer.Option("-n", min=1, help="At most so many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was asked before."""
    with errors_reported(), _cache() as cache:
        entries = cache.history(limit, search)
    rows = [{**asdict(entry), "created": entry.created.isoformat(), "id": entry.short_id} for entry in entries]
    print_result(rows, "\n".join(map(_entry_text, entries)) or "nothing was asked yet", as_json)


def export(
    out: Annotated[
        Path, typer.Argument(metavar="OUT.jsonl", callback=to_file, help="File to write, one JSON object per query.")
    ],
) -> None:
    """Write everything in the cache, with hits and generated crystals as CIF text, to a new file."""
    with errors_reported(), _cache() as cache:
        count = cache.export(out)
    typer.echo(f"wrote {count} queries to {out}")


def forget(
    prefix: Annotated[str, typer.Argument(metavar="ID", help="First digits of a query's id, see history.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Forget every query.")] = False,
    before: Annotated[datetime | None, typer.Option(help="Forget what is older than this day.")] = None,
) -> None:
    """Remove queries from the cache."""
    with errors_reported(), _cache() as cache:
        if [bool(prefix), everything, before is not None].count(True) != 1:
            raise UserError("name what to forget: an ID, --before DAY, or --all")
        if before is not None:
            count = cache.forget_before(before)
        else:
            count = cache.forget_all() if everything else cache.forget(prefix)
    typer.echo(f"forgot {count} queries")


@contextmanager
def _cache() -> Iterator["Cache"]:
    """Open the cache; UserError when another process holds it."""
    from search.cache import Cache

    with Cache.open(seconds=PATIENCE) as cache:
        if not cache.usable:
            raise UserError(cache.notice)
        yield cache


def _entry_text(entry: "HistoryEntry") -> str:
    from search.frameworks.entry import EntryId
    from search.verdict import WORDS, percent

    when = entry.created.astimezone().strftime("%Y-%m-%d %H:%M")
    made = f", {entry.candidates} generated" if entry.candidates else ""
    edited = ", edited peaks" if entry.edited else ""
    found = EntryId.of(entry.top_hit).words if entry.top_hit else "-"
    said = f"{WORDS.get(entry.kind, entry.kind):14s} {percent(entry.probability):13s}  {found}"
    filters = f"  [{entry.filters}]" if entry.filters else ""
    return f"{entry.short_id}  {when}  {said}  {entry.source}{edited}{made}{filters}"
