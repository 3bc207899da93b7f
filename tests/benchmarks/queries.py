"""Time warm searches and verdicts: python tests/benchmarks/queries.py [INDEX] [QUERIES]."""

import sys
import time

SEVERITY, SEED = 1.0, 1


def main(name: str = "coremof2019-asr", queries: int = 200) -> None:
    """Print the processor's time that single queries of held-out entries take, and their verdicts."""
    import numpy as np

    from search.benchmark.gallery import held_out
    from search.workers import Searcher
    from xtal.physics.simulate import simulate_all

    begun = time.perf_counter()
    engine, judge = Searcher.open(name)
    opened = time.perf_counter() - begun
    rows = np.random.default_rng(SEED).permutation(held_out(engine.index))[:queries]
    patterns = simulate_all([engine.index.crystal(int(row)) for row in rows], SEVERITY, SEED)
    judge.verdict(engine.query(patterns[:1])[0])  # warms up
    searching, judging = [], []
    for pattern in patterns:
        begun = time.process_time()
        answer = engine.query([pattern])[0]
        found = time.process_time()
        judge.verdict(answer)
        searching.append(found - begun)
        judging.append(time.process_time() - found)
    print(f"{name}: {len(engine)} entries, {queries} held-out, severity {SEVERITY:g}, opened in {opened:.2f} s")
    for what, seconds in (("search", searching), ("verdict", judging)):
        median, high, most = 1000 * np.percentile(seconds, [50, 95, 100])
        print(f"{what}: {median:.0f} ms CPU (median), {high:.0f} (95th percentile), {most:.0f} (most)")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
