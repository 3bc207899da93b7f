"""The cost of an arrangement of parts and its gradient, compiled: this is where a search spends its time."""

from pathlib import Path

from generate.solving.cost.arrays import POSE, Arrays
from generate.solving.cost.descent import descend_all
from generate.solving.cost.evaluate import evaluate
from generate.solving.cost.misfit import by_intensity, misfit
from xtal.compiled import forget_older

__all__ = ["POSE", "Arrays", "by_intensity", "descend_all", "evaluate", "misfit"]

forget_older(Path(__file__).parent)
