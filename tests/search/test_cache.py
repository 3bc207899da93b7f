"""The cache gives back what was stored, survives kills, damage and other processes, and stays within its limit."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.candidate import Candidate
from search import cache_file
from search.cache import Cache, CacheError
from search.cache_key import Origin, solution_key
from search.history import HistoryEntry
from search.solution import Solution
from search.verdict import Verdict
from xtal.cif import read_cif
from xtal.errors import UserError
from xtal.pattern import Pattern

ROOT = Path(__file__).parents[2]
SETTINGS = {"k": 10, "elements": frozenset({"Zn", "O"}), "formula": None}
ORIGIN = Origin("e" * 64, "d" * 64, "coremof2019-asr", "20261123T000000-abc")
MODELS = (ORIGIN.embedder_id, ORIGIN.denoiser_id)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "cache.duckdb"


@pytest.fixture
def cache(path):
    with Cache.open(path) as cache:
        yield cache


@pytest.fixture(scope="session")
def solutions(engine, answers):
    """A match without, and a miss with, candidates: real crystals with numbers that are all different."""
    return [_solution(answer, _candidates(engine) if i % 2 else ()) for i, answer in enumerate(answers)]


def _candidates(engine):
    crystals = [replace(engine.index.crystal(row), name=f"generated-{row + 1}") for row in range(3)]
    return tuple(
        Candidate(i, crystal, 0.9 - i / 7, 0.8 - i / 7, np.inf, 1.01, "noise", 2**40, i, "d" * 64, 0.01, 0.12)
        for i, crystal in enumerate(crystals, 1)
    )


def _solution(answer, candidates=()):
    verdict = Verdict("miss" if candidates else "match", 0.123456789, ("fits: 0.9", "lines β unexplained"))
    key = solution_key(answer.pattern, SETTINGS, MODELS, ORIGIN.build_id)
    return Solution(key, answer, verdict, candidates, ("tried C8H4O5Zn",), 1.25)


def _in_another_process(code, path):
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _same_arrays(ours, theirs, names):
    for name in names:
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (other is None)
        assert mine is None or (mine.dtype == other.dtype and mine.tobytes() == other.tobytes())


def _same(found, stored):
    """Every field of every object is as it was; coordinates to 1e-7 of the cell."""
    assert found.answer.hits == stored.answer.hits
    _same_arrays(found.answer.pattern, stored.answer.pattern, ("two_theta", "intensity", "sigma"))
    _same_arrays(found.answer.lines, stored.answer.lines, ("q", "intensity", "width"))
    assert found.answer.lines.q_range == stored.answer.lines.q_range
    assert found.answer.timings == stored.answer.timings
    assert (found.answer.pattern.source, found.answer.pattern.wavelength) == (
        stored.answer.pattern.source,
        stored.answer.pattern.wavelength,
    )
    for name in ("key", "verdict", "notes", "seconds"):
        assert getattr(found, name) == getattr(stored, name)
    assert len(found.candidates) == len(stored.candidates)
    for ours, theirs in zip(found.candidates, stored.candidates, strict=True):
        for field in fields(Candidate):
            if field.name != "crystal":
                assert getattr(ours, field.name) == getattr(theirs, field.name)
        assert ours.crystal.name == theirs.crystal.name
        _same_arrays(ours.crystal, theirs.crystal, ("lattice", "numbers"))
        np.testing.assert_allclose(ours.crystal.frac_coords, theirs.crystal.frac_coords, atol=1e-7)


def test_what_was_stored_is_found_after_reopening(path, solutions):
    with Cache.open(path) as cache:
        assert all(cache.store(solution, SETTINGS, ORIGIN) for solution in solutions)
    with Cache.open(path) as cache:
        assert cache.notice == ""
        assert len(cache) == len(solutions)
        for stored in solutions:
            found = cache.find(stored.key)
            assert found.cached
            _same(found, stored)
    assert {len(s.candidates) for s in solutions} == {0, 3}


def test_a_pattern_asked_for_again_keeps_its_own_name(cache, solutions):
    cache.store(solutions[0], SETTINGS, ORIGIN)
    renamed = replace(solutions[0].answer.pattern, source="again.xy")
    assert cache.find(solutions[0].key, renamed).answer.pattern is renamed
    assert cache.find("0" * 64, renamed) is None


def test_storing_again_replaces(cache, solutions):
    cache.store(solutions[1], SETTINGS, ORIGIN)
    cache.store(replace(solutions[1], candidates=(), notes=()), SETTINGS, ORIGIN)
    found = cache.find(solutions[1].key)
    assert len(cache) == 1
    assert len(found.answer.hits) == len(solutions[1].answer.hits)
    assert (found.candidates, found.notes) == ((), ())


def test_only_the_latest_queries_are_kept(path, solutions):
    with Cache.open(path, limit=3) as cache:
        for solution in solutions[:5]:
            cache.store(solution, SETTINGS, ORIGIN)
        assert [entry.key for entry in cache.history()] == [s.key for s in solutions[4:1:-1]]
        assert cache.find(solutions[0].key) is None
        assert _rows(cache, "hits") == sum(len(s.answer.hits) for s in solutions[2:5])


def _rows(cache, table):
    return cache._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608


def test_a_store_that_fails_halfway_leaves_the_old_one(cache, solutions):
    cache.store(solutions[1], SETTINGS, ORIGIN)
    broken = replace(solutions[1], notes=("new",), candidates=(replace(solutions[1].candidates[0], seed=2**70),))
    assert not cache.store(broken, SETTINGS, ORIGIN)
    assert "could not be used" in cache.notice
    _same(cache.find(solutions[1].key), solutions[1])
    assert cache.store(solutions[0], SETTINGS, ORIGIN)


def test_a_key_is_checked(cache, solutions):
    with pytest.raises(ValueError, match="64 hexadecimal digits, got 'abc'"):
        cache.store(replace(solutions[0], key="abc"), SETTINGS, ORIGIN)


# ---- keys


def _pattern(**changes):
    two_theta = np.linspace(5, 40, 50)
    return replace(Pattern(two_theta, np.arange(50.0), 1.5406, source="a.xy"), **changes)


def test_the_key_is_this_one():
    """Pinned: a change would make every user's cache useless."""
    key = solution_key(_pattern(), {"k": 10}, ("m",), "i")
    assert key == "e9a0bcd70d4f32cdcee0759f0f72355d1608d9f82158e327eabfb1a50f0367f3"


