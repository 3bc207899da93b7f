"""From a pattern to its lattice and group, on small crystals with simulated patterns."""

import numpy as np
import pytest

from xtal.crystals import Crystal, cell_lattice, niggli
from xtal.crystals.lattices import strain_onto
from xtal.errors import UserError
from xtal.patterns import Pattern, q_from_two_theta
from xtal.patterns.sample import Sample
from xtal.physics.artefacts import LABORATORY_SCAN
from xtal.physics.indexing import index, index_pattern, search, space_groups
from xtal.physics.indexing.metric import PARAMETERS, TRICLINIC, determinant, places, row
from xtal.physics.indexing.probability import MOST, probabilities
from xtal.physics.indexing.resolving import resolve
from xtal.physics.profile import render
from xtal.physics.simulate import simulate

SEED = 3


def crystal_of(cell, operations, sites) -> Crystal:
    """A crystal of (x, y, z) sites with atomic numbers, under operations (W, w)."""
    frac = np.concatenate([sites[:, :3] @ np.array(w).T + t for w, t in operations])
    return Crystal(cell_lattice(cell), frac % 1, np.tile(sites[:, 3].astype(np.uint8), len(operations)))


SITES = np.hstack([np.random.default_rng(8).uniform(0.05, 0.95, (9, 3)), [[30]] * 2 + [[8]] * 3 + [[6]] * 4])
EYE, TWO = np.eye(3), np.diag([-1, 1, -1])
P21C = [(EYE, (0, 0, 0)), (TWO, (0, 0.5, 0.5)), (-EYE, (0, 0, 0)), (-TWO, (0, 0.5, 0.5))]
CRYSTALS = {
    "triclinic": crystal_of((7.6, 9.1, 10.4, 81.0, 74.0, 68.0), [(EYE, (0, 0, 0)), (-EYE, (0, 0, 0))], SITES),
    "monoclinic": crystal_of((9.4, 10.8, 11.9, 90, 104.0, 90), P21C, SITES),
    "tetragonal": crystal_of(
        (10.1, 10.1, 14.3, 90, 90, 90),
        [(np.linalg.matrix_power([[0, -1, 0], [1, 0, 0], [0, 0, 1]], n), (0, 0, 0)) for n in range(4)],
        SITES[:4],
    ),
}


def sample_of(crystal: Crystal) -> Sample:
    return Sample.of(simulate(crystal, 0.0, np.random.default_rng([SEED, 0]), LABORATORY_SCAN))


def test_a_line_of_the_basis_may_be_absent_if_its_second_order_is_found():
    """100 is absent, 200 is there, and no six of the lines are another basis and its sums."""
    metric = np.array([0.01301937, 0.01127461, 0.00853119, -0.00512873, 0.00421391, -0.00487547])
    basis, sums = np.eye(3, dtype=int), np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    hkl = np.concatenate([n * part for n in (1, 2, 3) for part in (basis, sums)])
    hkl = hkl[(hkl != basis[0]).any(axis=1)]
    design = np.zeros((len(hkl), PARAMETERS[TRICLINIC]))
    for one, out in zip(hkl.tolist(), design, strict=True):
        row(TRICLINIC, *one, out)
    q = np.sort(design @ metric)
    work = np.zeros((search.MOST_LINES, 3), np.int64), np.zeros(64), np.zeros(65, np.int64)
    grids = places(q[:9], 2e-6 + 0 * q[:9], 1.54), places(q, 2e-6 + 0 * q, 1.54)
    room = np.array([300.0, 3000.0]), grids, work
    found = []
    for tried in (
        lambda *given: search.triclinic(q, 0, 12, *given),
        lambda *given: search.triclinic_halved(q, 12, *given),
    ):
        pool = search.Pool.empty()
        tried(*room, pool.rows, pool.count)
        sizes = [determinant(TRICLINIC, one[:6]) for one in pool.rows[: pool.count[0]]]
        found.append(bool(np.isclose(sizes, determinant(TRICLINIC, metric), rtol=1e-8, atol=0).any()))
    assert found == [False, True]


@pytest.fixture(scope="module")
def found():
    return {name: index_pattern(sample_of(crystal)) for name, crystal in CRYSTALS.items()}


@pytest.mark.parametrize("name", CRYSTALS)
def test_the_first_cell_is_the_right_one(found, name):
    first = found[name][0]
    assert first.system == name
    assert strain_onto(first.lattice, niggli(CRYSTALS[name]).lattice, 0.005) is not None
    assert first.volume == pytest.approx(CRYSTALS[name].volume, rel=0.01)
    assert first.merit > 1.5
    assert first.probability > 0.5
    assert sum(cell.probability for cell in found[name]) <= 1 + 1e-9


