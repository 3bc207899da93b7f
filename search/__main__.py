"""Command line: identify patterns, simulate them, and measure how well that works."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.commands.calibrating import calibrate
from search.commands.kept import export, forget, history
from search.commands.query import query
from search.commands.solve import solve
from search.commands.watch import watch
from search.console import DEFAULT_INDEXES, IndexNames, Wavelength, crew_for, opened, read_all
from search.refinement.benchmark_command import benchmark_refinement
from search.refinement.commands import refine
from xtal.console import AsJson, GpuWorkers, Scheduler, errors_reported, print_result, progress_bars, to_file, to_folder
from xtal.errors import UserError

if TYPE_CHECKING:
    from indexer.crew import Elsewhere
    from search.benchmark import Benchmark
    from xtal.patterns import Pattern


class Gallery(StrEnum):
    """Which entries a benchmark searches."""

    ALL = "all"
    HELD_OUT = "held-out"


class Breakdown(StrEnum):
    """Subsets of the queries that a benchmark can report on their own."""

    ATOMS = "atoms"
    METAL = "metal"


app = typer.Typer(
    help="Find the crystal structure behind a powder diffraction pattern.", no_args_is_help=True, add_completion=False
)
for _command in (query, solve, watch, refine, calibrate, history, export, forget):
    app.command()(_command)
app.command()(benchmark_refinement)


@app.command()
def simulate(
    entry: Annotated[str, typer.Argument(metavar="ID", help="Entry of the index.")],
    out: Annotated[
        Path, typer.Argument(metavar="OUT.xye", callback=to_file, help="File to write: 2θ, counts, uncertainty.")
    ],
    index: IndexNames = DEFAULT_INDEXES,
    severity: Annotated[float, typer.Option(min=0, max=3, help="0 ideal sample, 1 ordinary, 2 bad.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pattern.")] = 0,
    beside: Annotated[str, typer.Option(metavar="ID", help="Another entry that the sample holds too.")] = "",
    share: Annotated[float, typer.Option(min=0.01, max=0.99, help="Of the intensity, the other entry's.")] = 0.3,
) -> None:
    """Write the pattern that a laboratory would measure of an entry (Cu Kα, 3 to 30°), or of two (to 50°)."""
    import numpy as np

    from xtal.patterns import write_xye
    from xtal.physics.simulate import WIDE_SCAN, simulate_mixture
    from xtal.physics.simulate import simulate as measured

    with errors_reported():
        engine, rng, said = opened(index), np.random.default_rng(seed), f"severity {severity:g}, seed {seed}"
        if beside:
            crystals = [engine.crystal(entry), engine.crystal(beside)]
            pattern = simulate_mixture(crystals, (1 - share, share), severity, rng, WIDE_SCAN)
            said = f"with {share:.0%} of the intensity from {beside}, {said}"
        else:
            pattern = measured(engine.crystal(entry), severity, rng)
        write_xye(pattern, out, f"simulated from {entry} of {', '.join(index)}, {said}")
    typer.echo(f"wrote {out}: {len(pattern)} points")


@app.command()
def benchmark(
    index: Annotated[str, typer.Argument(metavar="NAME", help="Index to search; the default one is built if missing.")],
    queries: Annotated[int | None, typer.Option(min=1, help="Simulated patterns, 1500; pairs of phases, 100.")] = None,
    severity: Annotated[
        list[float] | None, typer.Option(min=0, max=3, help="Repeat for several; all by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of entries and of the artefacts.")] = 0,
    held_out: Annotated[bool, typer.Option("--held-out", help="Ask only for formulas no model saw.")] = False,
    gallery: Annotated[Gallery, typer.Option(help="Search all entries, or only held-out ones.")] = Gallery.ALL,
    max_atoms: Annotated[int | None, typer.Option(min=1, help="Search only cells of at most so many atoms.")] = None,
    embedder: Annotated[list[str] | None, typer.Option(help="Compare fingerprints; the index's by default.")] = None,
    by: Annotated[list[Breakdown] | None, typer.Option(help="Further rows by atoms per cell or by metal.")] = None,
    measured: Annotated[Path | None, typer.Option(help="Folder of pattern files named after their entries.")] = None,
    wavelength: Wavelength = None,
    mixtures: Annotated[bool, typer.Option("--mixtures", help="Mixtures; with --measured, sums.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Figure to write; by default NAME-benchmark.png.")] = None,
    scheduler: Scheduler = None,
    gpu_workers: GpuWorkers = False,
    as_json: AsJson = False,
) -> None:
    """Search for patterns of known entries, simulated or measured, and print how often the right one is found."""
    import models
    from indexer.crew import elsewhere
    from search.benchmark import benchmark_measured, benchmark_simulated, plot_benchmark, restricted, with_embedder
    from search.benchmark.gallery import searchers
    from xtal.figure import check_figure
    from xtal.physics import SEVERITIES

    with errors_reported():
        where = elsewhere(scheduler, gpu_workers)
        if mixtures:
            _mixtures(index, queries or 100, seed, measured, wavelength, where, as_json)
            return
        figure = check_figure(plot or Path(f"{index}-benchmark.png"))
        chosen = (gallery is Gallery.HELD_OUT, max_atoms)
        engine = restricted(opened(index), *chosen)
        patterns, names = ([], []) if measured is None else _measured(measured, wavelength)
        kinds, results = [kind.value for kind in by or []], []
        for name in embedder or [engine.embedder.name]:
            with searchers(index, where, with_embedder(engine, models.load(name)), *chosen) as crew:
                if measured is None:
                    results += [
                        benchmark_simulated(crew, queries or 1500, level, seed, held_out, kinds)
                        for level in severity or SEVERITIES
                    ]
                else:
                    results.append(benchmark_measured(crew, patterns, names))
        plot_benchmark(results, figure)
    print_result([asdict(r) for r in results], "\n".join([*map(_rates_text, results), f"figure: {figure}"]), as_json)


def _measured(folder: Path, wavelength: str | None) -> tuple[list["Pattern"], list[str]]:
    """Read a folder of patterns that are named after their entries."""
    from xtal.readers import SUFFIXES

    if not folder.is_dir():
        raise UserError(f"there is no folder {folder} of measured patterns")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in set(SUFFIXES) - {".cif"})
    patterns, refused = read_all(files, wavelength)
    if refused or not files:
        raise UserError(f"{folder} holds {len(files)} pattern files, {refused} of them unusable")
    return patterns, [f.stem for f in files]


def _mixtures(
    index: str,
    pairs: int,
    seed: int,
    folder: Path | None,
    wavelength: str | None,
    where: "Elsewhere | None",
    as_json: bool,
) -> None:
    """Print how often the phases of mixtures are named: simulated ones, or sums of measured patterns."""
    from search.benchmark.mixture_rates import measured_mixtures, outcomes, rates, simulated_mixtures
    from search.cluster import searchers

    engine = opened(index)
    if folder is None:
        mixtures = simulated_mixtures(engine, pairs, seed)
    else:
        mixtures = measured_mixtures(engine, *_measured(folder, wavelength), pairs, seed)
    with searchers(index, where, engine) as crew, progress_bars() as advance:
        found = rates(outcomes(crew, mixtures, lambda n: advance("searching", n, None)))
    rows = [
        f"{'kind':30s} share    n  first phase matched  all named  95 %          comes first  false one  near in weight"
    ]
    rows += [
        f"{r.kind:30s}  {r.fraction:4.2f}  {r.count:3d}  {r.matched:19.1f}  {r.named:9.1f}  {r.low:5.1f}-{r.high:5.1f}"
        f"  {r.first:11.1f}  {r.false:9.1f}  {r.near:14.1f}"
        for r in found
    ]
    print_result([asdict(r) for r in found], "\n".join(rows), as_json)


@app.command()
def robustness(
    index: Annotated[str, typer.Argument(metavar="NAME", help="Index to search; the default one is built if missing.")],
    queries: Annotated[int, typer.Option(min=1, help="Samples, of formulas that no model saw.")] = 100,
    severity: Annotated[float, typer.Option(min=0, max=3, help="Of the artefacts.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of entries and of the artefacts.")] = 0,
    scheduler: Scheduler = None,
    gpu_workers: GpuWorkers = False,
    as_json: AsJson = False,
) -> None:
    """Search for the same samples after all that programs do to files, and at other wavelengths."""
    from search.benchmark.robustness import robustness as compared
    from search.verdict import Judge

    with errors_reported(), crew_for(index, scheduler, gpu_workers) as crew, progress_bars() as advance:
        results = compared(crew, Judge.open(crew.base), queries, severity, seed, advance)
    rows = [f"{'treatment':34s}    n  first  95 %          3     10  match"]
    for r in results:
        first, *deeper = (f"{percent:5.1f}" for percent in r.found)
        match = "    -" if r.match is None else f"{r.match:5.1f}"
        rows.append(
            f"{r.treatment:34s} {r.queries:4d}  {first}  {r.low:5.1f}-{r.high:5.1f}  {'  '.join(deeper)}  {match}"
        )
    print_result([asdict(r) for r in results], "\n".join(rows), as_json)


@app.command()
def figures(
    index: Annotated[str, typer.Argument(metavar="NAME", help="Index to draw; the default one is built if missing.")],
    embedder: Annotated[str | None, typer.Option(help="Fingerprints to look at; the index's by default.")] = None,
    out: Annotated[Path, typer.Option(callback=to_folder, help="Folder for the figures; made when missing.")] = Path(
        "docs/figures"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of entries, of the artefacts and of t-SNE.")] = 0,
    queries: Annotated[int, typer.Option(min=50, help="Simulated patterns on the t-SNE map.")] = 500,
) -> None:
    """Draw a t-SNE map of patterns, a heat map of pattern against crystal, and the best four hits of one pattern."""
    import models
    from search.benchmark import with_embedder, write_figures

    with errors_reported():
        engine = opened(index)
        chosen = engine if embedder is None else with_embedder(engine, models.load(embedder))
        files = write_figures(chosen, out, queries, seed)
    typer.echo("\n".join(f"wrote {file}" for file in files))


def _rates_text(result: "Benchmark") -> str:
    """Return one benchmark as a table."""
    depths = [f"{f'hit@{r.at} (%)':>22}" for r in result.rows[0].rates]
    rows = [
        f"{result.index}: {result.queries} queries ({result.patterns}) against {result.entries} entries, "
        f"embedder {result.embedder}",
        " ".join([f"{'order by':<12} {'counted by':<10} {'queries':<22}", *depths]),
    ]
    for row in result.rows:
        cells = (f"{r.percent:.1f} [{r.low:.1f}, {r.high:.1f}]" for r in row.rates)
        asked = f"{row.queries} {row.subset}"
        rows.append(f"{row.ordering:<12} {row.target:<10} {asked:<22} " + " ".join(f"{c:>22}" for c in cells))
    rows.append(", ".join(f"{name}: {ms:.1f} ms per query" for name, ms in result.milliseconds.items()))
    return "\n".join(rows)


if __name__ == "__main__":
    app()
