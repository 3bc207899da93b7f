import numpy as np
import pytest
from part_helpers import part_of, shaped, shuffled

from xtal.crystals.parts import rotors, shape_symmetry

HEXAGON = [[np.cos(np.radians(60 * k)), np.sin(np.radians(60 * k)), 0] for k in range(6)]
RING = [(k, (k + 1) % 6) for k in range(6)]
OCTAHEDRON = 2.1 * np.array([*np.eye(3), *-np.eye(3), [0, 0, 0]])
SHAPES = {
    "benzene 6/mmm": (shaped([6] * 6, np.multiply(1.4, HEXAGON), RING), 24),
    "octahedron m-3m": (shaped([8] * 6 + [30], OCTAHEDRON, [(k, 6) for k in range(6)]), 48),
    "octahedron 4mm": (shaped([17, *[8] * 5, 30], OCTAHEDRON, [(k, 6) for k in range(6)]), 8),
    "tetrahedron": (
        shaped(
            [8] * 4 + [16],
            1.5 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1], [0, 0, 0]]) / 3**0.5,
            [(k, 4) for k in range(4)],
        ),
        24,
    ),
    "bent mm2": (shaped([8, 1, 1], [[0, 0, 0], [0.6, 0.75, 0], [-0.6, 0.75, 0]], [(0, 1), (0, 2)]), 4),
    "line": (shaped([8, 6, 8], [[-1.2, 0, 0], [0, 0, 0], [1.2, 0, 0]], [(0, 1), (1, 2)]), 48),
    "arrow": (shaped([6, 7], [[0, 0, 0], [1.2, 0, 0]], [(0, 1)]), 24),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_point_group_is_found_in_any_position(name):
    part, order = SHAPES[name]
    turned = shuffled(part, 5)
    found = shape_symmetry(turned)
    assert len(found) == order
    assert found[0] == pytest.approx(np.eye(3), abs=1e-6)
    for operation in found:
        assert operation @ operation.T == pytest.approx(np.eye(3), abs=1e-9)
        apart = np.linalg.norm((turned.position @ operation.T)[:, None] - turned.position, axis=-1)
        assert apart.min(axis=1).max() < 0.15
        assert (turned.numbers[apart.argmin(axis=1)] == turned.numbers).all()


@pytest.mark.parametrize("name", SHAPES)
def test_operations_form_a_group(name):
    found = shape_symmetry(SHAPES[name][0])
    for operation in found:
        apart = np.abs((found @ operation)[:, None] - found).max(axis=(2, 3))
        assert apart.min(axis=1).max() < 1e-6


def test_a_part_without_symmetry_and_a_point():
    assert len(shape_symmetry(part_of("C[C@H](N)C(=O)[O-]"))) == 1
    point = shape_symmetry(shaped([30], [[0, 0, 0]]))
    assert point[0] == pytest.approx(np.eye(3))
    assert np.linalg.det(point) == pytest.approx(np.sign(np.linalg.det(point)))


def test_a_part_with_all_atoms_near_its_middle_has_a_point_group():
    """As of crystals with overlapping atoms."""
    clash = shaped([6, 7, 8], [[0, 0, 0], [0.55, 0, 0], [-0.1, 0.5, 0]], [(0, 1), (0, 2)])
    assert len(shape_symmetry(clash)) == 2  # its own plane


def test_a_shape_is_taken_with_its_errors():
    rng = np.random.default_rng(0)
    ring = shaped([6] * 6, np.multiply(1.4, HEXAGON) + rng.normal(scale=0.02, size=(6, 3)), RING)
    assert len(shape_symmetry(ring)) == 24
    assert len(shape_symmetry(ring, tolerance=0.001)) < 24


@pytest.mark.parametrize(
    ("smiles", "count"),
    [
        ("[O-]C(=O)c1ccc(cc1)C(=O)[O-]", 2),
        ("c1cc(ccn1)-c1ccncc1", 1),
        ("Cc1ccncc1", 0),
        ("N#Cc1ccncc1", 0),
        ("C1CCNCC1", 0),
        ("[O-]C(=O)CCC(=O)[O-]", 3),
        ("[O-]C(=O)C=CC(=O)[O-]", 2),
    ],
)
def test_rotors_are_single_bonds_outside_rings(smiles, count):
    found = rotors(part_of(smiles))
    assert len(found) == count
    for (still, turning), moving in found:
        assert still not in moving
        assert turning not in moving


def test_turning_a_rotor_keeps_all_bonds():
    part = part_of("[O-]C(=O)CCC(=O)[O-]")
    (a, b), moving = rotors(part)[0]
    axis = (part.position[b] - part.position[a]) / np.linalg.norm(part.position[b] - part.position[a])
    turned, arm = part.position.copy(), part.position[moving] - part.position[b]
    turned[moving] = part.position[b] - arm + 2 * np.outer(arm @ axis, axis)  # by 180°
    length = [np.linalg.norm(p[part.bonds[:, 0]] - p[part.bonds[:, 1]], axis=1) for p in (part.position, turned)]
    assert length[0] == pytest.approx(length[1])