def test_the_key_ignores_what_does_not_matter():
    @dataclass(frozen=True)
    class Settings:
        k: int = 10
        elements: frozenset[str] = frozenset({"Zn", "O", "C"})

    negative_zero = np.arange(50.0)
    negative_zero[0] = -0.0
    key = solution_key(_pattern(), Settings(), ("m",), "i")
    assert key == solution_key(_pattern(source="b.xy"), Settings(), ["m"], "i")
    assert key == solution_key(_pattern(), {"elements": frozenset({"C", "O", "Zn"}), "k": 10}, ("m",), "i")
    assert key == solution_key(_pattern(intensity=negative_zero), Settings(), ("m",), "i")


@given(st.sampled_from(["two_theta", "intensity", "sigma"]), st.integers(0, 49), st.floats(1e-9, 1e-3))
def test_the_key_sees_every_number(name, place, change):
    pattern = _pattern(sigma=np.ones(50))
    values = getattr(pattern, name).copy()
    values[place] += change
    changed = replace(pattern, **{name: values})
    same = np.array_equal(values, getattr(pattern, name))
    keys = {solution_key(p, {}, (), "") for p in (pattern, changed)}
    assert len(keys) == 2 - same


def test_the_key_sees_everything_else():
    asked = [
        (_pattern(), {"k": 10}, ("m", ""), "i"),
        (_pattern(wavelength=1.5407), {"k": 10}, ("m", ""), "i"),
        (_pattern(sigma=np.ones(50)), {"k": 10}, ("m", ""), "i"),
        (_pattern(), {"k": 11}, ("m", ""), "i"),
        (_pattern(), {"k": 10, "formula": "ZnO"}, ("m", ""), "i"),
        (_pattern(), {"k": 10}, ("m", "d"), "i"),
        (_pattern(), {"k": 10}, ("", "m"), "i"),
        (_pattern(), {"k": 10}, ("m", ""), "j"),
    ]
    assert len({solution_key(*one) for one in asked}) == len(asked)


def test_settings_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="settings hold text, numbers"):
        solution_key(_pattern(), {"home": object()}, (), "")


# ---- history


def test_history_lists_the_newest_first(cache, solutions):
    before = datetime.now(UTC)
    for solution in solutions[:3]:
        cache.store(solution, SETTINGS, ORIGIN, label="run 7")
    newest, middle, _ = cache.history()
    assert before <= middle.created <= newest.created <= datetime.now(UTC)
    hits = solutions[1].answer.hits
    assert middle == HistoryEntry(
        key=solutions[1].key,
        created=middle.created,
        source=solutions[1].answer.pattern.source,
        label="run 7",
        index="coremof2019-asr",
        kind="miss",
        probability=0.123456789,
        top_hit=hits[0].name,
        candidates=3,
    )
    assert middle.short_id == solutions[1].key[:8]
    assert len(cache.history(limit=2)) == 2


