import numpy as np
import pytest
from solving_helpers import FAMILIES, alone, clean_sample, needs_of, symmetric, usual_chemistry, where_it_is

from generate.solving.assign import assignments
from generate.solving.cost import descend_all, evaluate
from generate.solving.problem import Placed, Problem, rotation
from generate.solving.roots import Roots
from generate.solving.search import place_anew
from generate.solving.sites import sites
from xtal.crystals import Crystal

AZOLATE, ROD = FAMILIES[4], FAMILIES[8]  # Zn tetrazolate in P-1, and MIL-47 in a group of 8 operations
WEIGHT = 30.0


def cost(problem: Problem, pose: np.ndarray, at: np.ndarray | None = None) -> tuple[float, np.ndarray, np.ndarray]:
    gradient, terms = np.empty(len(pose)), np.zeros(4)
    rows = np.array([rows[0] for rows in problem.at]) if at is None else at
    return evaluate(problem.arrays, pose, problem.shapes, rows, WEIGHT, gradient, terms), gradient, terms


def with_symmetry(crystal: Crystal, seed: int = 0) -> tuple[Problem, np.ndarray]:
    """Parts of a crystal on the likeliest sites of its group, anywhere there."""
    setting, rng = symmetric(crystal), np.random.default_rng(seed)
    way = assignments(setting, needs_of(crystal))[0]
    roots = Roots.of(clean_sample(crystal), crystal.lattice, setting.rotations)
    problem = Problem.of(setting, [stand.placed(rng) for stand in way.stands], roots, usual_chemistry())
    pose, shapes = np.empty((1, len(problem.placed), 7)), np.empty((1, len(problem.placed)), np.int64)
    for o in range(len(problem.placed)):
        place_anew(problem, pose[:, o], shapes[:, o], o, rng)
    return problem, pose.ravel()


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_that_of_the_cost(seed):
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    rng = np.random.default_rng(seed)
    pose = pose + rng.normal(0, 0.4, len(pose))
    _, gradient, _ = cost(problem, pose)
    for _ in range(6):
        step = rng.normal(0, 1e-3, len(pose))
        change = cost(problem, pose + step)[0] - cost(problem, pose - step)[0]
        assert change == pytest.approx(2 * gradient @ step, rel=2e-2, abs=2e-4)


@pytest.mark.parametrize("crystal", [AZOLATE, ROD], ids=lambda c: c.name)
def test_the_gradient_keeps_parts_on_their_sites(crystal):
    problem, pose = with_symmetry(crystal)
    _, gradient, _ = cost(problem, pose)
    for o, part in enumerate(problem.placed):
        place, turn = gradient[7 * o : 7 * o + 3], gradient[7 * o + 3 : 7 * o + 7]
        np.testing.assert_allclose(problem.arrays.place[o] @ place, place, atol=1e-9)
        np.testing.assert_allclose(part.spin @ turn, turn, atol=1e-9)
    rng = np.random.default_rng(1)
    for _ in range(4):
        step = rng.normal(0, 1e-3, len(pose))
        for o in range(len(problem.placed)):
            step[7 * o : 7 * o + 3] = problem.arrays.place[o] @ step[7 * o : 7 * o + 3]
            step[7 * o + 3 : 7 * o + 7] = problem.placed[o].spin @ step[7 * o + 3 : 7 * o + 7]
        change = cost(problem, pose + step)[0] - cost(problem, pose - step)[0]
        assert change == pytest.approx(2 * gradient @ step, rel=3e-2, abs=1e-3)


