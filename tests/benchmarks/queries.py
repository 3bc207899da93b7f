"""Time searches: python tests/benchmarks/queries.py [INDEX], after "taskset -c 0" for one core."""

import sys
import time

BATCH = 1000
SINGLE = 20


def main(name: str = "coremof2019-asr") -> None:
    """Print the time of warm single queries and of one batch of patterns of severity 1."""
    import numpy as np

    from search.engine import Engine
    from xtal import settings
    from xtal.physics.simulate import simulate_all

    begun = time.perf_counter()
    engine = Engine.open(name)
    opened = time.perf_counter() - begun
    rows = np.random.default_rng(1).permutation(len(engine))[:BATCH]
    patterns = simulate_all([engine.index.crystal(int(row)) for row in rows], 1.0, 1)
    engine.query(patterns[:1])
    times = []
    for pattern in patterns[:SINGLE]:
        begun = time.perf_counter()
        engine.query([pattern])
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    engine.query(patterns)
    batch = time.perf_counter() - begun
    print(
        f"{name}: {len(engine)} entries, {settings.cores()} cores: opened in {opened:.2f} s, "
        f"warm query {1000 * np.median(times):.0f} ms (slowest of {SINGLE}: {1000 * max(times):.0f} ms), "
        f"batch of {BATCH} in {batch:.1f} s"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
