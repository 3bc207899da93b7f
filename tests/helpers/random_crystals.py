"""Random crystals for property tests, and ways to compare what they diffract."""

import numpy as np
from hypothesis import strategies as st

from xtal.crystals import Crystal, cell_lattice
from xtal.patterns import Lines
from xtal.physics.profile import render

GRID = np.arange(0.1, 4.0, 0.002)  # Å⁻¹
WIDTH = 0.012  # Å⁻¹


@st.composite
def crystals(draw, most_atoms: int = 5) -> Crystal:
    """Triclinic cells of 3 to 9 Å with a few atoms anywhere, some of them partly occupied."""
    lengths = [draw(st.floats(3, 9)) for _ in range(3)]
    angles = [draw(st.floats(70, 110)) for _ in range(3)]
    count = draw(st.integers(1, most_atoms))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    numbers = rng.choice([1, 6, 8, 14, 29, 59, 82], count)
    return Crystal(cell_lattice([*lengths, *angles]), rng.uniform(size=(count, 3)), numbers, rng.uniform(0.2, 1, count))


@st.composite
def rotations(draw) -> np.ndarray:
    """Proper rotation matrices (3, 3)."""
    matrix = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=(3, 3))
    orthogonal = np.linalg.qr(matrix)[0]
    return orthogonal * np.sign(np.linalg.det(orthogonal))


@st.composite
def unimodular(draw) -> np.ndarray:
    """Integer changes of cell (3, 3) of determinant 1, as products of a few shears."""
    matrix = np.eye(3, dtype=int)
    for _ in range(draw(st.integers(1, 3))):
        shear = np.eye(3, dtype=int)
        row, column = draw(st.permutations([0, 1, 2]))[:2]
        shear[row, column] = draw(st.integers(-1, 1))
        matrix = matrix @ shear
    return matrix


def profile(lines: Lines, grid: np.ndarray = GRID) -> np.ndarray:
    """The profile of some lines, all of one narrow width, highest point 1."""
    curve = render(grid, lines.q, lines.intensity, WIDTH, 0.0)
    return curve / curve.max()
