"""How often a framework in another pore state is named, and one that the index does not hold; with the shipped curve.

python tests/benchmarks/misfits/pore_states.py coremof2019-asr --queries 40 --seed 3
"""

import argparse

from indexer.crew import Crew
from search.benchmark.states import rates_text, state_rates
from search.engine import Engine
from search.states.calibration import shipped_curve


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--seed", type=int, default=3)
    asked = parser.parse_args()
    engine = Engine.open(asked.index)
    curve = shipped_curve(engine.embedder)
    if curve is None:
        raise SystemExit("no curve comes with the embedder of this index")
    print(rates_text(curve.least, state_rates(Crew(engine), curve, asked.queries, asked.seed)))


if __name__ == "__main__":
    main()
