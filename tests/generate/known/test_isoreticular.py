from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import disturbed, small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.benchmark.matching import match_all
from generate.known.exchange import exchanged
from generate.known.isoreticular import Exchange, exchanges, with_metal
from xtal.crystals import Crystal, take_apart
from xtal.crystals.linkers import Framework

MOFS = small_mofs()
HOST = MOFS[3]
FLUORINE = 9


def fluorinated(crystal: Crystal, which: int = 0) -> Crystal:
    """Put fluorine in the place of one hydrogen; the C-F bond stays short."""
    numbers = crystal.numbers.copy()
    numbers[np.flatnonzero(numbers == 1)[which]] = FLUORINE
    return replace(crystal, numbers=numbers, name=f"{crystal.name}-F")


def found(crystals: list[Crystal], numbers: np.ndarray) -> tuple[list[Framework], list[Exchange]]:
    frameworks = [with_metal(take_apart(crystal), numbers) for crystal in crystals]
    return frameworks, list(exchanges(frameworks, numbers))


def rmse(built: list[Crystal], truth: Crystal) -> list[float | None]:
    return [match[0].rmse for match in match_all([(crystal, truth) for crystal in built])]


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 7), st.integers(0, 999))
def test_a_linker_comes_back_in_its_place(which, seed):
    """The donor lies elsewhere and otherwise; its fluorinated linker in the host gives the fluorinated host."""
    truth = fluorinated(HOST, which)
    numbers = np.sort(truth.numbers).astype(np.int64)
    frameworks, ways = found([HOST, disturbed(truth, 0.0, 0.0, seed)], numbers)
    assert [(way.host, way.donor) for way in ways] == [(0, 1), (1, 1)]  # the donor itself needs none
    built = exchanged(frameworks[0], ways[0].linkers)
    assert all(Counter(crystal.numbers.tolist()) == Counter(numbers.tolist()) for crystal in built)
    errors = [error for error in rmse(built, truth) if error is not None]
    assert min(errors) < 0.02


def test_the_cell_takes_the_length_of_the_linker():
    short, long = take_apart(MOFS[3]), take_apart(MOFS[2])
    (old,) = (k for k in short.linkers if k.grips == ((6, 8, 8), (6, 8, 8)))
    (new,) = (k for k in long.linkers if k.grips == ((6, 8, 8), (6, 8, 8)))
    grown = np.linalg.norm(np.diff(new.node, axis=0)) - np.linalg.norm(np.diff(old.node, axis=0))
    assert grown > 1.0
    built = exchanged(short, {old.kind: new})
    assert built
    before, after = (np.linalg.norm(c.lattice, axis=1) for c in (short.crystal, built[0]))
    change = np.sort(after - before)
    assert change == pytest.approx([0, 0, grown], abs=0.15)
    assert len(built[0]) == len(short.crystal) - len(old.atoms) + len(new.atoms)


def doubled(crystal: Crystal) -> Crystal:
    """Two cells as one."""
    frac = np.concatenate([crystal.frac_coords, crystal.frac_coords + np.array([1, 0, 0])]) / [2, 1, 1]
    return Crystal(crystal.lattice * [[2], [1], [1]], frac, np.tile(crystal.numbers, 2))


def test_every_linker_of_a_kind_is_exchanged():
    donor = fluorinated(HOST)
    truth = doubled(donor)
    frameworks, ways = found([doubled(HOST), donor], np.sort(truth.numbers).astype(np.int64))
    assert [way.donor for way in ways] == [1]
    assert min(e for e in rmse(exchanged(frameworks[0], ways[0].linkers), truth) if e is not None) < 0.02


def test_metals_are_exchanged_where_there_is_one():
    copper = np.where(HOST.numbers == 30, 29, HOST.numbers).astype(np.int64)
    framework = take_apart(HOST)
    assert np.array_equal(with_metal(framework, copper).crystal.numbers, copper)
    assert with_metal(framework, copper[copper != 29]) is framework
    assert with_metal(framework, np.append(copper, 29)) is framework
    mixed = copper.copy()
    mixed[np.flatnonzero(mixed == 29)[0]] = 28
    assert with_metal(framework, mixed) is framework


def test_nothing_is_exchanged_for_its_like():
    """What holds the right atoms already is taken as it is."""
    numbers = np.sort(HOST.numbers).astype(np.int64)
    frameworks, ways = found([HOST, disturbed(HOST, 0.0, 0.0, 1)], numbers)
    assert [(way.host, way.donor, dict(way.linkers)) for way in ways] == [(0, 0, {}), (1, 1, {})]
    (same,) = exchanged(frameworks[0], {})
    assert rmse([same], HOST)[0] < 1e-6


def test_what_nobody_has_cannot_be_built():
    numbers = np.append(HOST.numbers, 92).astype(np.int64)
    assert found(MOFS, numbers)[1] == []
