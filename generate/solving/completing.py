"""Molecules and ions beside the metals and linkers of an arrangement: where they may stand, and what moves then."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.random import Generator

from generate.solving.assign import Assignment, Need, assignments
from generate.solving.cost import POSE
from generate.solving.problem import Problem
from generate.solving.search import BATCH, Found, Poses, Search, place_anew

PARENTS, WAYS = 3, 2  # arrangements that are completed, and ways to share out the others among the sites


@dataclass(frozen=True, eq=False)
class Rest:
    """What a cell may hold beside metals and linkers: the parts, ln of its probability, and words for all contents."""

    needs: tuple[Need, ...]
    ln_probability: float
    words: str


def completed(found: Sequence[Found], rest: Rest, rng: Generator) -> Search | None:
    """Return a search that begins with the best arrangements and the rest anywhere; None where it has no sites."""
    starts = list[Poses]()
    ways = list(islice(assignments(found[0].problem.setting, rest.needs), WAYS))
    for parent, way in product(found[:PARENTS], ways):
        starts.append(_with_rest(parent, way, rng))
    return Search.begun(starts, rng) if starts else None


def _with_rest(parent: Found, way: Assignment, rng: Generator) -> Poses:
    """Leave the parts of an arrangement where they are, and put those of the rest anywhere."""
    core = parent.problem
    problem = Problem.of(
        core.setting, [*core.placed, *(stand.placed(rng) for stand in way.stands)], core.roots, core.chemistry
    )
    many, own = len(problem.placed), len(core.placed)
    pose, shapes = np.empty((BATCH, many, POSE)), np.empty((BATCH, many), np.int64)
    pose[:, :own] = parent.pose.reshape(own, POSE)
    for o, row in enumerate(parent.shapes.tolist()):
        shapes[:, o] = problem.at[o][core.at[o].tolist().index(row)]
    for o in range(own, many):
        place_anew(problem, pose[:, o], shapes[:, o], o, rng)
    return problem, pose.reshape(BATCH, -1), shapes
