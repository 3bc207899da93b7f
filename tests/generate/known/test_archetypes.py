from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.knowledge import linker_kinds
from generate.known import fillings
from generate.known.archetypes import archetypes
from generate.known.exchange import exchanged, plans
from generate.known.isoreticular import recipes, slots, with_metal
from generate.known.nets import nets_in
from generate.known.pendants import bare
from generate.known.shelf import Shelf, lone_linkers, weight
from generate.known.ways import twisted, ways
from xtal.crystals import Crystal, take_apart
from xtal.crystals.linkers import METALS
from xtal.physics.indexing import IndexedCell

ZINC, COPPER = (take_apart(crystal) for crystal in archetypes(29))
BDC = lone_linkers(linker_kinds("BDC"), np.array([1, 6, 8]))[0]
ACIDS = ((8, 8), (8, 8))


def oxygen_of(crystal: Crystal) -> list[float]:
    """Distances (Å) to the four nearest oxygen or nitrogen of each metal."""
    shift = np.stack(np.meshgrid(*[(-1, 0, 1)] * 3), axis=-1).reshape(-1, 1, 3)
    donors = crystal.frac_coords[np.isin(crystal.numbers, (7, 8))] + shift
    metals = crystal.frac_coords[METALS[crystal.numbers]]
    every = np.linalg.norm((donors[None] - metals[:, None, None]) @ crystal.lattice, axis=-1)
    return np.sort(every.reshape(len(metals), -1), axis=1)[:, :4].ravel().tolist()


@pytest.mark.parametrize(("framework", "donors"), [(ZINC, [ACIDS] * 3), (COPPER, [ACIDS, ACIDS, ((7,), (7,))])])
def test_each_node_holds_linkers_along_three_axes(framework, donors):
    assert [linker.donors for linker in framework.linkers] == donors
    along = np.array([linker.node[1] - linker.node[0] for linker in framework.linkers])
    directions = along / np.linalg.norm(along, axis=1, keepdims=True)
    assert np.abs(directions @ directions.T) == pytest.approx(np.eye(3), abs=1e-6)
    assert all(1.9 < length < 2.1 for length in oxygen_of(framework.crystal))


def test_the_ends_of_zinc_linkers_are_at_right_angles_and_a_flat_linker_is_twisted_to_them():
    for old in ZINC.linkers:
        best = ways(old, BDC)[0]
        assert abs(np.degrees(best.twist)) == pytest.approx(90, abs=3)
        assert best.misfit < 0.2
    assert ways(COPPER.linkers[0], BDC)[0].twist == 0


@settings(deadline=None, max_examples=20)
@given(st.floats(-np.pi, np.pi))
def test_a_twist_turns_one_end_and_no_more(angle):
    turned = twisted(BDC, angle)
    first = BDC.end != 1
    np.testing.assert_array_equal(turned.position[first], BDC.position[first])
    apart = [np.linalg.norm(x[:, None] - x, axis=2) for x in (turned.position[~first], BDC.position[~first])]
    np.testing.assert_allclose(*apart, atol=1e-9)
    back = twisted(turned, -angle).position
    np.testing.assert_allclose(back, BDC.position, atol=1e-9)


def test_mof5_is_built_of_one_node():
    """Terephthalate on every axis: Zn-O bonds stay, and the cell is as long as half of that of MOF-5 (25.83 Å)."""
    (plan, *_) = plans(ZINC, [((0, 1, 2), BDC)])
    crystal = exchanged(plan, dict.fromkeys(range(3), BDC))
    assert Counter(crystal.numbers.tolist()) == {30: 4, 8: 13, 6: 24, 1: 12}
    assert np.linalg.norm(plan.lattice, axis=1) == pytest.approx([25.83 / 2] * 3, abs=0.15)
    assert max(oxygen_of(crystal)) < 2.15


def cubic_cell(edge: float) -> IndexedCell:
    lattice = np.eye(3) * edge
    return IndexedCell(lattice, lattice, "P", "cubic", edge**3, 0.0, 20.0, 20, 0.1, 0.0, 1.0)


def test_a_known_cell_chooses_the_linkers_of_nets():
    numbers = np.sort(np.repeat([30, 8, 6, 1], [4, 13, 24, 12])).astype(np.int64)
    shelf = Shelf.of([ZINC], numbers, spare=[BDC])
    every, right, wrong, real = (
        {recipe.key for recipe in recipes([ZINC], shelf, numbers, nets_in(cells), ruled)}
        for cells, ruled in (
            ((), 1),
            ([cubic_cell(25.83 / 2)], 1),
            ([cubic_cell(9.9), cubic_cell(11.1)], 1),
            ([cubic_cell(9.9)], 0),
        )
    )
    assert every
    assert right == real == every
    assert not wrong


def test_one_ruled_linker_fills_all_slots_or_several_fill_nets_in_known_cells():
    numbers = np.sort(np.repeat([30, 8, 6, 1], [4, 13, 24, 12])).astype(np.int64)
    shelf = Shelf.of([ZINC], numbers, ruled=[BDC])
    nets = nets_in([cubic_cell(25.83 / 2)])
    assert any(recipe.nets for recipe in recipes([ZINC], shelf, numbers, nets, 1))
    for known, ruled in ((nets, 0), ((), 1)):
        (recipe,) = (recipe for recipe in recipes([ZINC], shelf, numbers, known, ruled) if recipe.slots)
        assert {fill.bare.linker.kind for fill in recipe.fills} == {bare(BDC).linker.kind}
        assert not recipe.nets
    two = Shelf.of([ZINC], numbers, ruled=lone_linkers([*linker_kinds("BDC"), *linker_kinds("BPDC")], numbers))
    both = sum(weight(one.linker.numbers) for one in two.ruled[ACIDS])
    assert not fillings.solutions(both, ((1, ACIDS, 0),) * 2, two)


@pytest.mark.parametrize("metal", [29, 30])
def test_paddle_wheels_of_zinc_are_longer(metal):
    _, pillared = archetypes(metal)
    frac = pillared.frac_coords[pillared.numbers == metal]
    apart = np.linalg.norm((frac[0] - frac[1] - np.rint(frac[0] - frac[1])) @ pillared.lattice)
    assert apart == pytest.approx({29: 2.63, 30: 2.95}[metal])


def test_only_a_linker_between_a_node_and_itself_tells_a_lattice_vector():
    assert all(slot.beyond > 0 for slot in slots(ZINC))
    doubled = replace(
        ZINC.crystal,
        lattice=ZINC.crystal.lattice * [[2.0], [1], [1]],
        frac_coords=np.concatenate([ZINC.crystal.frac_coords + np.eye(3)[0] * k for k in (0, 1)]) * [0.5, 1, 1],
        numbers=np.tile(ZINC.crystal.numbers, 2),
        occupancies=np.ones(2 * len(ZINC.crystal)),
    )
    beyond = [slot.beyond for slot in slots(take_apart(doubled))]
    assert any(np.isnan(beyond))


def test_metals_are_exchanged_where_there_are_as_many():
    numbers = np.array([*[27] * 4, *[8] * 13, *[6] * 24, *[1] * 12])
    assert set(with_metal(ZINC, numbers).crystal.numbers.tolist()) == {27, 8, 6}
