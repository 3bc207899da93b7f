import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from indexer_helpers import CIFS, SALTS, BinEmbedder, ScriptedSource, scripted_plan
from typer.testing import CliRunner

import models
from indexer.__main__ import app
from indexer.build import build
from indexer.plan import Plan, open_plan
from indexer.pool import MachineError
from indexer.prepare import Task, Trouble, prepare
from indexer.storage import store
from indexer.storage.manifest import Broken, Counts
from xtal.errors import UserError
from xtal.sources import Record


def run(*arguments, home, **options):
    environment = {**os.environ, "XTALSCOUT_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "indexer", *arguments], env=environment, capture_output=True, text=True, **options
    )


def invoke(*arguments, home, **options):
    """Run a command in this process, which spares its start."""
    return CliRunner().invoke(app, arguments, env={"XTALSCOUT_HOME": str(home)}, **options)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """An index of 30 CoRE MOF entries, built from the command line."""
    home = tmp_path_factory.mktemp("home")
    done = run("build", "coremof2019-asr", "--limit", "30", "--workers", "1", "--json", home=home)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout), done.stderr


def test_real_entries_find_themselves(real):
    home, manifest, _ = real
    index = store.open_index("coremof2019-asr", home, models.load())
    assert len(index) == manifest["counts"]["entries"] == 30
    assert manifest["sources"][0]["licence"] == "CC BY 4.0"
    assert index.entries.ids[0].endswith("_clean")
    crystals = [index.crystal(row) for row in range(30)]
    vectors = models.load().embed_crystals(crystals, index.lines.take(np.arange(len(index))))
    scores, rows = index.vectors.search(vectors, 1)
    np.testing.assert_allclose(scores, 1, atol=1e-5)
    group = index.entries.group
    assert (group[rows.ravel()] == group).all()
    assert (index.entries.n_atoms == [len(c) for c in crystals]).all()
    assert ((index.entries.density > 0.3) & (index.entries.density < 5)).all()


def test_the_command_line_shows_checks_and_removes_an_index(real, tmp_path):
    home, manifest, progress = real
    assert re.search("prepare: .*30[/ ]", progress)
    assert "entries/s" in progress
    assert json.loads(invoke("list", "--json", home=home).stdout) == [manifest]
    assert "30 entries" in invoke("list", home=home).stdout
    shown = invoke("info", "coremof2019-asr", home=home).stdout
    assert "Chung et al." in shown
    assert json.loads(invoke("info", "coremof2019-asr", "--json", home=home).stdout)["broken"] == []
    assert (
        invoke("verify", "coremof2019-asr", home=home).stdout
        == "coremof2019-asr: all 7 files are as they were written\n"
    )
    asked = invoke("remove", "coremof2019-asr", home=home, input="n\n")
    assert asked.exit_code == 1
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", home, copy], check=True)
    (copy / "indexes" / "coremof2019-asr" / manifest["build_id"] / "lines.npz").write_bytes(b"")
    (copy / "indexes" / "half").mkdir()
    (copy / "indexes" / "half" / "current").write_bytes(b"")
    listed = invoke("list", home=copy)
    assert listed.exit_code == 3
    assert "coremof2019-asr  30 entries" in listed.stdout
    assert "error: index 'half' is damaged" in listed.stderr
    invoke("remove", "half", "--yes", home=copy)
    checked = invoke("verify", "coremof2019-asr", home=copy)
    assert checked.exit_code == 1
    assert "lines.npz has 0 bytes instead of" in checked.stdout
    assert json.loads(invoke("remove", "coremof2019-asr", "--yes", "--json", home=copy).stdout) == {
        "removed": "coremof2019-asr"
    }
    assert "no index in" in invoke("list", home=copy).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["info", "hmof400"], 2, "error: index 'hmof400' not found"),
        (["verify", "../x"], 2, "is not allowed"),
        (["build", "nonsense"], 2, "unknown database 'nonsense'"),
        (["build", "hmof400"], 2, "must be downloaded first"),
        (["build", "coremof2014", "--embedder", "nonsense"], 2, "embedder 'nonsense' is not known"),
        (["build", "coremof2014", "--limit", "0"], 2, "--limit"),
        (["build", "coremof2014", "coremof2014"], 2, "with different names"),
    ],
)
def test_wrong_usage_is_explained(tmp_path, arguments, code, words):
    done = invoke(*arguments, home=tmp_path)
    assert done.exit_code == code
    assert words in done.stderr
    assert done.stdout == ""


def test_help_is_quick():
    before = time.process_time()
    children = os.times().children_user + os.times().children_system
    done = subprocess.run([sys.executable, "-m", "indexer", "--help"], capture_output=True, text=True, check=True)
    used = os.times().children_user + os.times().children_system - children + time.process_time() - before
    assert {"build", "list", "info", "verify", "remove"} <= set(done.stdout.split())
    assert used < 0.5


