"""The search for one way to fill a cell: many starts, the best kicked out of their places again and again.

It can be left and taken up again, so that many ways share the time (`generate.solving.solver`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.solving.cost import POSE, descend_all, evaluate
from generate.solving.problem import Problem
from xtal.interrupt import look_up

PATTERN = 30.0  # λ: what a wholly wrong pattern costs, in costs of chemistry per piece
BATCH = 24  # poses descended together
FIRST_STEPS, STEPS, LAST_STEPS = 25, 60, 300  # evaluations
SIEVED = 3  # one in so many goes on after the first steps
TOLERANCE = 2e-3
STARTS = 96  # random ones before any is kicked
FRESH = 0.25  # share of batches that are random starts later on
KEPT = 8  # poses that are kicked
SAME, ALIKE = 0.02, 0.04  # of the cost, and absolute: arrangements as near count as one
ANEW, TURNED = 0.5, 0.3  # share of kicks that place one part anew, or only turn it; the others place two anew


@dataclass(frozen=True, eq=False)
class Found:
    """An arrangement.

    Attributes:
        problem: that it solves.
        pose: (O * 7,) see `generate.solving.cost`.
        shapes: (O,) row of the shapes at which each part's conformer begins.
        cost: with its terms (4,): pattern, bonds, coordination, contacts.
    """

    problem: Problem
    pose: NDArray[np.float64]
    shapes: NDArray[np.int64]
    cost: float
    terms: NDArray[np.float64] = field(default_factory=lambda: np.zeros(4))


Poses = tuple[Problem, NDArray[np.float64], NDArray[np.int64]]
"""A problem, poses (B, O * 7) for it, and the rows (B, O) of their shapes."""


class Search:
    """Parts on sites, with all orientations that the sites allow: `problems` differ in these alone."""

    def __init__(self, problems: list[Problem], rng: Generator, weight: float = PATTERN) -> None:
        self.problems, self.rng, self.weight = problems, rng, weight
        self.pool: list[Found] = []
        self.pending: list[Poses] = []
        self.tried = 0
        self.spent = 0.0

    @classmethod
    def seeded(cls, problem: Problem, pose: NDArray[np.float64], rng: Generator, weight: float = PATTERN) -> Self:
        """Begin with one pose (O * 7,) of the first conformers, not with random ones."""
        search = cls([problem], rng, weight)
        shapes = np.array([rows[0] for rows in problem.at])
        poses = pose[None].copy()
        cost = search._descended(problem, poses, shapes[None], STEPS)
        search.pool, search.tried = [Found(problem, poses[0], shapes, float(cost[0]))], STARTS
        return search

    @classmethod
    def begun(cls, starts: Sequence[Poses], rng: Generator, weight: float = PATTERN) -> Self:
        """Begin with poses from which the search descends before it does anything else."""
        search = cls([problem for problem, *_ in starts], rng, weight)
        search.pending, search.tried = list(starts), STARTS
        return search

    @property
    def cost(self) -> float:
        """The least cost so far."""
        return self.pool[0].cost if self.pool else np.inf

    def run(self, until: float) -> None:
        """Go on until `spent` is so many seconds of a usual core; counted by what is done: a seed repeats a run."""
        while self.spent < until:
            look_up()
            if self.pending:
                self._sieve(*self.pending.pop(0))
            elif self.tried < STARTS or self.rng.random() < FRESH:
                self._start()
            else:
                self._kick()

    def polished(self, most: int = KEPT) -> list[Found]:
        """Return the best arrangements, descended to the end with their hydrogens, with the terms of their cost."""
        return sorted((self._polished(found) for found in self.pool[:most]), key=lambda f: f.cost)

    def _polished(self, found: Found) -> Found:
        """Descend to the end, then with hydrogens, which the search does not see."""
        look_up()
        problem, pose = found.problem.whole(), found.pose[None].copy()
        self._descended(found.problem, pose, found.shapes[None], LAST_STEPS)
        chosen = [rows.tolist().index(row) for rows, row in zip(found.problem.at, found.shapes.tolist(), strict=True)]
        shapes = np.array([[rows[row] for rows, row in zip(problem.at, chosen, strict=True)]])
        cost, terms = self._descended(problem, pose, shapes, LAST_STEPS), np.zeros(4)
        slope = np.empty(pose.shape[1])
        evaluate(problem.arrays, pose[0], problem.shapes, shapes[0], self.weight, slope, terms)
        return Found(problem, pose[0], shapes[0], float(cost[0]), terms)

    def _start(self) -> None:
        """Begin with a batch of random poses; a third of them goes on."""
        problem = self.problems[self.rng.integers(len(self.problems))]
        pose = np.empty((BATCH, len(problem.placed), POSE))
        shapes = np.empty((BATCH, len(problem.placed)), np.int64)
        for o in range(len(problem.placed)):
            place_anew(problem, pose[:, o], shapes[:, o], o, self.rng)
        self._sieve(problem, pose.reshape(BATCH, -1), shapes)

    def _kick(self) -> None:
        """Move parts of one arrangement out of their places, in many ways."""
        parent = self.pool[self.rng.integers(len(self.pool))]
        problem, parts = parent.problem, len(parent.problem.placed)
        pose = np.tile(parent.pose, (BATCH, 1)).reshape(BATCH, parts, POSE)
        shapes = np.tile(parent.shapes, (BATCH, 1))
        for b in range(BATCH):
            how = self.rng.random()
            many = 1 if how < ANEW + TURNED else min(2, parts)
            for o in self.rng.permutation(parts)[:many]:
                place = pose[b, o, :3].copy()
                place_anew(problem, pose[b : b + 1, o], shapes[b : b + 1, o], o, self.rng)
                if ANEW <= how < ANEW + TURNED:
                    pose[b, o, :3] = place
        self._sieve(problem, pose.reshape(BATCH, -1), shapes)

    def _sieve(self, problem: Problem, pose: NDArray[np.float64], shapes: NDArray[np.int64]) -> None:
        """Descend a little, and farther from the best third."""
        self.tried += len(pose)
        best = np.argsort(self._descended(problem, pose, shapes, FIRST_STEPS))[: len(pose) // SIEVED]
        pose, shapes = pose[best].copy(), shapes[best].copy()
        self._keep(problem, pose, shapes, self._descended(problem, pose, shapes, STEPS))

    def _keep(self, problem: Problem, pose: NDArray, shapes: NDArray, cost: NDArray) -> None:
        """Let new arrangements take the places of worse ones; those of one cost count as one."""
        new = [Found(problem, *row) for row in zip(pose, shapes, cost.tolist(), strict=True)]
        pool: list[Found] = []
        for found in sorted([*self.pool, *new], key=lambda f: f.cost):
            if not any(abs(found.cost - f.cost) < SAME * f.cost + ALIKE for f in pool):
                pool.append(found)
            if len(pool) == KEPT:
                break
        self.pool = pool

    def _descended(self, problem: Problem, pose: NDArray, shapes: NDArray, steps: int) -> NDArray[np.float64]:
        costs = np.empty(len(pose))
        count = descend_all(problem.arrays, pose, problem.shapes, shapes, self.weight, steps, TOLERANCE, costs)
        self.spent += count * problem.seconds
        return costs


def place_anew(problem: Problem, pose: NDArray, shapes: NDArray, o: int, rng: Generator) -> None:
    """Give part `o` random places, turns (B, 7) and conformers (B,) on its site, in place."""
    count, site = len(pose), problem.placed[o].site
    if site.multiplicity == len(problem.setting.rotations):
        frac = rng.random((count, 3))
    else:
        frac = site.points[rng.integers(len(site.points), size=count)] + rng.random((count, 3)) @ site.free.T
    pose[:, :3] = frac @ problem.setting.lattice
    quaternion = rng.standard_normal((count, 4)) @ problem.arrays.spin[o]
    still = np.linalg.norm(quaternion, axis=1, keepdims=True) < 1e-9
    quaternion = np.where(still, problem.placed[o].rest, quaternion)
    pose[:, 3:] = quaternion / np.linalg.norm(quaternion, axis=1, keepdims=True) * 2 * problem.radius[o]
    shapes[:] = problem.at[o][rng.integers(len(problem.at[o]), size=count)]
