import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexer_helpers import SALTS

from indexer.storage import EntryTable
from indexer.storage.entries import read_entries, write_entries
from xtal.crystals import Crystal

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
crystals = st.builds(
    lambda numbers, edge, name: Crystal(edge * np.eye(3), np.zeros((len(numbers), 3)), numbers, name=name),
    st.lists(st.integers(1, 98), min_size=1, max_size=6),
    st.floats(1, 100),
    words,
)


def assert_same(table, other):
    for column in ("ids", "names", "formulas", "n_atoms", "volume", "density", "group", "elements"):
        np.testing.assert_array_equal(getattr(table, column), getattr(other, column), strict=True)


@settings(max_examples=25)
@given(st.lists(st.tuples(words, crystals), min_size=1, max_size=8, unique_by=lambda pair: pair[0]))
def test_parquet_gives_back_every_column(tmp_path_factory, rows):
    ids, found = zip(*rows, strict=True)
    table = EntryTable.describe(ids, found)
    path = tmp_path_factory.mktemp("entries") / "entries.parquet"
    write_entries(path, table)
    assert_same(read_entries(path), table)


def test_a_path_with_wildcards_is_taken_literally(tmp_path):
    path = tmp_path / "a[b]*" / "group=7" / "entries.parquet"
    path.parent.mkdir(parents=True)
    table = EntryTable.describe([s.name for s in SALTS], SALTS)
    write_entries(path, table)
    assert_same(read_entries(path), table)


def test_other_programs_can_query_the_elements(tmp_path):
    write_entries(tmp_path / "e.parquet", EntryTable.describe([s.name for s in SALTS], SALTS))
    table = duckdb.read_parquet(str(tmp_path / "e.parquet"))
    assert table.filter("list_contains(elements, 'O')").select("id").fetchall() == [("periclase",), ("lime",)]


def test_joined_tables_keep_rows_and_number_groups_anew():
    first, second = EntryTable.describe(["a", "b"], SALTS[:2]), EntryTable.describe(["c"], SALTS[2:3])
    table = EntryTable.join([first, second])
    assert table.rows == {"a": 0, "b": 1, "c": 2}
    assert table.group.tolist() == [0, 1, 2]
    assert table.formulas.tolist() == ["ClNa", "ClK", "MgO"]


def test_columns_of_unequal_length_are_refused():
    table = EntryTable.describe(["a"], SALTS[:1])
    with pytest.raises(ValueError, match="column volume has 2 rows, ids has 1"):
        EntryTable(
            table.ids,
            table.names,
            table.formulas,
            table.n_atoms,
            np.ones(2),
            table.density,
            table.group,
            table.elements,
        )
