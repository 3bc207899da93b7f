"""Cells that explain nothing are not searched."""

from dataclasses import replace

import numpy as np
import pytest

from generate.solving import starts
from xtal.physics.indexing import IndexedCell

CELL = IndexedCell(np.eye(3) * 8, np.eye(3) * 8, "P", "cubic", 512.0, 0.0, 20.0, 20, 0.1, -100.0, 0.5)


@pytest.mark.parametrize(("probability", "kept"), [(0.5, 2), (starts.HOPELESS / 2, 0)])
def test_cells_are_kept_while_the_first_is_not_hopeless(monkeypatch, probability, kept):
    cells = [replace(CELL, probability=probability), replace(CELL, probability=0.001)]
    monkeypatch.setattr(starts, "index_pattern", lambda *_: cells)
    assert len(starts.indexed(None, np.array([30, 16]), 30.0)) == kept