def test_broken_crashing_and_large_entries_are_counted_not_fatal(tmp_path):
    payloads = (*CIFS[:2], ("bad", b"broken"), ("crash", b"crash"), ("big", b"large"), ("text", b"hello"), *CIFS[2:])
    manifest = build(scripted_plan(tmp_path, *payloads), workers=2)
    counts = manifest.counts
    assert (counts.entries, counts.groups, counts.broken, counts.left_out) == (5, 5, 3, 1)
    reasons = {b.id: b.reason for b in store.broken_entries("mine", tmp_path)}
    assert reasons["bad"] == "no cell"
    assert reasons["crash"] == "reading it crashed the worker process"
    assert set(reasons) == {"bad", "crash", "text"}
    index = store.open_index("mine", tmp_path)
    assert index.entries.ids.tolist() == [salt.name for salt in SALTS]
    assert not list((tmp_path / "indexes" / "mine").glob(".*"))


def test_an_entry_that_takes_too_long_is_broken(monkeypatch):
    monkeypatch.setattr("indexer.prepare.TIME_LIMIT", 0.05)
    monkeypatch.setattr("indexer.time_limit.LOADED", 2000)
    outcome = prepare(Task(ScriptedSource(()), Record("slow", b"loop"), "slow"))
    assert outcome == Broken("slow", "ItemTimeoutError: took longer than 0.05 s")


def test_one_that_waits_too_long_is_not(monkeypatch):
    monkeypatch.setattr("indexer.prepare.TIME_LIMIT", 0.05)
    outcome = prepare(Task(ScriptedSource(()), Record("slow", b"hang"), "slow"))
    assert outcome == Trouble("slow", "StalledError: took longer than 0.5 s, mostly waiting")


def test_want_of_memory_ends_a_build_and_is_never_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.pool.PAUSES", (0.0,))
    monkeypatch.setattr("indexer.build.SHARD", 3)
    full = tmp_path / "full"
    full.touch()
    short = f"memory {full}".encode()
    plan = scripted_plan(tmp_path, *CIFS[:4], ("short", short), CIFS[4])
    with pytest.raises(MachineError, match=r"could not prepare 'short' \(MemoryError\), 2 times; free some memory"):
        build(plan, workers=1)
    assert len(list(plan.folder.glob("shard-*"))) == 1  # the one before it
    full.unlink()
    assert build(plan, workers=1).counts == Counts(entries=6, groups=5)


def test_nothing_usable_is_an_error_with_the_reasons(tmp_path):
    with pytest.raises(UserError, match="no usable crystal in scripted: a: no cell; b: no cell"):
        build(scripted_plan(tmp_path, ("a", b"broken"), ("b", b"broken")), workers=1)
    with pytest.raises(UserError, match="every entry is too large"):
        build(scripted_plan(tmp_path, ("a", b"large")), workers=1)


def test_several_sources_share_an_index(tmp_path):
    first = ScriptedSource(CIFS[:2], "one", "one:1")
    plan = Plan("both", (first, replace(first, name="two", source_id="two:1")), BinEmbedder(), home=tmp_path)
    build(plan, workers=1)
    index = store.open_index("both", tmp_path)
    assert index.entries.ids.tolist() == ["one/halite", "one/sylvite", "two/halite", "two/sylvite"]
    assert index.entries.group.tolist() == [0, 1, 0, 1]


def test_many_broken_entries_end_with_code_3(tmp_path):
    folder = tmp_path / "cifs"
    folder.mkdir()
    for name, text in CIFS:
        (folder / f"{name}.cif").write_bytes(text)
    (folder / "bad.cif").write_text("data_x")
    done = run("build", f"cif:{folder}", "--workers", "1", home=tmp_path)
    assert done.returncode == 3
    assert "5 entries in 5 groups of equal structures, 1 broken" in done.stdout
    assert "broken: bad:" in invoke("info", "cifs", home=tmp_path).stdout


def test_plans_differ_in_whatever_changes_the_outcome(tmp_path):
    plan = scripted_plan(tmp_path, *CIFS)
    same = scripted_plan(tmp_path, *CIFS)
    changed = [
        scripted_plan(tmp_path, *CIFS, source_id="scripted:2"),
        replace(plan, limit=3),
        replace(plan, embedder=BinEmbedder(model_id="c" * 64)),
    ]
    assert plan.folder == same.folder
    assert len({p.folder for p in (plan, *changed)}) == 4
    with pytest.raises(UserError, match="limit must be at least 1, got 0"):
        replace(plan, limit=0)
    with pytest.raises(UserError, match="one or more sources"):
        replace(plan, sources=())


def test_a_plan_knows_its_name_and_command(tmp_path):
    path = tmp_path / "my mofs.cif"
    path.write_bytes(CIFS[0][1])
    plan = open_plan([f"cif:{path}", "coremof2014"], BinEmbedder(), limit=4, home=tmp_path)
    assert plan.name == "my-mofs_coremof2014"
    assert plan.command == f"python -m indexer build 'cif:{path}' coremof2014 --name my-mofs_coremof2014 --limit 4"


def test_a_shard_of_changed_records_is_not_reused(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.build.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    plan = scripted_plan(tmp_path, *CIFS)
    with pytest.raises(KeyboardInterrupt):
        build(plan, workers=1)
    monkeypatch.undo()
    changed = scripted_plan(tmp_path, *CIFS[:4], ("galena", CIFS[3][1]))  # same source id, other content
    assert changed.folder == plan.folder
    build(changed, workers=1)
    assert store.open_index("mine", tmp_path).entries.formulas.tolist() == ["ClNa", "ClK", "MgO", "CaO", "CaO"]
