"""Command line of the curves that say how likely candidates are right."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtal.console import AsJson, errors_reported, print_result, to_file

if TYPE_CHECKING:
    from generate.judging.calibrate import Reliability


def calibrate(
    records: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Of 'generate benchmark --record FILE'.")],
    out: Annotated[
        Path, typer.Option(callback=to_file, help="File to write; the one in use lies in generate/judging/data.")
    ],
    sources: Annotated[str, typer.Option(help="What was asked, in words, to be kept with the curves.")] = "",
    as_json: AsJson = False,
) -> None:
    """Fit the chances that candidates are right to benchmarks, and print how far they can be trusted."""
    from generate.judging.calibrate import calibrate as fitted
    from generate.judging.evidence import Record

    with errors_reported():
        curves, found = fitted(Record.joined([Record.load(path) for path in records]), sources)
        curves.save(out)
    words = "\n".join([f"{curves.questions} questions, curves in {out}", *map(_table, found)])
    print_result({"curves": asdict(curves), "reliability": [asdict(each) for each in found]}, words, as_json)


def _table(found: "Reliability") -> str:
    """Reliability for people."""
    rows = [
        f"  chance {each.low:.0%} to {each.high:.0%}: {each.count:3d} first candidates, mean chance {each.chance:.0%}, "
        f"{each.right} right"
        for each in found.bins
    ]
    head = f"{found.name} (cross-validated): Brier score {found.brier:.3f}, of one chance for all {found.constant:.3f}"
    return "\n".join([head, *rows])
