"""Downhill from a pose, compiled: limited-memory BFGS (Nocedal, 1980)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.arrays import Arrays
from generate.solving.cost.evaluate import evaluate
from generate.solving.cost.fast import FAST

MEMORY = 6  # pairs of steps and changes of the gradient that stand for the curvature
LONGEST_STEP, FIRST_STEP = 0.6, 0.2  # Å or so
ENOUGH = 1e-4  # of what the slope promises: a step that gains less is shortened
SHORTENED, TRIES = 0.4, 6
QUIET = 3  # steps that gain less than the tolerance end a descent


@njit(cache=True, fastmath=FAST, nogil=True)
def descend_all(
    p: Arrays,
    poses: NDArray,
    shapes: NDArray,
    at: NDArray,
    weight: float,
    steps: int,
    tolerance: float,
    costs: NDArray,
) -> int:
    """Move (B, O * 7) poses with conformers (B, O) downhill in place; fill their costs (B,).

    Each takes about at most `steps` evaluations, and ends where its steps gain less than `tolerance`. Returns the
    number of all evaluations.
    """
    total = 0
    for b in range(len(poses)):
        costs[b], used = _descend(p, poses[b], shapes, at[b], weight, steps, tolerance)
        total += used
    return total


@njit(cache=True, fastmath=FAST)
def _descend(
    p: Arrays, pose: NDArray, shapes: NDArray, at: NDArray, weight: float, steps: int, tolerance: float
) -> tuple[float, int]:
    """Move one pose; return its cost and the number of evaluations."""
    size = len(pose)
    gradient, trial, slope, terms = np.zeros(size), np.empty(size), np.zeros(size), np.zeros(4)
    moves, changes, kept, used, quiet = np.zeros((MEMORY, size)), np.zeros((MEMORY, size)), 0, 1, 0
    cost = evaluate(p, pose, shapes, at, weight, gradient, terms)
    while used < steps and quiet < QUIET:
        direction = _direction(gradient, moves, changes, kept)
        down = np.dot(direction, gradient)
        if down >= 0:
            direction, kept = -gradient, 0
            down = np.dot(direction, gradient)
        largest = np.abs(direction).max()
        if largest < 1e-9:
            break
        length = min(1.0, (LONGEST_STEP if kept else FIRST_STEP) / largest)
        new = cost
        for _ in range(TRIES):
            trial[:] = pose + length * direction
            new = evaluate(p, trial, shapes, at, weight, slope, terms)
            used += 1
            if new < cost + ENOUGH * length * down:
                break
            length *= SHORTENED
        if new >= cost:
            if kept == 0:
                break
            kept = 0  # once more, straight down
            continue
        if kept == MEMORY:
            moves[:-1], changes[:-1] = moves[1:].copy(), changes[1:].copy()
            kept -= 1
        moves[kept], changes[kept] = trial - pose, slope - gradient
        kept += np.dot(moves[kept], changes[kept]) > 1e-10
        quiet = quiet + 1 if cost - new < tolerance else 0
        pose[:], gradient[:], cost = trial, slope, new
    return cost, used


@njit(cache=True, fastmath=FAST)
def _direction(gradient: NDArray, moves: NDArray, changes: NDArray, kept: int) -> NDArray:
    """Return where to go from the gradient and `kept` moves (K, size) with the changes of it that they made."""
    direction, alpha = -gradient, np.zeros(MEMORY)
    for back in range(kept):
        row = kept - 1 - back
        alpha[row] = np.dot(moves[row], direction) / np.dot(moves[row], changes[row])
        direction -= alpha[row] * changes[row]
    if kept:
        direction *= np.dot(moves[kept - 1], changes[kept - 1]) / np.dot(changes[kept - 1], changes[kept - 1])
    for row in range(kept):
        beta = np.dot(changes[row], direction) / np.dot(moves[row], changes[row])
        direction += (alpha[row] - beta) * moves[row]
    return direction
