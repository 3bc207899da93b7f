"""Commands around the one answer: solve, calibrate, and the history of what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generate.console import Guests, Linkers, Metals, Seconds, candidate_row, candidate_table, knowledge
from generate.limits import SEARCH_SECONDS
from search.console import (
    DEFAULT_INDEXES,
    Edited,
    IndexNames,
    Wavelength,
    as_data,
    as_text,
    edited_lines,
    opened,
    phase_table,
    read_all,
)
from search.refinement.commands import refine as refine_structures
from search.refinement.commands import refine_hit, refined_data, refined_text, write_hit
from search.summary import summary_table
from xtal.console import PARTIAL, USAGE, AsJson, errors_reported, print_result, progress_bars
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.benchmark import CalibrationReport
    from search.benchmark.calibrate import Rates
    from search.cache import Cache, HistoryEntry
    from search.options import Event, Options
    from search.refinement.run import Refined
    from search.solution import Solution
    from search.solve import Solver
    from xtal.patterns import Pattern


class Generate(StrEnum):
    """When crystals are generated."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line of the search."""
    for command in (solve, refine_structures, calibrate, history, export, forget):
        app.command()(command)


def solve(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pattern files.")],
    index: IndexNames = DEFAULT_INDEXES,
    k: Annotated[int, typer.Option("-k", min=1, help="Hits per pattern.")] = 10,
    wavelength: Wavelength = None,
    elements: Annotated[str, typer.Option(help="Only structures made of these: Zn,C,H,O.")] = "",
    must: Annotated[str, typer.Option(help="Only structures that hold all of these: Zn.")] = "",
    formula: Annotated[str, typer.Option(help="Contents of the cell, for generation: Zn4O13C24H12.")] = "",
    z: Annotated[int, typer.Option("--z", min=1, help="Formula units per primitive cell.")] = 1,
    metal: Metals = None,
    linker: Linkers = None,
    guest: Guests = None,
    generate: Annotated[Generate, typer.Option(help="Generate crystals: auto is after a miss.")] = Generate.AUTO,
    count: Annotated[int, typer.Option("-n", min=1, help="Candidates to generate.")] = 10,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Of the sampler.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the generation.")] = 0,
    seconds: Seconds = SEARCH_SECONDS,
    cache: Annotated[bool, typer.Option(help="Take known answers from the cache, and keep new ones.")] = True,
    out: Annotated[Path | None, typer.Option(help="Folder for CIF files: first hit, refined, generated.")] = None,
    refine: Annotated[bool, typer.Option("--refine", help="Refine the first hit where it is a match.")] = False,
    lines: Edited = None,
    as_json: AsJson = False,
) -> None:
    """Answer each pattern: match, match and more (a mixture) or no match; generate crystals after no match.

    Several files are answered one after the other, with a summary at the end; a generation takes about a minute.
    """
    from contextlib import closing

    from generate.request import Request
    from search.cache import Cache
    from search.options import Options
    from search.solve import Solver
    from search.verdict import Judge
    from xtal.crystals import parse_elements

    with errors_reported():
        options = Options(
            k=k,
            elements=parse_elements(elements),
            required=parse_elements(must) or frozenset(),
            formula=formula,
            units=z,
            generate=generate.value,
            request=Request(count, steps, seed, seconds=seconds, **knowledge(metal, linker, guest)),
        )
        patterns, refused = read_all(files, wavelength)
        edited = edited_lines(lines, files, patterns)
        engine = opened(index)
        with closing(Solver(engine, Judge.open(engine), Cache.open() if cache else None)) as solver:
            if solver.cache is not None and solver.cache.notice:
                typer.echo(solver.cache.notice, err=True)
            solutions = []
            for pattern, given in zip(patterns, edited, strict=True):
                solutions.append(_solved(solver, pattern, replace(options, lines=given)))
                refined = refine_hit(engine, solutions[-1]) if refine else None
                _say(solutions[-1], as_json, refined)
                if out is not None:
                    _write(solutions[-1], out)
                    write_hit(engine, solutions[-1], out, refined)
    if len(solutions) > 1 and not as_json:
        typer.echo(summary_table(solutions))
    if refused:
        raise typer.Exit(PARTIAL if patterns else USAGE)