def test_history_can_be_searched(cache, solutions):
    for solution in solutions[:4]:
        cache.store(solution, SETTINGS, ORIGIN, label=f"Sample {solution.key[:6]}")
    assert [e.key for e in cache.history(search=f"sample {solutions[2].key[:6]}")] == [solutions[2].key]
    name = solutions[3].answer.hits[0].name
    assert solutions[3].key in [e.key for e in cache.history(search=name.lower())]
    assert {e.kind for e in cache.history(search="miss")} == {"miss"}
    assert cache.history(search="100%_") == []


def test_a_solution_without_hits_is_listed(cache, solutions):
    empty = replace(solutions[0], answer=replace(solutions[0].answer, hits=()))
    cache.store(empty, SETTINGS, ORIGIN)
    assert [e.top_hit for e in cache.history()] == [None]
    assert cache.find(empty.key).answer.hits == ()


def test_by_id_takes_the_start_of_a_key(cache, solutions):
    twins = [replace(solutions[0], key=f"abcd{digit}" + "0" * 59) for digit in "12"]
    for solution in (*twins, solutions[1]):
        cache.store(solution, SETTINGS, ORIGIN)
    _same(cache.by_id(solutions[1].key[:8].upper()), solutions[1])
    assert cache.by_id("abcd1").key == twins[0].key
    with pytest.raises(UserError, match="abcd names several queries: abcd10000000, abcd20000000; give more digits"):
        cache.by_id("abcd")
    with pytest.raises(UserError, match="at least 4 hexadecimal digits of its key, got 'abc'"):
        cache.by_id("abc")
    with pytest.raises(UserError, match="at least 4 hexadecimal"):
        cache.by_id("%%%%")
    with pytest.raises(UserError, match="no query abcd3 in the cache"):
        cache.by_id("abcd3")
    stored = cache.stored("abcd2")
    assert stored.origin == ORIGIN
    assert json.loads(stored.settings) == {"elements": ["O", "Zn"], "formula": None, "k": 10}


def test_forgetting(cache, solutions):
    for solution in solutions[:4]:
        cache.store(solution, SETTINGS, ORIGIN)
    assert cache.forget(solutions[1].key[:10]) == 1
    assert cache.find(solutions[1].key) is None
    with pytest.raises(UserError, match="no query"):
        cache.forget(solutions[1].key[:10])
    newest = cache.history()[0].created
    assert cache.forget_before(newest) == 2
    assert [e.key for e in cache.history()] == [solutions[3].key]
    zone = newest.astimezone().tzinfo
    assert cache.forget_before((newest - timedelta(seconds=1)).astimezone(zone)) == 0
    assert cache.forget_all() == 1
    assert cache.forget_all() == 0
    assert [_rows(cache, table) for table in ("queries", "patterns", "hits", "candidates")] == [0, 0, 0, 0]


def test_export_writes_a_line_for_every_query(cache, solutions, tmp_path):
    for solution in solutions[:4]:
        cache.store(solution, SETTINGS, ORIGIN)
    out = tmp_path / "all.jsonl"
    assert cache.export(out) == 4
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["key"] for line in lines] == [s.key for s in solutions[:4]]
    assert lines[1]["pattern"]["intensity"] == solutions[1].answer.pattern.intensity.tolist()
    assert lines[1]["hits"][0]["id"] == solutions[1].answer.hits[0].id
    assert lines[1]["candidates"][0]["chi_square"] is None  # infinite here, which JSON cannot say
    crystal = read_cif(lines[1]["candidates"][2]["cif"])
    assert crystal.composition == solutions[1].candidates[2].crystal.composition
    assert [p.name for p in tmp_path.glob("all*")] == ["all.jsonl"]
    with pytest.raises(UserError, match=r"all\.jsonl exists and is left alone"):
        cache.export(out)


# ---- other processes, damage, threads


def test_a_second_process_goes_on_without_a_cache(cache, solutions, path):
    cache.store(solutions[0], SETTINGS, ORIGIN)
    code = (
        "import sys; from pathlib import Path; from search.cache import Cache\n"
        "cache = Cache.open(Path(sys.argv[1]))\n"
        f"print(cache.usable, cache.find({solutions[0].key!r}), cache.history(), len(cache), cache.notice)\n"
        "try: cache.forget_all()\n"
        "except ValueError as error: print(error.exit_code, error)\n"
    )
    first, second = _in_another_process(code, path).splitlines()
    notice = rf"nothing is cached: process {os.getpid()} \(python[\d.]*\) holds {re.escape(str(path))}"
    assert re.fullmatch(rf"False None \[\] 0 {notice}", first)
    assert re.fullmatch(rf"1 {notice}", second)
    cache.close()  # now the other can have it
    assert _in_another_process(code, path).startswith("True Solution(")


