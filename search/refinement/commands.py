"""The command that refines, and what `solve --refine` adds to an answer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.console import IndexName, Wavelength, opened, read_all
from xtal.console import USAGE, AsJson, errors_reported, print_result
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
    index: IndexName = "coremof2019-asr",
    wavelength: Wavelength = None,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Time limit.")] = SECONDS,
    mode: Annotated[Mode, typer.Option(help="Intensities: of the structure, or free.")] = Mode.RIETVELD,
    program: Annotated[Program, typer.Option(help="rietx, or gsas where GSAS-II is installed.")] = Program.RIETX,
    texture: Annotated[bool, typer.Option(help="Try preferred orientation.")] = True,
    coordinates: Annotated[bool, typer.Option(help="Let atoms move where the data allow it.")] = True,
    cif: Annotated[Path | None, typer.Option(help="File for the refined structure with its profile.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File for the profile as columns.")] = None,
    as_json: AsJson = False,
) -> None:
    """Refine structures against a pattern: cell with uncertainties, Rwp, weight shares, texture.

    Without --structure the pattern is searched for, and the first hit is refined if it is a match.
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


def refine_hit(engine: "Engine", index: str, solution: "Solution") -> "Refined | str":
    """Refine the first hit of an answer that is a match; return the reason where it is none, or cannot be refined."""
    from search.refinement.run import model_of_entry, refine_models

    if solution.verdict.kind == "miss" or not solution.answer.hits:
        return "nothing was refined: there is no match"
    model = model_of_entry(engine, solution.answer.hits[0].id, index)
    try:
        return refine_models(solution.answer.pattern, [model])
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


def write_hit(
    engine: "Engine", index: str, solution: "Solution", folder: Path, refined: "Refined | str | None"
) -> None:
    """Write the first hit of a match, and what was refined of it, beside the generated crystals of an answer."""
    from search.refinement.hit_cif import hit_cif
    from search.refinement.run import Refined

    if solution.verdict.kind == "miss" or not solution.answer.hits:
        return
    hit, place = solution.answer.hits[0], folder / solution.key[:8]
    place.mkdir(parents=True, exist_ok=True)
    text = hit_cif(engine.crystal(hit.id), hit, index, solution.answer.pattern.source)
    (place / "hit.cif").write_text(text, encoding="utf-8")
    if isinstance(refined, Refined):
        (place / "refined.cif").write_text(refined.cif(), encoding="utf-8")
    typer.echo(f"{solution.answer.pattern.source}: wrote the first hit to {place}", err=True)


def _models(pattern: "Pattern", named: list[str], index: str) -> "list[Model]":
    """Return the structures that were named, or the first hit of a search that ends in a match."""
    from search.refinement.run import SUFFIX, model_of, model_of_entry

    if named and all(text.lower().endswith(SUFFIX) for text in named):
        return [model_of(text, None, index) for text in named]
    engine = opened(index)
    if named:
        return [model_of(text, engine, index) for text in named]
    from search.verdict import Judge

    answer = engine.query([pattern], 10)[0]
    verdict = Judge.open(engine).verdict(answer)
    if verdict.kind == "miss" or not answer.hits:
        raise UserError(
            f"{pattern.source} has no match in {index} ({verdict.headline}): name what to refine with --structure"
        )
    return [model_of_entry(engine, answer.hits[0].id, index)]


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
