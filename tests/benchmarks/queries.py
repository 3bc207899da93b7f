"""Time warm searches and verdicts: python tests/benchmarks/queries.py [INDEX] [QUERIES]."""

import sys
import time

SEVERITY, SEED = 1.0, 1
LOOKED = 0.01  # s: less is the question whether to look


def main(name: str = "coremof2019-asr", queries: int = 200) -> None:
    """Print the processor's time that single queries of held-out entries take, and their verdicts."""
    import numpy as np

    from search.benchmark.gallery import held_out
    from search.verdict import Verdict
    from search.workers import Searcher
    from xtal.physics.simulate import simulate_all

    begun = time.perf_counter()
    engine, judge, phases = Searcher.open(name)
    opened = time.perf_counter() - begun
    rows = np.random.default_rng(SEED).permutation(held_out(engine.index))[:queries]
    patterns = simulate_all([engine.index.crystal(int(row)) for row in rows], SEVERITY, SEED)
    phases.examined(warm := engine.query(patterns[:1])[0], Verdict("miss", 0.1, ()))  # makes ready what is made once
    judge.verdict(warm)
    searching, judging, looking = [], [], []
    for pattern in patterns:
        begun = time.process_time()
        answer = engine.query([pattern])[0]
        found = time.process_time()
        verdict = judge.verdict(answer)
        judged = time.process_time()
        phases.examined(answer, verdict)
        searching.append(found - begun)
        judging.append(judged - found)
        looking.append(time.process_time() - judged)
    print(f"{name}: {len(engine)} entries, {queries} held-out, severity {SEVERITY:g}, opened in {opened:.2f} s")
    for what, seconds in (("search", searching), ("verdict", judging), ("further phases", looking)):
        median, high, most = 1000 * np.percentile(seconds, [50, 95, 100])
        print(f"{what}: {median:.0f} ms CPU (median), {high:.0f} (95th percentile), {most:.0f} (most)")
    print(f"further phases were looked for in {np.mean(np.array(looking) > LOOKED):.0%} of them")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
