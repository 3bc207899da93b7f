"""Indexes that grow are the ones that a build from scratch gives."""

import numpy as np
import pytest
from indexer_helpers import CIFS, BinEmbedder, ScriptedSource
from typer.testing import CliRunner

from indexer.__main__ import app
from indexer.build import build
from indexer.grow import add, merge
from indexer.plan import Plan
from indexer.storage import open_index, store
from xtal.errors import UserError

ONE, TWO = ScriptedSource(CIFS[:3], name="one"), ScriptedSource((*CIFS[2:], ("bad", b"no cif")), name="two")


def plan(home, name, *sources, **more):
    return Plan(name, sources, BinEmbedder(), home=home, **more)


def same(left, right):
    rows = np.arange(len(left))
    for table in ("entries", "lines"):
        other = getattr(right, table).take(rows)
        for column, values in vars(getattr(left, table).take(rows)).items():
            if column != "ids":
                np.testing.assert_array_equal(values, getattr(other, column))
    everything = [index.vectors.reconstruct_n(0, len(index)) for index in (left, right)]
    np.testing.assert_array_equal(*everything)
    assert all((left.crystal(row).frac_coords == right.crystal(row).frac_coords).all() for row in range(len(left)))


def test_adding_gives_what_one_build_of_all_sources_gives(tmp_path):
    build(plan(tmp_path, "grown", ONE), workers=1)
    manifest = add(plan(tmp_path, "grown", TWO, beside=True), workers=1)
    build(plan(tmp_path, "whole", ONE, TWO), workers=1)
    grown, whole = (open_index(name, tmp_path) for name in ("grown", "whole"))
    same(grown, whole)
    assert grown.entries.ids.tolist() == [i.removeprefix("one/") for i in whole.entries.ids]
    assert manifest.counts == whole.manifest.counts
    assert manifest.sources == whole.manifest.sources
    assert [b.id for b in store.broken_entries("grown", tmp_path)] == ["two/bad"]
    assert not store.verify("grown", tmp_path).problems


def test_equal_structures_of_several_sources_are_one_group(tmp_path):
    build(plan(tmp_path, "grown", ONE), workers=1)
    build(plan(tmp_path, "other", TWO), workers=1)
    manifest = merge(["grown", "other"], "both", tmp_path)
    both = open_index("both", tmp_path)
    rows = [row for row, id_ in enumerate(both.entries.ids) if id_.endswith(CIFS[2][0])]
    assert len(rows) == 2
    assert len(set(both.entries.group[rows].tolist())) == 1
    assert sorted(both.entries.ids[rows].tolist()) == [f"grown/{CIFS[2][0]}", f"other/{CIFS[2][0]}"]
    assert manifest.counts.entries == len(both) == 6
    assert len(open_index("grown", tmp_path)) == 3


def test_an_index_does_not_take_a_source_twice_and_stays_as_it_was(tmp_path):
    build(plan(tmp_path, "grown", ONE), workers=1)
    before = store.read_manifest("grown", tmp_path)
    with pytest.raises(UserError, match="already holds one"):
        add(plan(tmp_path, "grown", ONE, beside=True), workers=1)
    bad = ScriptedSource((("bad", b"no cif"),), name="bad")
    with pytest.raises(UserError, match="no usable crystal"):
        add(plan(tmp_path, "grown", bad, beside=True), workers=1)
    assert store.read_manifest("grown", tmp_path) == before


def test_nothing_is_added_to_an_index_that_is_not_there_or_of_another_model(tmp_path):
    with pytest.raises(UserError, match="none"):
        add(plan(tmp_path, "none", ONE, beside=True), workers=1)
    build(plan(tmp_path, "grown", ONE), workers=1)
    other = Plan("grown", (TWO,), BinEmbedder(model_id="c" * 64), home=tmp_path, beside=True)
    with pytest.raises(UserError, match="built with model"):
        add(other, workers=1)


def test_indexes_of_several_models_are_not_merged(tmp_path):
    build(plan(tmp_path, "a", ONE), workers=1)
    build(Plan("b", (TWO,), BinEmbedder(model_id="c" * 64), home=tmp_path), workers=1)
    with pytest.raises(UserError, match="one model"):
        merge(["a", "b"], "both", tmp_path)
    with pytest.raises(UserError, match="two or more"):
        merge(["a"], "both", tmp_path)
    with pytest.raises(UserError, match="new name"):
        merge(["a", "b"], "a", tmp_path)
    assert "both" not in [m.name for m in store.list_indexes(tmp_path).manifests]


def test_from_the_command_line(tmp_path):
    """Sources of CIFs; the command that builds the result again is in the manifest."""
    for name, some in (("one", CIFS[:3]), ("two", CIFS[3:])):
        (tmp_path / name).mkdir()
        for stem, content in some:
            (tmp_path / name / f"{stem}.cif").write_bytes(content)
    home = {"XTALSCOUT_HOME": str(tmp_path / "home")}
    one, two = (f"cif:{tmp_path / name}" for name in ("one", "two"))
    steps = [
        ["build", one, "--name", "salts", "--embedder", "profile", "--workers", "1"],
        ["add", "salts", two, "--workers", "1"],
        ["build", two, "--name", "rest", "--embedder", "profile", "--workers", "1"],
        ["merge", "salts", "rest", "--name", "all"],
    ]
    for step in steps:
        done = CliRunner().invoke(app, step, env=home)
        assert done.exit_code == 0, done.output
    assert len(open_index("salts", tmp_path / "home")) == 5
    assert len(open_index("all", tmp_path / "home")) == 7
    built, added = store.read_manifest("salts", tmp_path / "home").rebuild_command("other").split(" && ")
    assert built.endswith("--name salts --embedder other")
    assert added.endswith(f"add salts {two}")
    refused = CliRunner().invoke(app, ["add", "nothing", two], env=home)
    assert refused.exit_code == 2
    assert "nothing" in refused.output