def test_the_same_pattern_gives_the_same_cells(found):
    again = index_pattern(sample_of(CRYSTALS["triclinic"]))
    np.testing.assert_array_equal([c.volume for c in again], [c.volume for c in found["triclinic"]])


@pytest.mark.parametrize(("seconds", "passes"), [(0.25, 1), (4, 2), (10, 4), (100, len(index.PASSES))])
def test_time_is_counted_in_passes_and_not_by_the_clock(monkeypatch, seconds, passes):
    """Whatever else the machine does: nothing is found here, so that all passes are made."""
    made = []
    monkeypatch.setattr(index, "_search", lambda *_: made.append("all") or [])
    monkeypatch.setattr(index, "_one_absent", lambda *_: made.append("one absent") or [])
    assert index_pattern(sample_of(CRYSTALS["tetragonal"]), seconds=seconds) == []
    assert made == ["all", "one absent"] * passes


def test_a_volume_that_is_not_the_crystals_finds_another_cell():
    crystal = CRYSTALS["tetragonal"]
    cells = index_pattern(sample_of(crystal), (2.5 * crystal.volume, 3 * crystal.volume))
    assert all(2.2 * crystal.volume < cell.volume < 3.4 * crystal.volume for cell in cells)


def test_the_group_is_found_and_acts_on_the_primitive_cell(found):
    cell = found["monoclinic"][0]
    guesses = space_groups(sample_of(CRYSTALS["monoclinic"]), cell, 10)
    assert 14 in [g.number for g in guesses[:2]]
    assert np.exp([g.ln_probability for g in guesses]).sum() <= 1 + 1e-9
    metric = cell.lattice @ cell.lattice.T
    for guess in guesses:
        assert len(guess.rotations) == len(guess.translations)
        moved = guess.rotations.transpose(0, 2, 1) @ metric @ guess.rotations
        np.testing.assert_allclose(moved, np.broadcast_to(metric, moved.shape), atol=0.02)


def test_groups_of_one_lattice_include_all_settings_once(found):
    symbols = [g.symbol for g in space_groups(sample_of(CRYSTALS["monoclinic"]), found["monoclinic"][0], 100)]
    assert len(symbols) == len(set(symbols))
    assert {s for s in symbols if "21/" in s} == {"P 1 21/m 1", "P 1 21/a 1", "P 1 21/c 1", "P 1 21/n 1"}


def test_too_few_lines_are_refused():
    angles = np.linspace(3, 30, 1351)
    pattern = Pattern(angles, 1000 * render(angles, np.array([9.0, 17.0]), np.ones(2), 0.2) + 10, 1.5406)
    with pytest.raises(UserError, match="2 lines stand out in the pattern, indexing needs at least 5"):
        index_pattern(Sample.of(pattern))


def test_overlapped_lines_are_taken_apart():
    angles = np.linspace(5, 30, 1251)
    true = np.array([6.5, 8.0, 10.0, 12.0, 15.0, 15.3, 17.0, 19.0, 21.5, 24.0, 26.0, 28.0])
    curve = 2e4 * render(angles, true, np.array([1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 1, 1.0]), 0.2) + 50
    counts = np.random.default_rng(0).poisson(curve).astype(float)
    resolved = resolve(Sample.of(Pattern(angles, counts, 1.2)))
    off = np.abs(resolved.angle[:, None] - true).min(axis=0)
    assert (off < 0.02).all()
    assert resolved.profile.width == pytest.approx(0.2, rel=0.1)
    assert q_from_two_theta(resolved.angle, 1.2).max() < 2.6


def test_no_cell_is_likelier_than_the_first():
    for agreement in (-20.0, 10.0, 30.0):
        chances = probabilities(np.array([-100.0, -100.5, -103.0, -140.0]), agreement, 1.0)
        assert (np.diff(chances) <= 0).all()
        assert chances.sum() <= 1


def test_probability_rises_with_gap_and_agreement_and_never_reaches_one():
    sure = probabilities(np.array([0.0, -200.0]), 80.0, 1.0)
    tie = probabilities(np.array([0.0, -1.0]), 5.0, 1.0)
    assert tie[0] < 0.5 < sure[0] <= MOST
    assert tie.sum() <= 1