def test_nothing_is_stored_where_nothing_can_be_cached(solutions, tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = Cache.open(tmp_path / "file" / "cache.duckdb")
    assert not cache.store(solutions[0], SETTINGS, ORIGIN)
    assert cache.find(solutions[0].key) is None
    assert "nothing is cached" in cache.notice
    with pytest.raises(CacheError, match="nothing is cached"):
        cache.by_id("abcd")


@pytest.mark.parametrize("content", [b"", b"not a database " * 400], ids=["empty", "garbage"])
def test_a_damaged_file_is_moved_aside(path, content, solutions):
    path.parent.mkdir()
    path.write_bytes(content)
    path.with_name("cache.duckdb.wal").write_bytes(b"a log")
    with Cache.open(path) as cache:
        assert re.search(r"cache\.duckdb is damaged .*moved to cache\.duckdb\.damaged-\d{8}T\d{6}Z and a", cache.notice)
        assert cache.store(solutions[0], SETTINGS, ORIGIN)
    (aside,) = path.parent.glob("cache.duckdb.damaged-*Z")
    assert aside.read_bytes() == content
    assert aside.with_name(f"{aside.name}.wal").read_bytes() == b"a log"
    with Cache.open(path) as cache:
        assert (cache.notice, len(cache)) == ("", 1)


def test_damage_found_while_reading_moves_the_file_aside(path, solutions):
    with Cache.open(path) as cache:
        for solution in solutions:
            cache.store(solution, SETTINGS, ORIGIN)
    with path.open("r+b") as file:
        file.seek(3 * 4096)  # behind the three headers
        file.write(b"\xff" * (path.stat().st_size - 3 * 4096))
    with Cache.open(path) as cache:
        found = [cache.find(solution.key) for solution in solutions]
        assert found == [None] * len(solutions)
        assert "is damaged" in cache.notice
        assert not path.exists() or cache.usable  # found on opening, when a new file is there, or later
    assert len(list(path.parent.glob("cache.duckdb.damaged-*Z"))) == 1
    with Cache.open(path) as cache:
        assert cache.notice == ""
        assert cache.store(solutions[0], SETTINGS, ORIGIN)


def test_two_damaged_files_in_one_second_are_both_kept(path):
    path.parent.mkdir()
    names = []
    for content in (b"one", b"two"):
        path.write_bytes(content)
        names.append(cache_file.set_aside(path))
    assert [name.read_bytes() for name in names] == [b"one", b"two"]


def test_a_newer_file_is_left_alone(path, cache):
    cache._connection.execute("UPDATE version SET number = 99")
    cache.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="made by a newer version of the program; this one reads version 1"):
        Cache.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change", ["UPDATE version SET number = 0", "DROP TABLE version", "UPDATE version SET tables=''"]
)
def test_an_older_file_is_moved_aside(path, cache, change):
    cache._connection.execute(change)
    cache.close()
    with Cache.open(path) as cache:
        assert "was made by an older version of the program; it was moved to" in cache.notice
        assert cache.usable
    assert len(list(path.parent.glob("cache.duckdb.damaged-*Z"))) == 1


def test_the_file_can_reach_nothing_else(cache, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.Error, match="disabled"):
        cache._connection.execute(f"SELECT * FROM '{tmp_path}/secret.csv'")  # noqa: S608
    with pytest.raises(duckdb.Error, match="locked"):
        cache._connection.execute("SET enable_external_access = true")


def test_threads_store_and_find_at_once(cache, solutions):
    """8 threads, each with keys of its own and one that all of them fight for."""
    shared, start = solutions[0], threading.Barrier(8)

    def work(thread):
        start.wait()
        keys = []
        for i in range(6):
            own = replace(solutions[(thread + i) % len(solutions)], key=f"{thread:02x}{i:02x}" + "a" * 60)
            assert cache.store(own, SETTINGS, ORIGIN)
            assert cache.store(shared, SETTINGS, ORIGIN)
            _same(cache.find(own.key), own)
            _same(cache.find(shared.key), shared)
            keys.append(own.key)
        return keys

    with ThreadPoolExecutor(8) as pool:
        keys = [key for own in pool.map(work, range(8)) for key in own]
    assert cache.notice == ""
    assert sorted(entry.key for entry in cache.history(limit=1000)) == sorted([*keys, shared.key])


def test_a_repeated_query_takes_milliseconds(cache, solutions):
    for i in range(40):
        cache.store(replace(solutions[i % 20], key=f"{i:064x}"), SETTINGS, ORIGIN)
    times = []
    for i in range(20):
        begun = time.perf_counter()
        assert cache.find(f"{i:064x}", solutions[i].answer.pattern) is not None
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.02


def test_what_was_acknowledged_survives_a_kill():
    script = ROOT / "tests" / "benchmarks" / "cache_kills.py"
    command = [sys.executable, script, "--kills", "3", "--json"]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert (result["kills"], result["lost"], result["moved_aside"]) == (3, 0, 0)
    assert result["acknowledged"] >= 3
    assert result["slowest_opening"] < 10
