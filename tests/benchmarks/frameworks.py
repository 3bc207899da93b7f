"""How often a framework after the first is the right one: ``python tests/benchmarks/frameworks.py NAME``.

Patterns are simulated from entries of index NAME at three severities and searched twice: in the whole index, and
without the entry and everything that looks like it. Hits stand in rows as `search.frameworks` groups them.
"""

import argparse

import numpy as np

from search.engine import Engine
from search.frameworks import Describer, frameworks
from search.verdict import Verdict
from search.verdict.lookalikes import lookalikes
from xtal.physics.simulate import simulate_all

SEVERITIES = (0.5, 1.0, 2.0)
UNJUDGED = Verdict("miss", 0.5, ())


def main() -> None:
    """Count at which row the right framework stands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    parser.add_argument("--entries", type=int, default=110)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    engine, rng = Engine.open(given.index), np.random.default_rng(given.seed)
    describer = Describer(engine.index)
    rows = rng.choice(len(engine), given.entries, replace=False)
    family, group = lookalikes(engine.index, rows), engine.index.entries.group
    crystals = [engine.index.crystal(int(row)) for row in rows]
    nothing = [np.empty(0, np.int64)] * len(rows)
    places: list[int] = []  # of the right framework, 0 where it is not listed
    for severity in SEVERITIES:
        patterns = simulate_all(crystals, severity, int(100 * severity))
        for without in (nothing, family):
            for n, pattern in enumerate(patterns):
                answer = engine.query([pattern], without=[without[n]])[0]
                right = [
                    any(hit.row in family[n] or hit.group == group[rows[n]] for hit in row.hits)
                    for row in frameworks(answer, UNJUDGED, describer)
                ]
                places.append(right.index(True) + 1 if True in right else 0)
    first, later = places.count(1), sum(place > 1 for place in places)
    print(f"{len(places)} patterns: the first framework right for {first}, a later one for {later}, none for the rest")


if __name__ == "__main__":
    main()
