"""Crystals whose bonds are known, and random ones."""

import numpy as np

from xtal.crystals import Crystal

CUBE = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def rock_salt() -> Crystal:
    return Crystal(np.eye(3) * 5.64, np.concatenate([CUBE, CUBE + 0.5]), [11] * 4 + [17] * 4, name="NaCl")


def diamond() -> Crystal:
    return Crystal(np.eye(3) * 3.567, np.concatenate([CUBE, CUBE + 0.25]), [6] * 8)


def random_crystal(seed: int, count: int = 40) -> Crystal:
    rng = np.random.default_rng(seed)
    lattice = np.diag(rng.uniform(3, 14, 3)) + rng.uniform(-1.2, 1.2, (3, 3))
    return Crystal(lattice, rng.random((count, 3)), rng.choice([1, 6, 8, 30, 57], count))
