from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import disturbed, small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.benchmark.matching import match_all
from generate.known.exchange import exchanged, plans
from generate.known.isoreticular import Recipe, recipes, slots, with_metal
from generate.known.pendants import bare
from generate.known.shelf import Shelf
from xtal.crystals import Crystal, take_apart
from xtal.crystals.linkers import Framework, Linker

MOFS = small_mofs()
HOST = MOFS[3]
FLUORINE = 9
CARBOXYLATES = ((8, 8), (8, 8))


def all_exchanged(host: Framework, fills: list[tuple[tuple[int, ...], Linker]]) -> Iterator[Crystal]:
    """Yield what every plan gives, the best first."""
    linkers = {row: new for rows, new in fills for row in rows}
    yield from (exchanged(plan, linkers) for plan in plans(host, fills))


def fluorinated(crystal: Crystal, *which: int) -> Crystal:
    """Put fluorine in the place of some hydrogens; the C-F bonds stay short."""
    numbers = crystal.numbers.copy()
    numbers[np.flatnonzero(numbers == 1)[list(which or (0,))]] = FLUORINE
    return replace(crystal, numbers=numbers, name=f"{crystal.name}-F")


def found(crystals: list[Crystal], numbers: np.ndarray) -> tuple[list[Framework], list[Recipe]]:
    frameworks = [with_metal(take_apart(crystal), numbers) for crystal in crystals]
    return frameworks, list(recipes(frameworks, Shelf.of(frameworks, numbers), numbers))


def built(frameworks: list[Framework], recipe: Recipe) -> list[Crystal]:
    fills = [(slot.rows, fill.linker()) for slot, fill in recipe.pairs]
    return list(all_exchanged(frameworks[recipe.host], fills))


def rmse(crystals: list[Crystal], truth: Crystal) -> float:
    errors = [match[0].rmse for match in match_all([(crystal, truth) for crystal in crystals], workers=1)]
    return min((error for error in errors if error is not None), default=np.inf)


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 7), st.integers(0, 999))
def test_a_linker_comes_back_in_its_place(which, seed):
    """The donor lies elsewhere and otherwise; its fluorinated linker in the host gives the fluorinated host."""
    truth = fluorinated(HOST, which)
    numbers = np.sort(truth.numbers).astype(np.int64)
    frameworks, ways = found([HOST, disturbed(truth, 0.0, 0.0, seed)], numbers)
    made = [crystal for way in ways if way.host == 0 for crystal in built(frameworks, way)]
    assert all(Counter(crystal.numbers.tolist()) == Counter(numbers.tolist()) for crystal in made)
    assert rmse(made, truth) < 0.05


def test_groups_are_put_where_nobody_had_them():
    """Fluorine on three linkers, where the donor has it on one."""
    framework = take_apart(MOFS[0])
    fills = [((row,), bare(linker).linker) for row, linker in enumerate(framework.linkers)]
    host = next(all_exchanged(framework, fills))
    numbers = host.numbers.astype(np.int64)
    numbers[np.flatnonzero(numbers == 1)[:3]] = FLUORINE
    _, ways = found([host, fluorinated(host)], np.sort(numbers))
    assert {sum(fill.key[2] for fill in way.fills) for way in ways} == {3}
    assert {way.mixed for way in ways} == {0}
    assert (1, 1, 1) in {tuple(fill.count for fill in way.fills) for way in ways}


def test_linkers_come_from_several_donors():
    """A carboxylate and a pillar that no donor holds both."""
    other = MOFS[2]
    pillar = max(take_apart(HOST).linkers, key=lambda linker: len(linker.numbers))
    wanted = [k for k in take_apart(other).linkers if k.donors == CARBOXYLATES]
    node = [HOST.numbers[body.atoms] for body in take_apart(HOST).bodies if 30 in HOST.numbers[body.atoms]]
    metal = np.concatenate(node)
    numbers = np.sort(np.concatenate([metal[metal == 30], pillar.numbers, *(k.numbers for k in wanted)])).astype(int)
    frameworks, ways = found(MOFS, numbers)
    assert ways
    kinds = Counter([pillar.kind, *(k.kind for k in wanted)])
    hosts = {way.host for way in ways}
    made = [crystal for way in ways for crystal in built(frameworks, way)[:1]]
    assert kinds in [Counter(k.kind for k in take_apart(crystal).linkers) for crystal in made]
    assert hosts


def carboxylate(framework: Framework) -> tuple[int, Linker]:
    return next((row, k) for row, k in enumerate(framework.linkers) if k.donors == CARBOXYLATES)


def test_the_cell_takes_the_length_of_the_linker():
    short, long = take_apart(HOST), take_apart(MOFS[2])
    (row, old), (_, new) = carboxylate(short), carboxylate(long)
    grown = 2 * (new.arm - old.arm)
    assert grown > 1.0
    plan = plans(short, [((row,), new)])[0]
    built = exchanged(plan, {row: new})
    before, after = (np.linalg.norm(c.lattice, axis=1) for c in (short.crystal, built))
    assert np.sort(after - before) == pytest.approx([0, 0, grown], abs=0.15)
    assert len(built) == len(short.crystal) - len(old.atoms) + len(new.atoms)
    assert built.lattice == pytest.approx(plan.lattice)


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_a_framework_with_its_own_linkers_stays(crystal):
    framework = take_apart(crystal)
    fills = [((row,), linker) for row, linker in enumerate(framework.linkers)]
    same = list(all_exchanged(framework, fills))
    assert same[0].lattice == pytest.approx(crystal.lattice, abs=1e-3)
    assert rmse(same, crystal) < 1e-3


def test_nodes_keep_their_size_when_linkers_grow():
    """Metals of one node lie as far from each other as before."""
    short, long = take_apart(HOST), take_apart(MOFS[2])
    (row, _), (_, new) = carboxylate(short), carboxylate(long)

    def metals(crystal: Crystal) -> float:
        apart = np.diff(crystal.frac_coords[crystal.numbers == 30], axis=0)
        return float(np.linalg.norm((apart - np.round(apart)) @ crystal.lattice))

    assert metals(next(all_exchanged(short, [((row,), new)]))) == pytest.approx(metals(HOST), abs=0.05)


def test_slots_are_told_apart_by_direction_where_these_are_few():
    framework = take_apart(MOFS[0])  # three linkers of one kind
    assert [slot.rows for slot in slots(framework)] == [(0,), (1,), (2,)]


def test_metals_are_exchanged_where_there_is_one():
    copper = np.where(HOST.numbers == 30, 29, HOST.numbers).astype(np.int64)
    framework = take_apart(HOST)
    assert np.array_equal(with_metal(framework, copper).crystal.numbers, copper)
    assert with_metal(framework, copper[copper != 29]) is framework
    assert with_metal(framework, np.append(copper, 29)) is framework
    mixed = copper.copy()
    mixed[np.flatnonzero(mixed == 29)[0]] = 28
    assert with_metal(framework, mixed) is framework


def test_what_nobody_has_cannot_be_built():
    numbers = np.append(HOST.numbers, 92).astype(np.int64)
    assert found(MOFS, numbers)[1] == []
