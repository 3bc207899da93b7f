"""Write docs/performance.md: python tests/benchmarks/performance > docs/performance.md.

Everything runs on one core and is timed by the processor's clock, ours and what it is compared with alternately, so
that a busy machine slows both alike. `--quick` takes few samples of everything, `--most` sets the largest gallery.
"""

import argparse
import os
import sys

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before numpy: one core is one

from report import Sizes, machine, today

QUICK = Sizes(simulated=6, queries=6, batch=8, most=20_000, crystals=2)
FULL = Sizes(simulated=60, queries=200, batch=100, most=1_000_000, crystals=4)

HEAD = """# What it costs

Written by one command, on {day}, {machine}, `{index}` ({entries:,} structures); nothing below was typed by hand:

    {command}

One core; milliseconds are of the processor's time unless said otherwise. A ratio is taken for each sample by itself;
given are its median and, in brackets, what lies between the quartiles of the samples.
"""


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", default="coremof2019-asr", help="index that is searched")
    parser.add_argument("--quick", action="store_true", help="few samples: does it run?")
    parser.add_argument("--most", type=int, help="largest gallery, of 10,000 times powers of ten")
    given = parser.parse_args()
    sizes = QUICK if given.quick else FULL
    if given.most is not None:
        sizes = sizes.up_to(given.most)

    import neighbours
    import networks
    import simulation
    import warm

    from search.workers import Searcher

    searcher = Searcher.open(given.index)
    index = searcher.engine.index
    command = " ".join(["python tests/benchmarks/performance", *sys.argv[1:], "> docs/performance.md"])
    head = HEAD.format(day=today(), machine=machine(), index=given.index, entries=len(index), command=command)
    print(head, flush=True)
    for part in (simulation.tables, warm.tables, neighbours.tables, networks.tables):
        for text in part(searcher, sizes):
            print(text, flush=True)


if __name__ == "__main__":
    main()
