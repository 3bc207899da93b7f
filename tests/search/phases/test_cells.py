"""Lines left over that stand on reflections of a phase's own cell, and those that stand there by chance."""

from types import SimpleNamespace

import numpy as np
import pytest

from search.phases.cells import CHANCE, by_chance
from xtal.crystals import Crystal
from xtal.patterns import Lines, q_from_two_theta, two_theta_from_q
from xtal.physics.powder import reflections

WAVELENGTH = 1.5418
ROCK_SALT = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
STRAIN, ZERO = 0.004, 0.05  # of the fit: what is measured lies where the strained cell has it


def cubic(edge: float) -> Crystal:
    sodium = np.array(ROCK_SALT)
    return Crystal(np.eye(3) * edge, np.concatenate([sodium, sodium + 0.5]), np.repeat([11, 17], 4))


def chance(crystal: Crystal, angles: np.ndarray) -> float:
    """Of lines at these angles, left over beside a phase with this crystal."""
    q = q_from_two_theta(np.sort(angles), WAVELENGTH)
    lines = Lines(q, np.linspace(1, 0.2, len(q)), None, (0.5, 6.0))
    parameters = np.array([[STRAIN, STRAIN, STRAIN, 0, 0, 0, ZERO, 0, 0]])
    finder = SimpleNamespace(
        index=SimpleNamespace(crystal=lambda _row: crystal),
        answer=SimpleNamespace(lines=lines),
        wavelength=WAVELENGTH,
        target=SimpleNamespace(fwhm=0.12),
    )
    found = SimpleNamespace(state=SimpleNamespace(rows=(0,), fit=SimpleNamespace(parameters=parameters)))
    return by_chance(finder, found, 0, np.arange(len(q)))


def where_reflections_are(edge: float) -> np.ndarray:
    """Angles of all reflections of a cell, whatever their intensity, as the fit would draw them."""
    q = np.unique(np.linalg.norm(reflections(cubic(edge * (1 + STRAIN)), 4.0).g, axis=1).round(6)) * 2 * np.pi
    return two_theta_from_q(q, WAVELENGTH) + ZERO


def test_lines_on_reflections_of_the_cell_are_no_chance():
    places = where_reflections_are(10.4)
    assert chance(cubic(10.4), places[4:16:2]) < CHANCE


@pytest.mark.parametrize("seed", range(5))
def test_lines_anywhere_stand_there_by_chance(seed):
    assert chance(cubic(10.4), np.random.default_rng(seed).uniform(15, 60, 6)) > 10 * CHANCE


def test_cells_with_reflections_everywhere_say_nothing():
    assert chance(cubic(10.4 * 6), where_reflections_are(10.4)[4:16:2]) > 0.5
    assert chance(cubic(10.4 * 12), where_reflections_are(10.4)[4:16:2]) == 1.0


def test_nothing_left_says_nothing():
    assert chance(cubic(10.4), np.empty(0)) == 1.0


def test_lines_below_the_first_reflection_are_none_of_the_cell():
    """A small cell, rock salt say, has no reflection where a framework has its lines."""
    assert chance(cubic(4.2), np.array([5.0, 6.1, 8.3])) == 1.0
    assert chance(cubic(5.64), np.array([5.0, 25.0])) > 10 * CHANCE  # one reflection, near neither
