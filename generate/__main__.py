"""Command line: generate crystals for a pattern, and measure how well that works."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generate.commands.calibrating import calibrate
from generate.commands.indexing import benchmark_index, index
from generate.commands.knowledge import knowledge as known
from generate.commands.parts import parts
from generate.console import (
    Composition,
    Contents,
    Guests,
    Linkers,
    Metals,
    Seconds,
    Units,
    candidate_rows,
    candidate_table,
    knowledge,
)
from generate.limits import SEARCH_SECONDS
from xtal.console import AsJson, GpuWorkers, Scheduler, errors_reported, print_result, progress_bars, to_file, to_folder

if TYPE_CHECKING:
    from generate.benchmark import Choice, GenerationBenchmark
    from generate.request import Request


class Method(StrEnum):
    """Samplers."""

    ANCESTRAL = "ancestral"
    DETERMINISTIC = "deterministic"
    PREDICTOR_CORRECTOR = "predictor-corrector"


class Split(StrEnum):
    """Crystals held out from training, or all of a source."""

    VAL = "val"
    TEST = "test"
    ALL = "all"


class Given(StrEnum):
    """What is told with a pattern."""

    FORMULA = "formula"
    COMPOSITION = "composition"
    LINKERS = "linkers"
    BOTH = "both"


GIVEN = {
    "formula": "formula",
    "composition": "composition without Z",
    "linkers": "metals and linkers, no formula",
    "both": "formula, metals and linkers",
}

app = typer.Typer(help="Generate crystals for a powder pattern.", no_args_is_help=True, add_completion=False)
app.add_typer(parts, name="parts")
app.command("index")(index)
app.command("benchmark-index")(benchmark_index)
app.command("calibrate")(calibrate)
app.add_typer(known, name="knowledge")
Count = Annotated[int, typer.Option("-n", min=1, help="Candidates.")]
Steps = Annotated[int, typer.Option(min=1, max=1000, help="Of the sampler; more is better and slower.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same candidates on one machine.")]
Template = Annotated[str, typer.Option(help="auto: most of them from known crystals; none; or the id of an entry.")]
Sampler = Annotated[Method, typer.Option(help="predictor-corrector is the paper's; it needs 1000 steps.")]


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Pattern file.")],
    formula: Composition = "",
    contents: Contents = "",
    z: Units = 1,
    metal: Metals = None,
    linker: Linkers = None,
    guest: Guests = None,
    count: Count = 20,
    steps: Steps = 100,
    seed: Seed = 0,
    template: Template = "auto",
    method: Sampler = Method.ANCESTRAL,
    seconds: Seconds = SEARCH_SECONDS,
    index: Annotated[
        str, typer.Option(help="Known crystals; the default index is built if missing.")
    ] = "coremof2019-asr",
    wavelength: Annotated[str | None, typer.Option(help="CuKa, MoKa, ..., a number in Å, or '17.4 keV'.")] = None,
    out: Annotated[
        Path | None, typer.Option(callback=to_folder, help="Folder for the CIF files; made if missing.")
    ] = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Generate candidate crystals for a pattern, best first. They are proposals, not verified."""
    from generate.request import Request
    from generate.run import CODE, generate_for, write_candidates
    from indexer.crew import Nothing, elsewhere, hired
    from xtal.patterns import parse_wavelength
    from xtal.patterns.sample import Sample
    from xtal.readers import read_pattern

    with errors_reported():
        request = Request(
            count, steps, seed, method.value, template, seconds=seconds, **knowledge(metal, linker, guest)
        )
        sample = Sample.of(read_pattern(file, None if wavelength is None else parse_wavelength(wavelength)))
        with hired(elsewhere(scheduler), None, Nothing, CODE) as crew, progress_bars() as advance:
            held, units = (contents, z) if contents.strip() else (formula, None)
            result = generate_for(sample, held, units, request, index, advance, crew)
        files = write_candidates(result.candidates, out) if out else []
    for note in result.notes:
        typer.echo(note, err=True)
    summary = {
        "formulas": result.formulas,
        "notes": result.notes,
        "candidates": candidate_rows(result.candidates),
    }
    words = "\n".join(
        [candidate_table(result.candidates), *(f"wrote {len(files)} CIF files to {out}" for _ in files[:1])]
    )
    print_result(summary, words, as_json)


