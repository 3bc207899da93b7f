"""The command that refines, and what `solve --refine` adds to an answer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.console import DEFAULT_INDEXES, IndexNames, Wavelength, opened, read_all
from xtal.console import USAGE, AsJson, errors_reported, print_result, to_file
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.engine import Engine
    from search.refinement.run import Model, Refined
    from search.solution import Solution
    from xtal.patterns import Pattern

SECONDS = 30.0


class Mode(StrEnum):
    """Where intensities come from."""

    RIETVELD = "rietveld"
    LEBAIL = "lebail"
    PAWLEY = "pawley"


class Program(StrEnum):
    """Who refines."""

    RIETX = "rietx"
    GSAS = "gsas"


def refine(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Pattern file.")],
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", help="Entry of the index, or CIF file; repeat for several phases."),
    ] = None,
    index: IndexNames = DEFAULT_INDEXES,
    wavelength: Wavelength = None,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Time limit.")] = SECONDS,
    mode: Annotated[Mode, typer.Option(help="Intensities: of the structure, or free.")] = Mode.RIETVELD,
    program: Annotated[Program, typer.Option(help="rietx, or gsas where GSAS-II is installed.")] = Program.RIETX,
    texture: Annotated[bool, typer.Option(help="Try preferred orientation.")] = True,
    coordinates: Annotated[bool, typer.Option(help="Let atoms move where the data allow it.")] = True,
    cif: Annotated[
        Path | None, typer.Option(callback=to_file, help="File for the refined structure with its profile.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(callback=to_file, help="File for the profile as columns.")] = None,
    as_json: AsJson = False,
) -> None:
    """Refine structures against a pattern: cell with uncertainties, Rwp, weight shares, texture.

    Without --structure the pattern is searched for, and what matches is refined: the first hit, or all phases found.
    """
    from search.refinement.run import refine_models
    from xtal.refinement import Choices

    with errors_reported():
        for out in (cif, csv):
            _check_out(out)
        patterns, refused = read_all([file], wavelength)
        if refused:
            raise typer.Exit(USAGE)
        models = _models(patterns[0], structure or [], index)
        choices = Choices(mode.value, seconds, texture, coordinates)
        refined = refine_models(patterns[0], models, choices, program.value)
        _write(refined, cif, csv)
    print_result(refined_data(refined), refined_text(refined), as_json)


def refine_hit(engine: "Engine", solution: "Solution") -> "Refined | str":
    """Refine what matches, the first hit or all phases; return the reason where nothing does or it cannot be done."""
    from search.refinement.run import matching, refine_models

    models = matching(engine, solution.answer, solution.verdict)
    if not models:
        return "nothing was refined: there is no match"
    try:
        return refine_models(solution.answer.pattern, models)
    except UserError as error:
        return f"nothing was refined: {error}"


def refined_data(refined: "Refined | str") -> dict[str, Any]:
    """Return a refinement for JSON, with its CIF, or why there is none."""
    from xtal.refinement.table import as_data

    if isinstance(refined, str):
        return {"error": refined}
    origins = [model.origin for model in refined.models]
    return {**as_data(refined.found), "r_wp_before": refined.r_wp_before, "origins": origins, "cif": refined.cif()}


def refined_text(refined: "Refined | str") -> str:
    """Return a refinement for people, or why there is none."""
    from xtal.refinement.table import as_text

    if isinstance(refined, str):
        return refined
    return f"{refined.pattern.source}: Rwp {refined.r_wp_before:.1%} before\n{as_text(refined.found)}"


def write_hit(engine: "Engine", solution: "Solution", folder: Path, refined: "Refined | str | None") -> None:
    """Write the first hit of a match (or the framework that is in another state) beside the generated crystals."""
    from search.refinement.hit_cif import hit_cif
    from search.refinement.run import Refined

    if solution.verdict.kind == "miss" or not solution.answer.hits:
        return
    hit, place = solution.answer.hits[0], folder / solution.key[:8]
    if solution.verdict.kind == "other_state":
        hit = solution.verdict.phases[0].hit
    place.mkdir(parents=True, exist_ok=True)
    text = hit_cif(engine.crystal(hit.id), hit, engine.index.manifest.name, solution.answer.pattern.source)
    (place / "hit.cif").write_text(text, encoding="utf-8")
    if isinstance(refined, Refined):
        (place / "refined.cif").write_text(refined.cif(), encoding="utf-8")
    typer.echo(f"{solution.answer.pattern.source}: wrote the first hit to {place}", err=True)


def _models(pattern: "Pattern", named: list[str], index: list[str]) -> "list[Model]":
    """Return the structures that were named, or what a search finds to match."""
    from search.refinement.run import SUFFIX, matching, model_of

    if named and all(text.lower().endswith(SUFFIX) for text in named):
        return [model_of(text, None) for text in named]
    engine = opened(index)
    if named:
        return [model_of(text, engine) for text in named]
    from search.options import Options
    from search.phases import PhaseJudge
    from search.verdict import Judge
    from search.workers import Searcher

    answer, verdict = Searcher(engine, Judge.open(engine), PhaseJudge(engine)).search(pattern, Options())
    models = matching(engine, answer, verdict)
    if not models:
        raise UserError(
            f"{pattern.source} has no match in {' and '.join(index)} ({verdict.headline}): name what to refine with "
            "--structure"
        )
    return models


def _check_out(path: Path | None) -> None:
    """Refuse a place that cannot be written to before time is spent."""
    if path is not None and not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into; make it, or name another")


def _write(refined: "Refined", cif: Path | None, csv: Path | None) -> None:
    from xtal.refinement.table import profile_csv

    for path, text in ((cif, refined.cif), (csv, lambda: profile_csv(refined.found))):
        if path is not None:
            path.write_text(text(), encoding="utf-8")
            typer.echo(f"wrote {path}", err=True)
