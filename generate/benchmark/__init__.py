"""How often generated crystals match held-out ones, and the figures of it."""

from generate.benchmark.benchmark import GenerationBenchmark, benchmark, stages
from generate.benchmark.figures import plot_benchmark, plot_trajectory
from generate.benchmark.questions import Choice, draw

__all__ = ["Choice", "GenerationBenchmark", "benchmark", "draw", "plot_benchmark", "plot_trajectory", "stages"]
