"""What was asked before: listed, searched, named, forgotten and written to a file."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cache_helpers import ORIGIN, SETTINGS, rows, same

from search.answer import Phase
from search.cache import HistoryEntry
from search.options import Options
from search.verdict import Verdict
from xtal.crystals import read_cif
from xtal.errors import UserError


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
        filters="only O, Zn",
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


def test_what_was_asked_with_edited_lines_is_marked(cache, solutions):
    lines = solutions[0].answer.lines
    forged = Options(formula='"lines": {', reduced_formula='\\"lines": {')
    for solution, options in zip(solutions, (Options(), Options(lines=lines), forged), strict=False):
        cache.store(solution, options, ORIGIN)
    assert {e.key: e.edited for e in cache.history()} == {
        solutions[0].key: False, solutions[1].key: True, solutions[2].key: False,
    }  # fmt: skip
    assert [e.key for e in cache.history(search="Edited peaks")] == [solutions[1].key]
    assert cache.find(solutions[1].key).answer.edited


def test_the_history_names_what_the_verdict_speaks_of(cache, solutions):
    first, other = solutions[1].answer.hits[0], replace(solutions[1].answer.hits[1], name="the framework")
    verdict = Verdict("other_state", 0.8, ("its lattice stretched",), None, (Phase(other, 0.8, 1.0, 1.0, 9.0),))
    cache.store(replace(solutions[1], verdict=verdict), SETTINGS, ORIGIN)
    cache.store(solutions[2], SETTINGS, ORIGIN)
    assert other.name != first.name
    assert [e.top_hit for e in cache.history()] == [solutions[2].answer.hits[0].name, "the framework"]
    assert [e.key for e in cache.history(search="the framework")] == [solutions[1].key]


def test_a_solution_without_hits_is_listed(cache, solutions):
    empty = replace(solutions[0], answer=replace(solutions[0].answer, hits=()))
    cache.store(empty, SETTINGS, ORIGIN)
    assert [e.top_hit for e in cache.history()] == [None]
    assert cache.find(empty.key).answer.hits == ()


def test_by_id_takes_the_start_of_a_key(cache, solutions):
    twins = [replace(solutions[0], key=f"abcd{digit}" + "0" * 59) for digit in "12"]
    for solution in (*twins, solutions[1]):
        cache.store(solution, SETTINGS, ORIGIN)
    same(cache.by_id(solutions[1].key[:8].upper()), solutions[1])
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
    assert [rows(cache, table) for table in ("queries", "patterns", "hits", "candidates")] == [0, 0, 0, 0]


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
