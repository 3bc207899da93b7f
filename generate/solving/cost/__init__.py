"""The cost of an arrangement of parts and its gradient, compiled: this is where a search spends its time."""

from generate.solving.cost.arrays import POSE, Arrays
from generate.solving.cost.descent import descend_all
from generate.solving.cost.evaluate import evaluate

__all__ = ["POSE", "Arrays", "descend_all", "evaluate"]
