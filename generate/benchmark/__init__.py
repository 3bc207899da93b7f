"""How often generated crystals match held-out ones, and the figures of it."""

from generate.benchmark.asking import Asking, Sent
from generate.benchmark.benchmark import GenerationBenchmark, benchmark, parts_of, stages
from generate.benchmark.figures import plot_benchmark, plot_trajectory
from generate.benchmark.questions import Choice, draw

__all__ = [
    "Asking",
    "Choice",
    "GenerationBenchmark",
    "Sent",
    "benchmark",
    "draw",
    "parts_of",
    "plot_benchmark",
    "plot_trajectory",
    "stages",
]
