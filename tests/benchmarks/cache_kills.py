"""Kill a process that stores solutions, count what is lost: python tests/benchmarks/cache_kills.py --kills 50."""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

LONGEST = 1.5  # seconds that a writer lives after its first acknowledged key
POINTS = 4251
FULL_EVERY = 10  # kills between two checks in which every solution is read, not only the latest ones
LATEST = 20
PER_SESSION = 20  # stores before the writer closes the file and opens it again, so that kills fall into that as well


def main() -> None:
    """Print how many acknowledged solutions there were, how many were lost, and how long the slowest opening took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how many writers to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of death")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = torture(Path(folder) / "cache.duckdb", arguments.kills, random.Random(arguments.seed))  # noqa: S311
    if arguments.json:
        print(json.dumps(result))
    else:
        print(", ".join(f"{name.replace('_', ' ')}: {value:.4g}" for name, value in result.items()))
    sys.exit(1 if result["lost"] else 0)


def torture(path: Path, kills: int, chance: random.Random) -> dict[str, float]:
    """Kill `kills` writers on one file; after each, look for every key that was ever acknowledged."""
    from search.cache import Cache

    acknowledged: list[str] = []
    lost, openings, replayed, aside = 0, [], 0, 0
    for run in range(kills):
        acknowledged += killed_writer(path, run, chance.uniform(0, LONGEST))
        replayed += path.with_name(f"{path.name}.wal").exists()
        begun = time.perf_counter()
        with Cache.open(path, limit=sys.maxsize) as cache:
            openings.append(time.perf_counter() - begun)
            aside += bool(cache.notice)
            checked = acknowledged if (run + 1) % FULL_EVERY == 0 or run == kills - 1 else acknowledged[-LATEST:]
            there = {entry.key for entry in cache.history(limit=sys.maxsize)}
            lost += len(set(acknowledged) - there) + sum(not readable(cache.find(key), key) for key in checked)
    return {
        "kills": kills,
        "acknowledged": len(acknowledged),
        "lost": lost,
        "moved_aside": aside,
        "openings_with_a_log": replayed,
        "slowest_opening": max(openings),
        "file_mb": path.stat().st_size / 1e6,
    }


def killed_writer(path: Path, run: int, seconds: float) -> list[str]:
    """Start a writer, kill it `seconds` after its first key, and return the keys it acknowledged."""
    context = multiprocessing.get_context("forkserver")  # its children start with all modules loaded
    context.set_forkserver_preload([__name__, "search.cache.cache"])
    receiver, sender = context.Pipe(duplex=False)
    writer = context.Process(target=write, args=(path, run, sender))
    writer.start()
    sender.close()  # else the pipe would never end
    keys = [receiver.recv()]
    time.sleep(seconds)
    writer.kill()
    writer.join()
    while (key := received(receiver)) is not None:
        keys.append(key)
    return keys


def received(receiver) -> str | None:
    """Return the next key, or None after the last; one that was cut short was not acknowledged."""
    try:
        return receiver.recv()
    except (EOFError, OSError):
        return None


def write(path: Path, run: int, sender) -> None:
    """Store solutions for ever and send the key of each once it is stored; numbers follow from the key."""
    from dataclasses import replace

    from search.cache import Cache, Origin

    solution = example()
    for session in count():
        with Cache.open(path, limit=sys.maxsize) as cache:
            for number in range(PER_SESSION):
                key = f"{run:08x}{session:08x}{number:08x}" + "0" * 40
                answer = replace(solution.answer, pattern=replace(solution.answer.pattern, intensity=intensity(key)))
                if not cache.store(replace(solution, key=key, answer=answer), {}, Origin("e", "d", "i", "b")):
                    raise RuntimeError(cache.notice)
                sender.send(key)


def example():
    """Return a solution of the usual size: ten hits and three candidates of a hundred atoms."""
    import numpy as np

    from generate.candidate import Candidate
    from search.answer import Answer, Hit, Timings
    from search.solution import Solution
    from search.verdict import Verdict
    from xtal.crystals import Crystal
    from xtal.patterns import Lines, Pattern

    random_ = np.random.default_rng(0)
    pattern = Pattern(np.linspace(3, 45.5, POINTS), intensity("0"), 1.5406, np.sqrt(intensity("0") + 1), "example.xye")
    lines = Lines(np.sort(random_.uniform(0.3, 3, 60)), random_.uniform(0.1, 1, 60), None, pattern.q_range)
    hits = tuple(
        Hit(rank, f"ID{rank}", f"name {rank}", "C8H4O5Zn", 0.9, 0.8, rank, 1, 100, 1.0, 0.0, 0.1, rank, (0.1,) * 9)
        for rank in range(1, 11)
    )
    crystal = Crystal(np.eye(3) * 20, random_.random((100, 3)), random_.integers(1, 30, 100), name="generated-1")
    candidates = tuple(
        Candidate(rank, crystal, 0.5, 0.5, 2.0, 0.7, 1.0, "noise", 7, rank, "d", 0.0, 0.1) for rank in range(1, 4)
    )
    return Solution(
        "0" * 64, Answer(pattern, lines, hits, Timings(0, 0, 0)), Verdict("miss", 0.1, ("why",)), candidates
    )


def intensity(key: str):
    """Return (4251,) counts that only this key has."""
    import numpy as np

    return np.random.default_rng(int(key, 16)).poisson(200, POINTS).astype(float)


def readable(solution, key: str) -> bool:
    """Tell whether a solution came back whole."""
    if solution is None or len(solution.answer.hits) != 10 or len(solution.candidates) != 3:
        return False
    return bool((solution.answer.pattern.intensity == intensity(key)).all())


if __name__ == "__main__":
    main()
