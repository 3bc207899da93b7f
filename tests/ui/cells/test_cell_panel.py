"""The panel that finds unit cells."""

from dataclasses import replace

import numpy as np
import pytest
from ui_fakes import SALT

from ui.cells.events import Found, find_cells, shown
from ui.inputs import FROM_FILE, Loaded, Source
from ui.view import View, pattern_view
from xtal.crystals import niggli, primitive
from xtal.patterns import Pattern
from xtal.physics.artefacts import Scan
from xtal.physics.profile import render
from xtal.physics.simulate import simulate


def view_of(pattern: Pattern, folder) -> View:
    return pattern_view(Loaded(pattern, Source(folder / "salt.xy", "salt.xy"), FROM_FILE))


@pytest.fixture
def salt(tmp_path):
    pattern = simulate(SALT, 0.0, np.random.default_rng(4), Scan(20.0, 110.0, 0.02, second=1 / 3))
    return view_of(replace(pattern, source="salt.xy"), tmp_path)


def test_the_button_waits_for_a_pattern(salt):
    assert shown(View(), None)[1].interactive is False
    table, button = shown(salt, None)
    assert button.interactive is True
    assert "Find unit cells" in table
    assert find_cells(View()) is None


def test_the_cells_of_a_pattern_are_listed_while_it_is_shown(salt, tmp_path):
    found = find_cells(salt)
    best = found.indexing.cells[0]
    assert best.volume == pytest.approx(niggli(primitive(SALT)).volume, rel=0.01)
    table, button = shown(salt, found)
    for text in (best.system, f"{best.conventional[0, 0]:.3f}", "Space groups of the first cell", "M20"):
        assert text in table
    assert ("Ambiguous" in table) == found.indexing.ambiguous
    assert button.interactive is False
    assert shown(replace(salt, message="another message"), found)[0] == table
    other = view_of(replace(salt.loaded.pattern, source="other.xy"), tmp_path)
    assert shown(other, found)[0] == shown(other, None)[0]


def test_too_few_lines_are_said(tmp_path):
    angles = np.linspace(5, 60, 2751)
    pattern = Pattern(angles, 1000 * render(angles, np.array([12.0, 31.0]), np.ones(2), 0.2) + 10, 1.5406)
    view = view_of(pattern, tmp_path)
    found = find_cells(view)
    assert found.indexing is None
    assert "indexing needs at least 5" in shown(view, found)[0]


def test_no_cell_is_ambiguous(salt):
    from xtal.physics.indexing import Indexing

    none = Found(salt.loaded.pattern, Indexing((), ()))
    assert "no cell explains the lines" in shown(salt, none)[0]
