"""How often generated crystals match held-out ones, and the figures of it."""

from generate.benchmark.benchmark import GenerationBenchmark, benchmark, draw, stages
from generate.benchmark.figures import plot_benchmark, plot_trajectory

__all__ = ["GenerationBenchmark", "benchmark", "draw", "plot_benchmark", "plot_trajectory", "stages"]