@pytest.mark.parametrize("crystal", [AZOLATE, ROD], ids=lambda c: c.name)
def test_symmetry_makes_the_parts_that_a_cell_without_it_lists(crystal):
    """The same arrangement, once by symmetry and once written out, costs the same."""
    problem, pose = with_symmetry(crystal)
    setting = alone(crystal.lattice)
    general = sites(setting.rotations, setting.translations)[0]
    placed, poses = [], []
    for o, part in enumerate(problem.placed):
        own = problem.crystal(pose, np.array([rows[0] for rows in problem.at]))
        size, first = len(part.shapes[0]), sum(len(p.shapes[0]) * p.site.multiplicity for p in problem.placed[:o])
        turn = rotation(pose[7 * o + 3 : 7 * o + 7])
        for k, row in enumerate(part.site.pieces):
            of_piece = crystal.lattice.T @ problem.setting.rotations[row] @ np.linalg.inv(crystal.lattice.T)
            shape = part.shapes[0]
            moved = shape.position @ turn.T @ of_piece.T
            image = type(shape)(shape.numbers, moved, shape.bonds, shape.donors, shape.key)
            frac = problem.setting.rotations[row] @ np.linalg.solve(crystal.lattice.T, pose[7 * o : 7 * o + 3])
            centre = (frac + problem.setting.translations[row]) @ crystal.lattice
            placed.append(Placed((image,), general, np.array([1.0, 0, 0, 0]), np.eye(4)))
            poses.append([*centre, 2.0, 0, 0, 0])
            atoms = own.frac_coords[first + k * size : first + (k + 1) * size]
            apart = atoms - (moved + centre) @ np.linalg.inv(crystal.lattice)
            np.testing.assert_allclose((apart - np.round(apart)) @ crystal.lattice, 0, atol=1e-6)
    roots = Roots.of(clean_sample(crystal), crystal.lattice, setting.rotations)
    written = Problem.of(setting, placed, roots, usual_chemistry())
    _, _, by_symmetry = cost(problem, pose)
    _, _, in_full = cost(written, np.concatenate(poses))
    np.testing.assert_allclose(by_symmetry[1:], in_full[1:], rtol=1e-4, atol=1e-6)
    assert by_symmetry[0] == pytest.approx(in_full[0], abs=0.02)  # lines of one group are merged, and cut at one place


def test_the_right_arrangement_has_the_right_pattern():
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    right = cost(problem, pose)[2][0]
    assert right < 0.02
    rng = np.random.default_rng(0)
    wrong = [cost(problem, pose + rng.normal(0, 1.0, len(pose)))[2][0] for _ in range(20)]
    assert min(wrong) > 3 * right


def test_descents_end_lower_and_say_what_they_took():
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    poses = pose + np.random.default_rng(0).normal(0, 0.3, (4, len(pose)))
    before = [cost(problem, row)[0] for row in poses]
    shapes, costs = np.tile([rows[0] for rows in problem.at], (4, 1)), np.empty(4)
    used = descend_all(problem.arrays, poses, problem.shapes, shapes, WEIGHT, 60, 1e-3, costs)
    assert (costs < before).all()
    assert [cost(problem, row)[0] for row in poses] == pytest.approx(costs.tolist(), rel=1e-5)
    assert 4 <= used <= 4 * 66


def test_an_atom_too_near_is_pushed_away_and_a_free_donor_costs():
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    metal = next(o for o, part in enumerate(problem.placed) if len(part.shapes[0]) == 1)
    here = cost(problem, pose)[2]
    moved = pose.copy()
    moved[7 * metal : 7 * metal + 3] += 1.2
    there = cost(problem, moved)[2]
    assert there[1] > here[1] + 0.1  # donors are left alone
    assert there[3] > here[3]  # and others are run into


def test_joints_pull_along_their_gradient_and_molecules_do_not_push_themselves():
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    first = problem.arrays.first
    joint = np.array([[first[0], first[1]], [first[1] + 1, first[2]]])
    jointed = problem.arrays._replace(joint=joint, span=np.array([2.0, 3.0]))
    gradient, terms, rows = np.empty(len(pose)), np.zeros(4), np.array([rows[0] for rows in problem.at])

    def at(where: np.ndarray) -> float:
        return evaluate(jointed, where, problem.shapes, rows, WEIGHT, gradient, terms)

    rng = np.random.default_rng(0)
    pose = pose + rng.normal(0, 0.1, len(pose))
    assert at(pose) > cost(problem, pose)[0]
    own = gradient.copy()
    for _ in range(4):
        step = rng.normal(0, 1e-4, len(pose))
        change = at(pose + step) - at(pose - step)
        assert change == pytest.approx(2 * own @ step, rel=2e-2, abs=1e-3)
    one = problem.arrays._replace(molecule=np.zeros(len(problem.arrays.molecule), np.int64))
    heaped = pose.reshape(-1, 7).copy()
    heaped[:, :3] = heaped[0, :3]
    apart, together = np.zeros(4), np.zeros(4)
    evaluate(problem.arrays, heaped.ravel(), problem.shapes, rows, 0.0, gradient, apart)
    evaluate(one, heaped.ravel(), problem.shapes, rows, 0.0, gradient, together)
    assert together[3] < 0.5 * apart[3]
