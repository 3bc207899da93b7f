"""The panel that finds unit cells."""

from dataclasses import replace

import numpy as np
import pytest
from ui_fakes import SALT

from ui.cells.events import with_cells
from ui.cells.panel import CellPanel
from ui.inputs import FROM_FILE, Loaded, Source
from ui.view import View, pattern_view
from xtal.crystals import niggli, primitive
from xtal.patterns import Pattern
from xtal.physics.artefacts import Scan
from xtal.physics.profile import render
from xtal.physics.simulate import simulate


def shown(pattern: Pattern, folder) -> View:
    return pattern_view(Loaded(pattern, Source(folder / "salt.xy", "salt.xy"), FROM_FILE))


@pytest.fixture
def salt(tmp_path):
    pattern = simulate(SALT, 0.0, np.random.default_rng(4), Scan(20.0, 110.0, 0.02, second=1 / 3))
    return shown(replace(pattern, source="salt.xy"), tmp_path)


def test_the_button_waits_for_a_pattern_and_is_pressed_once(salt):
    def waits(view):
        return not CellPanel.values(view)[1].interactive

    assert waits(View())
    assert not waits(salt)
    assert "Find unit cells" in salt.cell_table


def test_the_cells_of_a_pattern_are_listed(salt):
    found = with_cells(salt)
    best = found.indexing.cells[0]
    assert best.volume == pytest.approx(niggli(primitive(SALT)).volume, rel=0.01)
    for text in (best.system, f"{best.conventional[0, 0]:.3f}", "Space groups of the first cell", "M20"):
        assert text in found.cell_table
    assert ("Ambiguous" in found.cell_table) == found.indexing.ambiguous
    assert CellPanel.values(found)[1].interactive is False
    assert found.message == salt.message


def test_too_few_lines_are_said(tmp_path):
    angles = np.linspace(5, 60, 2751)
    pattern = Pattern(angles, 1000 * render(angles, np.array([12.0, 31.0]), np.ones(2), 0.2) + 10, 1.5406)
    refused = with_cells(shown(pattern, tmp_path))
    assert refused.indexing is None
    assert "indexing needs at least 5" in refused.message


def test_no_cell_is_ambiguous(salt):
    from xtal.physics.indexing import Indexing

    assert "no cell explains the lines" in replace(salt, indexing=Indexing((), ())).cell_table
