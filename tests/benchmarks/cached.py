"""Time answers that the cache holds: python tests/benchmarks/cached.py [INDEX]."""

import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "search" / "examples"
REPEATS = 20  # of each example


def main(name: str = "coremof2019-asr") -> None:
    """Print the time of a question that was asked before, from the pattern in memory to the whole solution."""
    import numpy as np

    from search.cache import Cache
    from search.engine import Engine
    from search.solve import Solver
    from search.verdict import Judge
    from xtal.readers import read_pattern

    patterns = [read_pattern(path) for path in sorted(EXAMPLES.glob("*.xye"))]
    times = []
    engine = Engine.open(name)
    with tempfile.TemporaryDirectory() as folder, Cache.open(Path(folder) / "cache.duckdb") as cache:
        solver = Solver(engine, Judge.open(engine), cache)
        for pattern in patterns:
            solver.solve(pattern)
        for pattern in patterns * REPEATS:
            begun = time.perf_counter()
            if not solver.solve(pattern).cached:
                sys.exit("an answer was not taken from the cache")
            times.append(1000 * (time.perf_counter() - begun))
    low, median, high = np.quantile(times, [0, 0.5, 1])
    print(f"{len(times)} cached answers: median {median:.1f} ms, {low:.1f} to {high:.1f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
