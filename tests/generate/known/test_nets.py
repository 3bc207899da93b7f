from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.knowledge import linker_kinds
from generate.known.archetypes import PERIOD, archetypes
from generate.known.exchange import exchanged, in_net, plans
from generate.known.isoreticular import slots
from generate.known.nets import LONGEST, SHORTEST, SKEW, nets_in, rods_in
from generate.known.shelf import lone_linkers
from xtal.crystals import take_apart
from xtal.crystals.lattices import strain_onto
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

COPPER = take_apart(archetypes()[1])
BDC, BPDC = (lone_linkers(linker_kinds(name), np.array([1, 6, 8]))[0] for name in ("BDC", "BPDC"))
VANADIUM = take_apart(archetypes(23)[2])
BIPY = lone_linkers(linker_kinds("bpy"), np.array([1, 6, 7]))[0]


def cell_of(lattice: np.ndarray) -> IndexedCell:
    return IndexedCell(lattice, lattice, "P", "triclinic", float(np.linalg.det(lattice)), 0.0, 20.0, 20, 0.1, 0.0, 1.0)


def oblique(lengths: tuple[float, ...], angle: float) -> np.ndarray:
    """Rows of these lengths (Å), the third at an angle (degrees) to the second."""
    turn = np.radians(angle)
    return np.array([[1, 0, 0], [0, 1, 0], [0, np.cos(turn), np.sin(turn)]]) * np.array(lengths)[:, None]


@settings(deadline=None, max_examples=20)
@given(st.tuples(*[st.floats(9, 19)] * 3), st.floats(75, 105), st.integers(1, 3))
def test_a_net_is_found_in_the_cell_of_nets_in_each_other(lengths, angle, folds):
    net = oblique(lengths, angle)
    cell = np.vstack([net.sum(axis=0) / folds, net[1:]])
    found = nets_in([cell_of(cell)])
    same = [
        one
        for one in found
        if np.allclose(one.lengths, lengths, atol=1e-6)
        and np.allclose(np.abs(one.lattice @ one.lattice.T), np.abs(net @ net.T), atol=1e-6)
    ]
    assert same
    for one in same:
        assert np.linalg.det(one.lattice) > 0
        assert strain_onto(reduced(one.cell @ one.lattice), reduced(cell), 1e-6) is not None


def test_nets_are_upright_and_of_every_order():
    found = nets_in([cell_of(oblique((9.0, 11.0, 13.0), 95))])
    unit = np.array([net.lattice / net.lengths[:, None] for net in found])
    assert np.abs(unit @ unit.swapaxes(1, 2) - np.eye(3)).max() < SKEW
    assert all(SHORTEST < length < LONGEST for net in found for length in net.lengths)
    assert {net.order for net in found} == {order for order in product(range(3), repeat=3) if len(set(order)) == 3}


@pytest.mark.parametrize("angle", [75, 90, 103])
def test_linkers_follow_the_net_that_they_are_put_in(angle):
    (plan, *_) = plans(COPPER, [((0,), BDC), ((1,), BPDC), ((2,), BIPY)])
    lengths = np.linalg.norm(plan.lattice, axis=1)
    lattice = oblique((lengths[2], lengths[0], lengths[1]), angle)[[1, 2, 0]]
    placed = in_net(plan, lattice * np.sign(np.linalg.det(lattice)))
    assert np.linalg.norm(placed.lattice, axis=1) == pytest.approx(lengths)
    off, between = placed.missed
    assert off.max() < 0.35
    assert between == pytest.approx(np.linalg.norm(placed.lattice, axis=1), abs=3.0)
    for row, way in placed.ways.items():
        along = np.diff(way.arms, axis=0)[0]
        cosine = along @ placed.lattice[row] / np.linalg.norm(along) / lengths[row]
        assert abs(cosine) > np.cos(np.radians(3))
    crystal = exchanged(placed, dict(enumerate((BDC, BPDC, BIPY))))
    assert len(crystal) == len(COPPER.crystal) - sum(len(one.numbers) for one in COPPER.linkers) + sum(
        len(one.numbers) for one in (BDC, BPDC, BIPY)
    )


@pytest.mark.parametrize(("metal", "formula"), [(23, {23: 2, 8: 10, 6: 8}), (13, {13: 2, 8: 10, 6: 8, 1: 2})])
def test_rods_of_octahedra_hold_two_linkers(metal, formula):
    rods = archetypes(metal)[2]
    assert Counter(rods.numbers.tolist()) == formula
    framework = take_apart(rods)
    (rod,) = (body for body in framework.bodies if body.endless)
    assert rod.onwards.tolist() == [[1, 0, 0]]
    assert [slot.axis for slot in slots(framework)] == [1, 2]
    assert all(slot.beyond == pytest.approx(0, abs=0.15) for slot in slots(framework))
    apart = rods.frac_coords[rods.numbers == metal][:, None] - rods.frac_coords[rods.numbers == 8]
    distance = np.sort(np.linalg.norm((apart - np.rint(apart)) @ rods.lattice, axis=2), axis=1)[:, :6]
    assert ((distance > 1.8) & (distance < 2.05)).all()


def test_metals_that_make_no_such_rods_have_none():
    assert len(archetypes(29)) == len(archetypes(30)) == 2


@settings(deadline=None, max_examples=20)
@given(st.tuples(st.floats(9, 19), st.floats(9, 19)), st.floats(60, 120), st.floats(6.5, 7.2))
def test_rods_are_found_across(lengths, angle, period):
    turn = np.radians(angle)
    ways = np.array([[1, 0], [np.cos(turn), np.sin(turn)]]) * np.array(lengths)[:, None]
    lattice = np.vstack([[period, 0, 0], np.insert(ways, 0, period / 2, axis=1)])
    same = [net for net in rods_in([cell_of(lattice)]) if np.allclose(net.lengths[1:], lengths, atol=1e-6)]
    assert same
    for net in same:
        assert net.lengths[0] == pytest.approx(period)
        assert strain_onto(reduced(net.cell @ net.lattice), reduced(lattice), 1e-6) is not None


@pytest.mark.parametrize("long", [BDC, BPDC])
def test_a_rod_keeps_its_width_whatever_its_linkers_are(long):
    (plan, *_) = plans(VANADIUM, [((0,), BDC), ((1,), long)])
    lattice = plan.lattice * [[PERIOD * 1.02 / np.linalg.norm(plan.lattice[0])], [1], [1]]
    crystal = exchanged(in_net(plan, lattice), {0: BDC, 1: long})
    metal, oxygen = crystal.frac_coords[crystal.numbers == 23], crystal.frac_coords[crystal.numbers == 8]
    apart = metal[:, None] - oxygen
    distance = np.sort(np.linalg.norm((apart - np.rint(apart)) @ crystal.lattice, axis=2), axis=1)[:, :6]
    assert ((distance > 1.75) & (distance < 2.35)).all()
