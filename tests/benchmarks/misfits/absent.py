"""What is said of scans that the index holds nothing for: ``python tests/benchmarks/misfits/absent.py NAME FILE...``.

Every answer but a miss is wrong. With ``--phases`` the whole verdict is looked at, mixtures and other pore states too.
"""

import argparse
from collections import Counter
from pathlib import Path

from search.benchmark.mixture_rates import wilson
from search.engine import Engine
from search.phases import PhaseJudge
from search.verdict import Judge
from search.verdict.calibration import LEAST_ACCOUNTED
from search.verdict.evidence import Evidence
from xtal.patterns import parse_wavelength
from xtal.readers import read_pattern


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("index")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--wavelength", default="CuKa1")
    parser.add_argument("--phases", action="store_true")
    chosen = parser.parse_args()
    engine = Engine.open(chosen.index)
    judge, phases = Judge.open(engine), PhaseJudge(engine)
    kinds: Counter[str] = Counter()
    empty = 0
    for file in chosen.files:
        (answer,) = engine.query([read_pattern(file, parse_wavelength(chosen.wavelength))])
        verdict = judge.verdict(answer)
        evidence = Evidence.of(answer, engine.index)
        empty += evidence is not None and evidence.scrutiny.accounted < LEAST_ACCOUNTED
        if chosen.phases:
            verdict = phases.examined(answer, verdict)
        kinds[verdict.kind] += 1
        if verdict.kind != "miss":
            named = [phase.hit.id for phase in verdict.phases] or [answer.hits[0].id]
            print(f"{file.name}: {verdict.kind}, {verdict.probability:.2f}, {' and '.join(named)}", flush=True)
    count = len(chosen.files)
    low, high = wilson(count - kinds["miss"], count)
    print(f"{count} scans, {dict(kinds)}; not a miss {100 - 100 * kinds['miss'] / count:.1f} % [{low:.1f}, {high:.1f}]")
    print(f"{empty} of them account for next to nothing")


if __name__ == "__main__":
    main()
