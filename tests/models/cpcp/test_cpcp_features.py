import numpy as np
import pytest
from cpcp_helpers import real_crystals, supercell, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cpcp import features
from xtal.patterns import Lines
from xtal.physics import LineTable


def lines_of(q: list[float], intensity: list[float], reach: float = 6.0) -> Lines:
    return Lines(np.array(q), np.array(intensity), None, (0.2, reach))


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(0.01, 1.0), max_size=9), min_size=1, max_size=5), st.integers(1, 6))
def test_found_lines_come_strongest_first_and_padded(intensities, length):
    rows = [Lines(0.3 + 0.1 * np.arange(len(i)), np.array(i), 0.01 * np.arange(len(i))) for i in intensities]
    batch = features.batch_lines(rows, length)
    assert batch.q.shape == batch.intensity.shape == batch.width.shape == (len(rows), length)
    assert (np.diff(batch.intensity, axis=1) <= 0).all()
    for i, row in enumerate(rows):
        kept = min(length, len(row))
        assert (batch.intensity[i] > 0).sum() == kept
        assert batch.intensity[i, :kept] == pytest.approx(np.sort(row.intensity)[::-1][:kept], rel=1e-5)
        places = np.searchsorted(row.q, batch.q[i, :kept] - 1e-4)
        assert batch.width[i, :kept] == pytest.approx(row.width[places])
        assert (batch.q[i, kept:] == 0).all()


def test_lines_that_no_crystal_is_computed_for_are_left_out():
    row = Lines(np.array([0.1, 1.0, 2.0, 7.0]), np.array([1.0, 0.25, 0.5, 1.0]), None, (0.05, 8.0))
    batch = features.batch_lines([row], 4)
    assert batch.q[0].tolist() == [2.0, 1.0, 0, 0]
    assert batch.intensity[0].tolist() == [1.0, 0.5, 0, 0]
    assert batch.q_range[0] == pytest.approx([0.2, 6.0])


def test_close_lines_become_one_with_their_weight_and_mean():
    table = LineTable.stack([lines_of([1.0, 1.004, 1.2], [1.0, 0.5, 0.75]), lines_of([1.2], [1.0])])
    merged = features.resolved(table, 0.01)
    assert merged.offsets.tolist() == [0, 2, 3]
    assert merged.q == pytest.approx([(1.0 + 0.5 * 1.004) / 1.5, 1.2, 1.2], abs=1e-6)
    assert merged.intensity == pytest.approx([1.0, 0.5, 1.0])


def test_a_long_run_of_close_lines_is_not_one_line():
    q = np.arange(1.0, 1.1, 0.004)
    merged = features.resolved(LineTable.stack([lines_of(list(q), [1.0] * len(q))]), 0.01)
    assert 5 <= len(merged.q) <= 6
    assert np.diff(merged.q).min() > 0.01


def test_strongest_keeps_what_lines_keep():
    rows = [lines_of([0.5, 0.7, 0.9, 1.1], [0.2, 1.0, 0.1, 0.6]), lines_of([], []), lines_of([1.0], [1.0])]
    kept = features.strongest(LineTable.stack(rows), 2)
    for i, row in enumerate(rows):
        assert kept[i].q == pytest.approx(row.strongest(2).q)
        assert kept[i].intensity == pytest.approx(row.strongest(2).intensity)


def test_reach_is_common_where_enough_lines_lie_within():
    many = np.linspace(0.5, 2.2, features.ENOUGH)
    rich = lines_of([*many, 4.0], [*np.full(len(many), 0.5), 1.0], 5.0)
    poor = lines_of([1.0, 2.0, 4.0], [1.0, 0.5, 0.2], 5.0)
    cut = features.within_common_reach(LineTable.stack([rich, poor]))
    assert cut.q_range[:, 1].tolist() == pytest.approx([2.3, 5.0])
    assert len(cut[0]) == len(many)
    assert cut[0].intensity.max() == 1.0  # the strongest line of the rich one lay beyond
    assert len(cut[1]) == 3


def test_a_supercell_shows_the_same_lines():
    for crystal in real_crystals(8):
        lines = features.computed_lines(table_of([crystal, supercell(crystal)]), 64)
        assert lines.q_range[0] == pytest.approx(lines.q_range[1])
        assert np.sort(lines.intensity[0])[::-1] == pytest.approx(np.sort(lines.intensity[1])[::-1], abs=2e-4)


def test_composition_is_shares_and_density():
    crystal = real_crystals(1)[0]
    row, doubled = features.composition_features([crystal, supercell(crystal)])
    assert row == pytest.approx(doubled)
    assert row[: features.ELEMENTS].sum() == pytest.approx(1)
    assert row[6] == pytest.approx((crystal.numbers == 6).mean())
    assert row[features.ELEMENTS] == pytest.approx(10 * len(crystal) / crystal.volume)


def test_no_crystals_are_no_rows():
    lines = features.computed_lines(LineTable.stack([]), 16)
    assert len(lines) == 0
    assert features.composition_features([]).shape == (0, features.ELEMENTS + 1)
