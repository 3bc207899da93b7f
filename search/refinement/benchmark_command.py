"""The command that measures refinement."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from search.console import Wavelength, opened, read_all
from search.refinement.commands import SECONDS
from xtal.console import AsJson, errors_reported, print_result, progress_bars
from xtal.errors import UserError


def benchmark_refinement(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Patterns and their CIFs, named alike; else simulated ones.")
    ] = None,
    index: Annotated[str, typer.Option(help="Index whose entries are simulated.")] = "coremof2019-asr",
    queries: Annotated[int, typer.Option(min=1, help="Refinements at most.")] = 20,
    severity: Annotated[float, typer.Option(min=0, max=3, help="Of simulated artefacts.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice, and of the artefacts.")] = 0,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Time limit of each.")] = SECONDS,
    wavelength: Wavelength = None,
    as_json: AsJson = False,
) -> None:
    """Refine right structures against their patterns: how often Rwp falls, how long it takes, and is the cell right."""
    import numpy as np

    from search.benchmark.refinement import measured_cases, pairs_of, simulated_cases, summary
    from xtal.readers import SUFFIXES
    from xtal.refinement import Choices

    with errors_reported():
        choices = Choices(seconds=seconds)
        if folder is None:
            engine = opened(index)
            with progress_bars() as advance:
                cases = simulated_cases(engine.index, queries, severity, seed, choices, advance)
        elif not folder.is_dir():
            raise UserError(f"there is no folder {folder} of measured patterns")
        else:
            files = sorted(f for f in folder.iterdir() if f.suffix.lower() in set(SUFFIXES) - {".cif"})
            chosen = np.sort(np.random.default_rng(seed).permutation(len(files))[:queries])
            files = [files[n] for n in chosen]
            patterns, refused = read_all(files, wavelength)
            if refused or not files:
                raise UserError(f"{folder} holds {len(files)} pattern files, {refused} of them unusable")
            pairs = pairs_of(folder, patterns, files)
            with progress_bars() as advance:
                cases = measured_cases(pairs, choices, advance)
    rows = [
        f"{c.name:28.28s} {c.sites:4d} sites  Rwp {c.before:.3f} -> {c.after:.3f}  GoF {c.gof:.2f}  {c.seconds:5.1f} s"
        + ("" if c.finished else "  not finished")
        + ("" if c.back is None else f"  cell {c.off:.1e}, {c.sigmas or 0:.1f} u")
        + (f"  {c.error}" if c.error else "")
        for c in cases
    ]
    print_result([asdict(case) for case in cases], "\n".join([*rows, *summary(cases)]), as_json)
