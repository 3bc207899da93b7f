import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.patterns import Lines
from xtal.physics import LineTable
from xtal.physics.line_table import DIRECTION_UNIT


@st.composite
def some_lines(draw):
    """Lines of up to 12 reflections, with directions as a crystal's have them, or without."""
    count = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    direction = rng.uniform(-1, 1, (count, 6)) if draw(st.booleans()) else None
    return Lines(np.sort(rng.uniform(0.2, 5, count)), rng.uniform(0.1, 1, count), None, (0.2, 5.0), direction)


tables = st.lists(some_lines(), max_size=6)


@given(tables)
def test_rows_come_back_as_they_went_in(rows):
    table = LineTable.stack(rows)
    assert len(table) == len(rows)
    for row, lines in enumerate(rows):
        back = table[row]
        np.testing.assert_allclose(back.q, lines.q, rtol=1e-6)
        np.testing.assert_allclose(back.intensity, lines.intensity, rtol=1e-6)
        assert back.q_range == pytest.approx(lines.q_range)
        direction = np.zeros((len(lines), 6)) if lines.direction is None else lines.direction
        np.testing.assert_allclose(back.direction, direction, atol=0.501 / DIRECTION_UNIT)


@given(tables, tables)
def test_joined_tables_are_the_table_of_all(above, below):
    joined, whole = LineTable.join([LineTable.stack(above), LineTable.stack(below)]), LineTable.stack(above + below)
    for name, array in vars(whole).items():
        np.testing.assert_array_equal(getattr(joined, name), array)
        assert getattr(joined, name).dtype == array.dtype


@given(tables.filter(len), st.data())
def test_padding_holds_no_intensity(rows, data):
    table = LineTable.stack(rows)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8)))
    q, intensity = table.padded(chosen)
    assert q.shape == intensity.shape == (len(chosen), max(len(rows[i]) for i in chosen))
    for place, row in enumerate(chosen):
        count = len(rows[row])
        np.testing.assert_allclose(q[place, :count], rows[row].q, rtol=1e-6)
        np.testing.assert_allclose(intensity[place, :count], rows[row].intensity, rtol=1e-6)
        assert not intensity[place, count:].any()


def test_a_table_of_nothing():
    table = LineTable.stack([])
    assert len(table) == len(LineTable.join([table, table])) == 0
    assert (table.q.shape, table.direction.shape, table.q_range.shape) == ((0,), (0, 6), (0, 2))
