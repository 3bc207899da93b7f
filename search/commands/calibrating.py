"""``calibrate``: the verdict fitted to an index."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.console import crew_for
from xtal.console import AsJson, GpuWorkers, Scheduler, errors_reported, print_result, progress_bars, to_file

if TYPE_CHECKING:
    from search.benchmark import CalibrationReport
    from search.benchmark.calibrate import Rates


def calibrate(
    index: Annotated[str, typer.Argument(metavar="NAME", help="Index whose answers are to be judged.")],
    queries: Annotated[int, typer.Option(min=40, help="Entries asked for, at four severities each.")] = 1200,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of entries and of the artefacts.")] = 0,
    out: Annotated[
        Path | None, typer.Option(callback=to_file, help="File to write; by default beside the index.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Reliability diagram to write.")] = None,
    phases: Annotated[bool, typer.Option("--phases", help="Fit the probability of each phase of a mixture.")] = False,
    states: Annotated[bool, typer.Option("--states", help="Fit the probability of another pore state.")] = False,
    scheduler: Scheduler = None,
    gpu_workers: GpuWorkers = False,
    as_json: AsJson = False,
) -> None:
    """Fit the probability of a match to an index, with patterns of entries it holds and of entries removed."""
    from search.benchmark import write_reliability
    from search.benchmark.calibrate import calibrate as fitted
    from search.benchmark.calibrate_phases import calibrate_phases
    from search.benchmark.states import calibrate_states, rates_text
    from xtal.figure import check_figure

    with errors_reported():
        if plot is not None:
            check_figure(plot)
        with crew_for(index, scheduler, gpu_workers) as crew, progress_bars() as advance:
            if phases:
                curve = calibrate_phases(crew, queries // 4, queries, seed, out, advance)
                data, words = asdict(curve), f"phases are named from a probability of {curve.least_together:.2f} on"
            elif states:
                of_states, rates = calibrate_states(crew, queries, seed, out, advance)
                data = {"curve": asdict(of_states), "rates": [asdict(one) for one in rates]}
                words = rates_text(of_states.least, rates)
            else:
                report = fitted(crew, queries, seed, path=out, progress=advance)
                data, words = asdict(report), _report_text(report)
        if plot is not None and not phases and not states:
            write_reliability(report, plot)
    print_result(data, words, as_json)


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
