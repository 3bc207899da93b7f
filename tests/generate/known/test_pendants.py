from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import small_mofs

from generate.known.pendants import C_H, USUAL, Group, bare, dressed, usual_groups
from xtal.crystals import take_apart
from xtal.crystals.linkers import Linker

LINKERS = [linker for crystal in small_mofs() for linker in take_apart(crystal).linkers]
PILLAR = max(LINKERS, key=lambda linker: len(linker.numbers))
DRESSED = [linker for linker in LINKERS if bare(linker).groups]
OF_ONE_KIND = [linker for linker in DRESSED if len({group.key for group in bare(linker).groups}) == 1]
HYDROXYL = Group(np.array([8, 1], np.uint8), np.array([[0, 0, 1.36], [0.9, 0, 1.7]]), np.array([[0, 1], [1, 0]]), 5)


def test_there_are_groups_to_take_off():
    assert len(DRESSED) > 3
    assert any(len(linker.numbers) > len(bare(linker).linker.numbers) for linker in DRESSED)


@pytest.mark.parametrize("linker", LINKERS, ids=lambda k: str(k.kind % 10_000))
def test_a_bare_linker_has_hydrogen_on_every_place(linker):
    naked = bare(linker)
    anchor, hydrogen = naked.places.T
    assert (naked.linker.numbers[anchor] == 6).all()
    assert (naked.linker.numbers[hydrogen] == 1).all()
    assert naked.linker.grips == linker.grips
    lost = sum(len(group.numbers) - 1 for group in naked.groups)
    assert len(naked.linker.numbers) == len(linker.numbers) - lost
    again = bare(naked.linker)
    assert (again.groups, again.linker.kind) == ((), naked.linker.kind)


@pytest.mark.parametrize("linker", OF_ONE_KIND, ids=lambda k: str(k.kind % 10_000))
def test_groups_come_back_where_they_were(linker):
    """Taken off and put on again in all choices of places, one choice is the linker as it was."""
    naked = bare(linker)
    places = len(naked.places)
    choices = [{place: naked.groups[0] for place in range(places) if bits >> place & 1} for bits in range(2**places)]
    kinds = {dressed(naked, chosen).kind for chosen in choices if len(chosen) == len(naked.groups)}
    assert linker.kind in kinds


def test_a_group_stands_on_the_bond_of_the_hydrogen():
    naked = bare(PILLAR)
    linker = dressed(naked, {1: HYDROXYL})
    anchor, hydrogen = naked.places[1]
    bond = naked.linker.position[hydrogen] - naked.linker.position[anchor]
    oxygen, last = linker.position[-2:]
    assert oxygen - naked.linker.position[anchor] == pytest.approx(1.36 * bond / np.linalg.norm(bond), abs=1e-6)
    assert np.linalg.norm(last - oxygen) == pytest.approx(np.linalg.norm(np.diff(HYDROXYL.position, axis=0)))
    assert len(linker.numbers) == len(PILLAR.numbers) + 1 - (len(PILLAR.numbers) - len(naked.linker.numbers))
    assert linker.kind != naked.linker.kind


def test_carbonyls_are_no_groups():
    """An oxygen alone hangs on a double bond: hydrogen in its place would be another linker."""
    naked = bare(PILLAR)
    position = naked.linker.position.copy()
    anchor, hydrogen = naked.places[0]
    position[hydrogen] = position[anchor] + (position[hydrogen] - position[anchor]) * 1.22 / C_H
    numbers = naked.linker.numbers.copy()
    numbers[hydrogen] = 8
    ketone: Linker = replace(naked.linker, numbers=numbers, position=position)
    assert bare(ketone).groups == ()
    assert 8 in bare(ketone).linker.numbers


def test_usual_groups_are_known_by_the_keys_of_those_taken_off():
    usual = {group.key: group for group in usual_groups()}
    assert len(usual) == len(USUAL)
    met = {group.key: group for linker in LINKERS for group in bare(linker).groups}
    assert usual.keys() & met.keys()
    for key in usual.keys() & met.keys():
        one, other = usual[key], met[key]
        assert sorted(one.numbers.tolist()) == sorted(other.numbers.tolist())
        assert one.position[0] == pytest.approx(other.position[0], abs=0.15)
    for group in usual.values():
        assert group.position[0][:2] == pytest.approx([0, 0], abs=1e-6)
        assert len(group.bonds) == 2 * (len(group.numbers) - 1)
