"""Several indexes searched as one."""

import numpy as np
import pytest
from indexer_helpers import SALTS, publish_salts

import indexer.default
from indexer.storage import open_index
from indexer.storage.joined import split
from xtal.errors import UserError


@pytest.fixture(scope="module")
def both(home):
    return open_index("coremof2019-asr+lab", home)


def test_rows_of_both_follow_each_other(both, home):
    frameworks, lab = open_index("coremof2019-asr", home), open_index("lab", home)
    assert both.manifest.name == "coremof2019-asr+lab"
    assert both.manifest.build_id == f"{frameworks.manifest.build_id}+{lab.manifest.build_id}"
    assert len(both) == len(frameworks) + len(lab) == both.manifest.counts.entries
    row = both.row_of(str(lab.entries.ids[3]))
    assert row == len(frameworks) + 3
    assert (both.crystal(row).lattice == lab.crystal(3).lattice).all()
    np.testing.assert_array_equal(both.lines[row].q, lab.lines[3].q)
    assert both.vectors.reconstruct(row) == pytest.approx(lab.vectors.reconstruct(3))
    assert both.entries.group[row] == frameworks.entries.group.max() + 1 + lab.entries.group[3]


def test_an_id_that_several_hold_gets_the_name_of_its_index(tmp_path):
    publish_salts(tmp_path, "left", SALTS[:3])
    publish_salts(tmp_path, "right", SALTS[2:])
    both = open_index("left+right", tmp_path)
    assert list(both.entries.ids) == ["halite", "sylvite", "left/periclase", "right/periclase", "lime", "galena"]
    assert [both.row_of(str(id_)) for id_ in both.entries.ids] == list(range(6))
    assert both.entries.row_of("periclase") is both.entries.row_of("left/lime") is None
    assert both.entries.rows == dict(zip(both.entries.ids.tolist(), range(6), strict=True))
    assert both.entries.ids[np.array([-1, 2])].tolist() == ["galena", "left/periclase"]
    assert both.entries.ids[1:3].tolist() == ["sylvite", "left/periclase"]
    assert both.entries.formulas[both.entries.of_formula("MgO")].tolist() == ["MgO", "MgO"]
    rows = np.array([4, 0, 3])
    few = both.take(rows)
    assert few.entries.ids.tolist() == ["lime", "halite", "right/periclase"]
    assert few.entries.group.tolist() == both.entries.group[rows].tolist() == [4, 0, 3]
    for place, row in enumerate(rows.tolist()):
        np.testing.assert_array_equal(few.lines[place].q, both.lines[row].q)
        np.testing.assert_array_equal(few.crystal(place).lattice, both.crystal(row).lattice)
    assert both.lines.take(rows[:0]).q.size == 0


def test_an_index_named_twice_is_searched_once(home):
    assert split("lab+lab") == ["lab"]
    assert len(open_index("lab+lab", home)) == len(open_index("lab", home))


def test_one_that_is_missing_is_named(home):
    with pytest.raises(UserError, match="index 'salts' not found"):
        open_index("lab+salts", home)


def test_what_is_missing_is_built_with_the_fingerprint_of_what_is_there(home, monkeypatch):
    """So that they can be searched together, whatever fingerprint the first was built with."""
    import models

    built = []
    monkeypatch.setattr(indexer.default, "built_names", lambda: ["coremof2019-asr"])
    monkeypatch.setattr(indexer.default, "read_manifest", lambda name: open_index(name, home).manifest)
    monkeypatch.setattr(indexer.default, "build", lambda plan, progress: built.append(plan))  # noqa: ARG005
    other = models.load("cpcp-reciprocal")
    assert indexer.default.build_if_missing("coremof2019-asr+lab", other, lambda *_: None)
    assert [(plan.name, plan.embedder.name) for plan in built] == [("lab", "profile")]
