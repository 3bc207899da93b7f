"""The cache's file survives kills, damage, other versions and other processes."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest
from cache_helpers import ORIGIN, SETTINGS

from search.cache import Cache, shared
from search.cache import file as cache_file
from search.cache.cache import CacheError
from xtal.errors import UserError

ROOT = Path(__file__).parents[3]


def _in_another_process(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


SECOND = (
    "import sys; from pathlib import Path; from search.cache import Cache, shared\n"
    "shared.PATIENCE = float(sys.argv[2])\n"
    "cache = Cache.open(Path(sys.argv[1]))\n"
)


def test_a_second_process_goes_on_without_a_cache_that_is_not_lent(solutions, path, monkeypatch):
    monkeypatch.setattr(shared, "LOOK", 1000.0)  # a process that does not look whether the file is asked for
    code = SECOND + (
        f"print(cache.usable, cache.find({solutions[0].key!r}), cache.history(), len(cache), cache.notice)\n"
        "try: cache.forget_all()\n"
        "except ValueError as error: print(error.exit_code, error)\n"
    )
    with Cache.open(path) as cache:
        cache.store(solutions[0], SETTINGS, ORIGIN)
        first, second = _in_another_process(code, path, "0.1").splitlines()
    notice = rf"nothing is cached: process {os.getpid()} \(python[\d.]*\) holds {re.escape(str(path))}"
    assert re.fullmatch(rf"False None \[\] 0 {notice}", first)
    assert re.fullmatch(rf"1 {notice}", second)
    found = _in_another_process(f"{SECOND}print(cache.find({solutions[0].key!r}))", path, "0.1")
    assert found.startswith("Solution(")  # now that it is closed, the other can have it


def test_the_file_is_lent_to_a_second_process_and_comes_back_as_that_left_it(cache, solutions, path):
    first, second = solutions[:2]
    cache.store(first, SETTINGS, ORIGIN)
    cache.store(second, SETTINGS, ORIGIN)
    code = f"{SECOND}print([entry.key for entry in cache.history()], cache.forget({first.key!r}))"
    assert _in_another_process(code, path, "20") == f"{[second.key, first.key]!r} 1"
    assert cache.usable
    assert [entry.key for entry in cache.history()] == [second.key]
    assert cache.find(first.key) is None
    assert cache.store(first, SETTINGS, ORIGIN)
    assert len(cache) == 2
    assert not list(path.parent.glob("*.wanted"))


def test_many_threads_go_on_while_the_file_goes_to_and_fro(cache, solutions, path):
    end, failures = time.monotonic() + 2.0, []

    def work(solution):
        """Store and find until the time is over."""
        while time.monotonic() < end:
            if not cache.store(solution, SETTINGS, ORIGIN) or cache.find(solution.key) is None:
                failures.append(cache.notice)

    threads = [threading.Thread(target=work, args=(solution,)) for solution in solutions[:4]]
    for thread in threads:
        thread.start()
    counted = [_in_another_process(f"{SECOND}print(cache.usable)", path, "20") for _ in range(2)]
    for thread in threads:
        thread.join()
    assert (counted, failures) == (["True"] * 2, [])
    assert len(cache) == 4


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
    cache._file._connection.execute("UPDATE version SET number = 99")
    cache.close()
    before = path.read_bytes()
    with pytest.raises(UserError, match="made by a newer version of the program; this one reads version 1"):
        Cache.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change", ["UPDATE version SET number = 0", "DROP TABLE version", "UPDATE version SET tables=''"]
)
def test_an_older_file_is_moved_aside(path, cache, change):
    cache._file._connection.execute(change)
    cache.close()
    with Cache.open(path) as cache:
        assert "was made by an older version of the program; it was moved to" in cache.notice
        assert cache.usable
    assert len(list(path.parent.glob("cache.duckdb.damaged-*Z"))) == 1


def test_the_file_can_reach_nothing_else(cache, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.Error, match="disabled"):
        cache._file._connection.execute(f"SELECT * FROM '{tmp_path}/secret.csv'")  # noqa: S608
    with pytest.raises(duckdb.Error, match="locked"):
        cache._file._connection.execute("SET enable_external_access = true")


def test_what_was_acknowledged_survives_a_kill():
    script = ROOT / "tests" / "benchmarks" / "cache_kills.py"
    command = [sys.executable, script, "--kills", "3", "--json"]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=here, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert (result["kills"], result["lost"], result["moved_aside"]) == (3, 0, 0)
    assert result["acknowledged"] >= 3
    assert result["slowest_opening"] < 10
