"""How often the search is right: simulated and measured patterns, calibration of the verdict, figures."""

from search.benchmark.benchmark import Benchmark, benchmark_measured, benchmark_simulated, plot_benchmark
from search.benchmark.calibrate import CalibrationReport
from search.benchmark.figures import write_figures, write_reliability
from search.benchmark.gallery import restricted, with_embedder

__all__ = [
    "Benchmark",
    "CalibrationReport",
    "benchmark_measured",
    "benchmark_simulated",
    "plot_benchmark",
    "restricted",
    "with_embedder",
    "write_figures",
    "write_reliability",
]