def calibrate(
    index: Annotated[str, typer.Argument(metavar="NAME", help="Index whose answers are to be judged.")],
    queries: Annotated[int, typer.Option(min=40, help="Entries asked for, at four severities each.")] = 1200,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of entries and of the artefacts.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File to write; by default beside the index.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Reliability diagram to write.")] = None,
    phases: Annotated[bool, typer.Option("--phases", help="Fit the probability of each phase of a mixture.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the probability of a match to an index, with patterns of entries it holds and of entries removed."""
    from search.benchmark import write_reliability
    from search.benchmark.calibrate import calibrate as fitted
    from search.benchmark.calibrate_phases import calibrate_phases
    from xtal.figure import check_figure

    with errors_reported():
        if plot is not None:
            check_figure(plot)
        engine = opened(index)
        if phases:
            with progress_bars() as advance:
                curve = calibrate_phases(engine, queries // 10, queries, seed, out, advance)
            print_result(
                asdict(curve), f"phases are named from a probability of {curve.least_together:.2f} on", as_json
            )
            return
        with progress_bars() as advance:
            report = fitted(engine, queries, seed, path=out, progress=advance)
        if plot is not None:
            write_reliability(report, plot)
    print_result(asdict(report), _report_text(report), as_json)


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
    out: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="File to write, one JSON object per query.")],
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

    with Cache.open() as cache:
        if not cache.usable:
            raise UserError(cache.notice)
        yield cache


def _solved(solver: "Solver", pattern: "Pattern", options: "Options") -> "Solution":
    """Answer one pattern with a bar for the generation."""
    from generate.run import watch_on

    with progress_bars() as advance:
        move = watch_on(advance)

        def watch(event: "Event") -> None:
            """Move the bar at each step of a generation."""
            if event.preview is not None:
                move(event.preview)

        return solver.solve(pattern, options, watch)


def _say(solution: "Solution", as_json: bool, refined: "Refined | str | None" = None) -> None:
    """Print one solution, as a line of JSON or for people."""
    if as_json:
        data = {**as_data(solution.answer), "key": solution.key, "verdict": asdict(solution.verdict)}
        rows = [candidate_row(candidate) for candidate in solution.candidates]
        rest = {"candidates": rows, "notes": solution.notes, "cached": solution.cached, "seconds": solution.seconds}
        more = {} if refined is None else {"refinement": refined_data(refined)}
        typer.echo(json.dumps({**data, **rest, **more}, ensure_ascii=False))
        return
    verdict = solution.verdict
    match = f"{verdict.headline}, the first hit or one with the same lines"
    lines = [match if verdict.kind == "match" else verdict.headline, *(f"  - {reason}" for reason in verdict.reasons)]
    if verdict.phases:
        lines.insert(1, phase_table(verdict.phases))
    if solution.candidates:
        lines.append(candidate_table(list(solution.candidates)))
    known = " (from the cache)" if solution.cached else ""
    more_lines = [] if refined is None else [refined_text(refined)]
    tail = [*solution.notes, *more_lines, f"id {solution.key[:8]}{known}", ""]
    typer.echo("\n".join([as_text(solution.answer), *lines, *tail]))


def _write(solution: "Solution", folder: Path) -> None:
    """Write the generated crystals of one solution into a folder of its own."""
    from generate.run import write_candidates

    if solution.candidates:
        files = write_candidates(solution.candidates, folder / solution.key[:8])
        typer.echo(f"{solution.answer.pattern.source}: wrote {len(files)} CIF files to {files[0].parent}", err=True)


def _entry_text(entry: "HistoryEntry") -> str:
    from search.verdict import WORDS

    when = entry.created.astimezone().strftime("%Y-%m-%d %H:%M")
    made = f", {entry.candidates} generated" if entry.candidates else ""
    edited = ", edited lines" if entry.edited else ""
    said = f"{WORDS.get(entry.kind, entry.kind):14s} {entry.probability:4.0%}  {entry.top_hit or '-'}"
    return f"{entry.short_id}  {when}  {said}  {entry.source}{edited}{made}"


def _kind(rates: "Rates") -> str:
    """Which patterns rates are of."""
    if rates.severity is None:
        return "all"
    return f"{rates.severity:g} exported" if rates.processed else f"{rates.severity:g}"


def _report_text(report: "CalibrationReport") -> str:
    """Rates for people."""
    from search.verdict.calibration import SHARES

    shares = "  ".join(f"{share:.0%} false" for share in SHARES)
    head = (
        f"    severity  queries  first right  or alike  | accepted at {shares}  | removed accepted at the same  "
        "| removed by group alone  | error, of the very structure"
    )
    rows = [
        f"{_kind(r):>12}  {r.queries:7d}  {r.right:11.1%}  {r.alike:8.1%}  | "
        + "  ".join(f"{value:7.1%}" for value in r.accepted)
        + "  | "
        + "  ".join(f"{value:7.1%}" for value in r.false)
        + "  | "
        + "  ".join(f"{value:7.1%}" for value in r.false_by_group)
        + f"  | {r.error:.3f}  {r.exact_error:.3f}"
        for r in report.rates
    ]
    return "\n".join([head, *rows, f"wrote {report.path}"])
