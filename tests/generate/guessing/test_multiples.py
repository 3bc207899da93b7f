"""How many formula units a cell holds: from its volume, and through the run with time and candidates shared."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from generate.guessing import Multiple, indexed_cells, likely_multiples
from generate.guessing.multiples import LEAST, MOST, ROOM, ln_density
from generate.request import Request
from generate.run import COUNTING, generate_with
from xtal.crystals import CrystalTable, atoms_of_formula
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

FAMILIES = CrystalTable.load(Path(__file__).parents[2] / "data" / "core_mof_families.npz")
UNIT = atoms_of_formula("C8H4O5Zn")


def cells(*volumes: float) -> Sequence[SimpleNamespace]:
    """Cells of these volumes (Å³), the first of them nearly certain."""
    return [SimpleNamespace(volume=v, probability=0.9 if not n else 0.1 / len(volumes)) for n, v in enumerate(volumes)]


@pytest.mark.parametrize("units", [1, 2, 4])
def test_the_volume_tells_how_many_units_there_are(units):
    room = 16.0 * (14 + 0.3 * 4)
    found = likely_multiples(cells(units * room), UNIT)
    assert found[0].units == units
    assert found[0].probability > 0.5
    assert len(found) <= MOST
    assert all(one.probability >= LEAST for one in found)


def test_a_formula_written_as_a_multiple_is_one_unit():
    unit, room = atoms_of_formula("CH2O"), 14.0 * (2 + 0.3 * 2)
    assert likely_multiples(cells(24 * room), unit)[0].units < 12
    found = likely_multiples(cells(24 * room), unit, 12)
    assert found[0].units == 24
    assert found[0].probability > 0.9
    assert likely_multiples(cells(4 * room), unit, 12)[0].units == 4  # a cell decides, whatever was written


def test_what_was_written_is_what_is_counted(monkeypatch):
    asked = []
    monkeypatch.setattr("generate.run.indexed_cells", lambda _sample: cells(24 * 14.0 * 2.6))
    generator = SimpleNamespace(generate=lambda _sample, numbers, *_: asked.append(len(numbers)) or [])
    found = generate_with(generator, None, None, "(CH2O)12", None, Request(count=8))
    assert asked[0] == 96
    assert found.notes[0].startswith("the primitive cell was taken to hold 2 (")


def test_an_unlikely_cell_changes_little():
    room = 16.0 * (14 + 0.3 * 4)
    assert likely_multiples(cells(2 * room, 8 * room), UNIT)[0].units == 2


def test_without_a_cell_what_is_usual_is_taken():
    assert [one.units for one in likely_multiples([], UNIT)] == [2, 4, 1]


def test_cells_hold_no_more_atoms_than_can_be_generated():
    large = atoms_of_formula("C100H60O60Zn10")
    assert [one.units for one in likely_multiples([], large)] == [1]
    with pytest.raises(UserError, match="this formula alone has 460"):
        likely_multiples([], np.tile(large, 2))


def test_the_density_falls_off_on_both_sides():
    rooms = np.geomspace(4.0, 600.0, 60)
    density = ln_density(rooms)
    top = int(density.argmax())
    assert 12.0 < rooms[top] < 17.0
    assert np.all(np.diff(density[rooms < 10]) > 0)
    assert np.all(np.diff(density[rooms > ROOM[-1]]) < 0)


def test_the_multiples_of_real_frameworks_are_among_those_tried():
    tried = FAMILIES[6], FAMILIES[0]
    for crystal, pattern in zip(tried, simulate_all(tried, 0.0, 0), strict=True):
        unit = atoms_of_formula(crystal.reduced_formula)
        found = likely_multiples(indexed_cells(Sample.of(pattern)), unit)
        assert len(crystal) // len(unit) in [one.units for one in found]


def test_candidates_and_time_are_shared_as_probability_is(monkeypatch):
    asked, heard = [], []

    def generate(_sample, numbers, request, *_):
        asked.append((len(numbers), request.count, request.seconds))
        return []

    monkeypatch.setattr("generate.run.indexed_cells", lambda _sample: cells(1.0))
    monkeypatch.setattr("generate.run.likely_multiples", lambda *_: [Multiple(2, 0.66), Multiple(4, 0.22)])
    generator, request = SimpleNamespace(generate=generate), Request(count=8, seconds=60)
    found = generate_with(generator, None, None, "C16H8O10Zn2", None, request, heard.append)
    assert asked == [(36, 6, 45), (72, 2, 15)]
    assert "to hold 1 (66%) or 2 (22%) formula units, by the volumes" in found.notes[0]
    assert heard[0].what == COUNTING
    asked.clear()
    generate_with(generator, None, None, "C16H8O10Zn2", 1, replace(request, count=4))
    assert asked == [(36, 4, 60)]
