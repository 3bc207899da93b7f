"""Command lines: the lattices and space groups that a pattern may have, and how often the right ones are found."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xtal.console import AsJson, errors_reported, print_result

if TYPE_CHECKING:
    from generate.benchmark.indexing import IndexingBenchmark
    from xtal.physics.indexing import GroupGuess, IndexedCell, Indexing

SHOWN = 5  # space groups of the first cell


def index(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Pattern file.")],
    volume: Annotated[
        tuple[float, float] | None, typer.Option(help="Least and most volume of the primitive cell, Å³.")
    ] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="Cells to print.")] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Of a core to search in, about; counted in passes.")] = 10.0,
    wavelength: Annotated[str | None, typer.Option(help="CuKa, MoKa, ..., a number in Å, or '17.4 keV'.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the unit cells that a pattern may have, and the space groups of the first."""
    from xtal.errors import UserError
    from xtal.patterns import parse_wavelength
    from xtal.patterns.sample import Sample
    from xtal.physics.indexing import indexing_of
    from xtal.readers import read_pattern

    with errors_reported():
        if volume is not None and not 0 < volume[0] < volume[1]:
            raise UserError(f"--volume needs a least and a greater most volume in Å³, got {volume[0]:g} {volume[1]:g}")
        sample = Sample.of(read_pattern(file, None if wavelength is None else parse_wavelength(wavelength)))
        found = indexing_of(sample, volume, seconds, count, SHOWN)
    result = {
        "ambiguous": found.ambiguous,
        "cells": [_cell_row(cell) for cell in found.cells],
        "space_groups": [_group_row(group) for group in found.groups],
    }
    print_result(result, _words(found), as_json)


def benchmark_index(
    source: Annotated[str, typer.Option(help="Crystals, as for an index.")],
    limit: Annotated[int, typer.Option(min=1, help="Held-out crystals.")] = 100,
    max_atoms: Annotated[int, typer.Option(min=2, help="Leave out crystals of more atoms per primitive cell.")] = 400,
    severity: Annotated[float, typer.Option(min=0, max=3, help="Of the artefacts.")] = 0.0,
    last: Annotated[float, typer.Option(min=10, max=150, help="Degrees 2θ to which patterns reach.")] = 30.0,
    with_volume: Annotated[bool, typer.Option(help="Tell the true volume within 20 %.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice and of the patterns.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Index simulated patterns of held-out crystals, and print how often the right cell and group are found."""
    from generate.benchmark.indexing import measure_indexing
    from xtal.console import progress_bars

    with errors_reported(), progress_bars() as advance:
        result = measure_indexing(source, limit, max_atoms, severity, last, with_volume, seed, advance)
    print_result(asdict(result), _rates(result), as_json)


def _cell_row(cell: "IndexedCell") -> dict[str, Any]:
    """Return a cell as JSON has it."""
    return {
        "system": cell.system,
        "centring": cell.centring,
        "cell": _parameters(cell.conventional),
        "primitive": _parameters(cell.lattice),
        "primitive_volume": round(cell.volume, 2),
        "zero_shift": round(cell.zero_shift, 4),
        f"M{cell.lines}": round(cell.merit, 1),
        "fit": round(cell.fit, 4),
        "probability": round(cell.probability, 3),
    }


def _parameters(lattice: Any) -> list[float]:
    from xtal.crystals import cell_parameters

    lengths, angles = cell_parameters(lattice)
    return [*(round(float(x), 4) for x in lengths), *(round(float(x), 3) for x in angles)]


def _group_row(group: "GroupGuess") -> dict[str, Any]:
    return {"number": group.number, "symbol": group.symbol, "ln_probability": round(group.ln_probability, 2)}


def _words(found: "Indexing") -> str:
    """Return cells and groups for people."""
    from math import exp

    if not found.cells:
        return "ambiguous: no cell explains the lines; give --volume, or measure over a wider range"
    names = "".join(f"{name:>9s}" for name in "abc") + "".join(f"{name:>8s}" for name in "αβγ")
    head = f"{'system':14s}  {names}  primitive V     M     fit  probability"
    rows = []
    for cell in found.cells:
        a, b, c, alpha, beta, gamma = _parameters(cell.conventional)
        rows.append(
            f"{cell.system:12s} {cell.centring}   {a:8.3f} {b:8.3f} {c:8.3f} {alpha:7.2f} {beta:7.2f} {gamma:7.2f}"
            f"  {cell.volume:11.1f} {cell.merit:5.1f}  {cell.fit:6.3f}  {cell.probability:11.2f}"
        )
    likely = ", ".join(f"{group.symbol} ({exp(group.ln_probability):.2f})" for group in found.groups)
    said = "ambiguous: several cells explain this pattern" if found.ambiguous else "the first cell is likely"
    return "\n".join([head, *rows, said, f"space groups of the first cell: {likely}"])


def _rates(result: "IndexingBenchmark") -> str:
    """Rates for people."""
    known = "volume known within 20 %" if result.with_volume else "volume unknown"
    head = (
        f"{result.queries} held-out crystals of {result.source}, severity {result.severity:g}, to {result.last:g}°, "
        f"{known}; CPU seconds median {result.seconds:.1f}, most {result.most_seconds:.1f}"
    )
    rows = [f"{'system':14s}   n  first  within five (%)"]
    rows += [f"{r.system:14s} {r.queries:3d}  {r.first:5.0f}  {r.five:5.0f}" for r in result.rates]
    rows += ["probability given   n  right (%)"]
    rows += [f"{low:4.2f} to {high:4.2f}    {n:5d}  {right:5.0f}" for low, high, n, right in result.calibration]
    rows += [
        f"space group, where the cell is right ({result.groups}): first {result.group_first:.0f}, "
        f"within five {result.group_five:.0f}, within ten {result.group_ten:.0f} %"
    ]
    return "\n".join([head, *rows])