@app.command()
def benchmark(
    source: Annotated[str, typer.Option(help="Crystals, as for an index.")],
    split: Annotated[Split, typer.Option(help="Part to ask for; of all, none is known.")] = Split.TEST,
    gallery: Annotated[
        list[str] | None,
        typer.Option(
            help="Known crystals besides the training split: a source, or an index that is built; repeatable."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Queries.")] = 100,
    min_atoms: Annotated[int, typer.Option(min=1, max=400, help="Leave out crystals of fewer atoms per cell.")] = 1,
    max_atoms: Annotated[int, typer.Option(min=2, max=400, help="Leave out crystals of more atoms per cell.")] = 64,
    to: Annotated[float, typer.Option(min=10, max=150, help="Last 2θ of the patterns, degrees.")] = 30.0,
    severity: Annotated[float, typer.Option(min=0, max=3, help="Of the artefacts; the paper's patterns have 0.")] = 0.0,
    given: Annotated[
        Given, typer.Option(help="With each: what its cell holds, that without Z, its metals and linkers, or both.")
    ] = Given.FORMULA,
    count: Count = 20,
    steps: Steps = 100,
    seed: Seed = 0,
    template: Template = "auto",
    method: Sampler = Method.ANCESTRAL,
    seconds: Seconds = SEARCH_SECONDS,
    library: Annotated[
        Path | None, typer.Option(help="Parts, of 'parts build'; by default those of all crystals that are known.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Exported model; by default the one that comes with this.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Figure of match rates to write.")] = None,
    trajectory: Annotated[Path | None, typer.Option(help="Figure of one denoising to write.")] = None,
    record: Annotated[
        Path | None,
        typer.Option(callback=to_file, help="Evidence for each candidate to write, for 'generate calibrate'."),
    ] = None,
    scheduler: Scheduler = None,
    gpu_workers: GpuWorkers = False,
    as_json: AsJson = False,
) -> None:
    """Generate crystals for simulated patterns of held-out ones, and print how often they match."""
    from generate.benchmark import Choice
    from generate.request import Request
    from xtal.figure import check_figure

    with errors_reported():
        for figure in filter(None, (plot, trajectory)):
            check_figure(figure)
        request = Request(count, steps, seed, method.value, template, seconds=seconds)
        known = tuple(gallery or ())
        choice = Choice(source, split.value, limit, (min_atoms, max_atoms), severity, to, given.value, known, seed)
        result = _measured(choice, request, library, model, (scheduler, gpu_workers), record, plot, trajectory)
    print_result(asdict(result), _rates(result), as_json)


def _measured(
    choice: "Choice",
    request: "Request",
    library: Path | None,
    model: Path | None,
    cluster: tuple[str | None, bool],
    record: Path | None,
    plot: Path | None,
    trajectory: Path | None,
) -> "GenerationBenchmark":
    """Ask all questions, on a `cluster` by its scheduler and whether its workers have GPUs, and draw the figures."""
    import models
    from generate.benchmark import Asking, Sent, benchmark, draw, parts_of, plot_benchmark, plot_trajectory, stages
    from generate.engine import CandidateGenerator
    from generate.parts import Library
    from generate.run import CODE
    from indexer.crew import elsewhere, hired
    from models.ccsg.denoiser import Denoiser

    with progress_bars() as advance:
        where = elsewhere(*cluster)
        parts = Library.load(library) if library else None
        generator = CandidateGenerator(Denoiser(model), models.load())
        material = draw(choice, generator.embedder)
        asking = Asking(generator, material, parts or parts_of(material.gallery, advance), request)
        with hired(where, asking, lambda: Sent.of(asking, model), CODE) as crew:
            result = benchmark(crew, choice, advance, record)
        if plot:
            plot_benchmark(result, plot)
        if trajectory:
            plot_trajectory(stages(generator, material.questions[0], request), trajectory)
    return result


def _rates(result: "GenerationBenchmark") -> str:
    """Rates for people."""
    choice, request = result.choice, result.request
    known = ", ".join([*(["its training split"] if choice.split != "all" else []), *choice.gallery]) or "nothing"
    head = (
        f"{result.queries} crystals ({choice.split}) of {choice.source}, {choice.atoms[0]} to {choice.atoms[1]} atoms, "
        f"patterns to {choice.end:g}°, severity {choice.severity:g}, {GIVEN[choice.given]} given\n"
        f"known: {known} ({result.known} crystals; those of a question's own formula left out)\n"
        f"{request.method} sampler, {request.steps} steps, templates {request.template}; "
        f"{result.seconds:.1f} s per query, {result.memory:.0f} MB at most"
    )
    rows = [
        f"{c.way:28s} {c.tolerance:20s} {c.subset:18s} {c.queries:4d}  "
        + "  ".join(f"{c.percent[min(k, len(c.percent)) - 1]:5.1f}" for k in (1, 5, 10, 20))
        + "  "
        + "  ".join(f"{c.close[min(k, len(c.close)) - 1]:5.1f}" for k in (1, 10))
        + f"  {c.low:5.1f}-{c.high:5.1f}  {'    -' if c.rmse is None else f'{c.rmse:5.3f}'}"
        for c in result.curves
    ]
    columns = (
        f"{'way':28s} {'tolerance':20s} {'queries':18s}    n    top1   top5  top10  top20  "
        "rmse<0.2: 1, 10  95 % of last   rmse"
    )
    return "\n".join([head, columns, *rows])


if __name__ == "__main__":
    app()
