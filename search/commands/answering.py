"""One file answered: searched, judged, perhaps refined; said and written as it is wanted."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from generate.console import candidate_rows, candidate_table
from search.commands.stream import say_read, with_file
from search.console import facts_text, opened, phase_table
from search.refinement.commands import refine_hit, refined_data, refined_text, write_hit
from xtal.console import progress_bars
from xtal.errors import UserError
from xtal.figure import check_figure

if TYPE_CHECKING:
    from generate.preview import Preview
    from search.commands.stream import Read, Report
    from search.engine import Engine
    from search.frameworks.asked import Compared
    from search.frameworks.group import Framework
    from search.options import Event, Options
    from search.refinement.run import Refined
    from search.solution import Solution
    from search.solve import Solver
    from xtal.patterns import Pattern


NAME = "{}"  # in the name of a file to write: stands for that of the pattern


@dataclass(frozen=True)
class Wanted:
    """What is said and written of each answer.

    Attributes:
        as_json: a line of JSON, instead of a table for people.
        out: folder for CIF files, None for none.
        refine: whether what matches is refined.
        figure: file for the pattern with what fits it, SVG, PDF or PNG; ``{}`` in it stands for a pattern's name.
        data: file for the same as columns.
        asked: “is it this?”: a name, a refcode, or the path of a CIF; "" asks for nothing.
        left: whether what the named phases leave is searched too.
    """

    as_json: bool = False
    out: Path | None = None
    refine: bool = False
    figure: Path | None = None
    data: Path | None = None
    asked: str = ""
    left: bool = False

    def check(self, files: Sequence[Path]) -> None:
        """Raise UserError where files of several patterns would overwrite each other, or cannot be written."""
        for option, path in (("--figure", self.figure), ("--data", self.data)):
            if path is not None and len(files) > 1 and NAME not in path.name:
                like = path.with_name(f"{path.stem}-{NAME}{path.suffix}")
                raise UserError(
                    f"{option} {path} is one file for {len(files)} patterns; write {NAME} where the name of each "
                    f"belongs, like {like}"
                )
        if self.figure is not None:
            check_figure(self.figure)
        if self.data is not None and not self.data.absolute().parent.is_dir():
            raise UserError(f"there is no folder {self.data.parent} for {self.data.name}; make it first")


@contextmanager
def solving(index: list[str], cache: bool, scheduler: str | None = None) -> "Iterator[Solver]":
    """Open what answers, with the cache unless it is not wanted; a cluster searches for crystals from parts."""
    from indexer.crew import Nothing, elsewhere, hired
    from search.cache import Cache
    from search.cluster import CODE  # that of `generate` too, which takes long to import and may not be needed
    from search.solve import Solver
    from search.verdict import Judge

    engine = opened(index)
    with (
        hired(elsewhere(scheduler), None, Nothing, CODE) as crew,
        closing(Solver(engine, Judge.open(engine), Cache.open() if cache else None, crew=crew)) as solver,
    ):
        if solver.cache is not None and solver.cache.notice:
            typer.echo(solver.cache.notice, err=True)
        yield solver


def answer_file(solver: "Solver", one: "Read", options: "Options", wanted: Wanted, report: "Report") -> "Solution":
    """Answer one file, print the answer and write what is wanted of it."""
    from search.frameworks.group import frameworks, spoken_of

    say_read(one, report)
    solution = _solved(solver, one.pattern, options)
    refined = refine_hit(solver.engine, solution) if wanted.refine else None
    compared = _compared(solver, solution, wanted.asked) if wanted.asked else None
    rows = frameworks(solution.answer, solution.verdict, solver.describer, linkers=wanted.as_json)
    told = _Told(one, solution, rows, spoken_of(solution.answer, solution.verdict, solver.describer), refined, compared)
    left = _left(solver, one, solution, options) if wanted.left else None
    if wanted.as_json:
        more = {"left": left and left.data()} if wanted.left else {}
        report(json.dumps({**told.data(), **more}, ensure_ascii=False))
    else:
        report(told.text() if left is None else f"{told.text()}\n{left.text()}")
    if wanted.out is not None:
        _write(one, solution, wanted.out, report)
        write_hit(solver.engine, solution, wanted.out, refined)
    if wanted.figure is not None or wanted.data is not None:
        _write_profile(solver.engine, one, solution, refined, wanted, report)
    return solution


def _left(solver: "Solver", one: "Read", solution: "Solution", options: "Options") -> "_Told | None":
    """Answer what the named phases leave of a pattern, where they leave lines; nothing is generated for it."""
    from search.frameworks.group import frameworks, spoken_of
    from search.phases.left import leaves, left_pattern

    if not leaves(solution.verdict):
        return None
    rest = replace(one, pattern=left_pattern(solver.engine, solution.answer, solution.verdict))
    found = _solved(solver, rest.pattern, replace(options, lines=None, generate="never"))
    rows = frameworks(found.answer, found.verdict, solver.describer, linkers=True)
    return _Told(rest, found, rows, spoken_of(found.answer, found.verdict, solver.describer))


def _write_profile(
    engine: "Engine",
    one: "Read",
    solution: "Solution",
    refined: "Refined | str | None",
    wanted: Wanted,
    report: "Report",
) -> None:
    """Write what the verdict speaks of, or its refinement, as a figure and as columns."""
    from search.paper import figure_bytes, of_refined, of_solution
    from search.refinement.run import Refined

    stem = Path(one.file).stem
    profile = of_refined(refined, stem) if isinstance(refined, Refined) else of_solution(engine, solution, stem)
    for path, content in (
        (wanted.figure, lambda to: figure_bytes(profile, to.suffix)),
        (wanted.data, lambda _: profile.csv().encode("utf-8")),
    ):
        if path is not None:
            to = path.with_name(path.name.replace(NAME, stem))
            to.write_bytes(content(to))
            report(f"{one.file}: wrote {to}", err=True)


def _solved(solver: "Solver", pattern: "Pattern", options: "Options") -> "Solution":
    """Answer one pattern with a bar for the generation."""
    moves: list[Callable[[Preview], None]] = []

    with progress_bars() as advance:

        def watch(event: "Event") -> None:
            """Move the bar at each step of a generation."""
            if event.preview is not None:
                from generate.run import watch_on  # late: it takes a quarter of a second

                moves[:] = moves or [watch_on(advance)]
                moves[0](event.preview)

        return solver.solve(pattern, options, watch)


def _compared(solver: "Solver", solution: "Solution", asked: str) -> "Compared":
    """Weigh the structure that is asked for against an answered pattern."""
    from search.frameworks.asked import compare, structure_of
    from search.frameworks.described import Describer

    what = structure_of(asked)
    describer = solver.describer or Describer(solver.engine.index)
    return compare(what, solver.engine, solver.judge, describer, solution.answer, solution.verdict)


@dataclass(frozen=True, eq=False)
class _Told:
    """What is said of one file.

    Attributes:
        one: the file.
        solution: its answer.
        rows: hits by framework.
        names: of all that the verdict speaks of.
        refined: the refinement, or why there is none; None where none was wanted.
        compared: the answer to “is it this?”, None where nothing was asked.
    """

    one: "Read"
    solution: "Solution"
    rows: "Sequence[Framework]"
    names: tuple[str, ...]
    refined: "Refined | str | None" = None
    compared: "Compared | None" = None

    def data(self) -> dict[str, Any]:
        """Return it as it is written in JSON."""
        from search.frameworks.group import framework_data

        solution = self.solution
        data = {**with_file(self.one, solution.answer), "key": solution.key, "verdict": asdict(solution.verdict)}
        rows = candidate_rows(solution.candidates)
        rest = {"candidates": rows, "notes": solution.notes, "cached": solution.cached, "seconds": solution.seconds}
        more = {} if self.refined is None else {"refinement": refined_data(self.refined)}
        asked = {} if self.compared is None else {"is_it": self.compared.data()}
        data = {**data, **asked, "frameworks": [framework_data(row) for row in self.rows]}
        return {**data, **rest, **more}

    def text(self) -> str:
        """Return it for people."""
        from search.frameworks.text import compared_text, framework_table

        solution, verdict = self.solution, self.solution.verdict
        match = f"{verdict.headline}, {self.rows[0].label if self.rows else 'it'} or one with the same peaks"
        headline = match if verdict.kind == "match" else verdict.headline
        lines = [headline, *(f"  - {reason}" for reason in verdict.reasons)]
        if verdict.phases:
            lines.insert(1, phase_table(verdict.phases, self.names))
        if solution.candidates:
            lines.append(candidate_table(solution.candidates))
        known = " (from the cache)" if solution.cached else ""
        more = [] if self.refined is None else [refined_text(self.refined)]
        asked = [] if self.compared is None else [compared_text(self.compared)]
        tail = [*asked, *solution.notes, *more, f"id {solution.key[:8]}{known}", ""]
        facts = facts_text(solution.answer, self.one.source)
        return "\n".join([facts, framework_table(self.rows), *lines, *tail])


def _write(one: "Read", solution: "Solution", folder: Path, report: "Report") -> None:
    """Write the generated crystals of one solution into a folder of its own."""
    from generate.run import write_candidates

    if solution.candidates:
        files = write_candidates(solution.candidates, folder / solution.key[:8])
        report(f"{one.file}: wrote {len(files)} CIF files to {files[0].parent}", err=True)
