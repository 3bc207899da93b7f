"""The one call, with the shipped models on a small real index: search, verdict, generation, cache."""

import json
import threading
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from generate.preview import Cancelled
from generate.request import Request
from generate.run import watch_on
from search.__main__ import app
from search.edited_lines import lines_at
from search.options import Event, Options
from xtal.patterns import write_xye

INDEX, ENTRIES = "coremof2019-asr", 60
QUICK = Request(count=2, steps=3, seconds=0)


def test_an_entry_is_a_match_and_nothing_is_generated(solver, held):
    events: list[Event] = []
    solution = solver.solve(held, watch=events.append)
    assert solution.verdict.kind == "match"
    assert solution.answer.hits[0].row == 7
    assert solution.candidates == ()
    assert [event.preview for event in events] == [None]


def test_a_foreign_pattern_is_a_miss_that_generates_what_the_formula_says(solver, foreign):
    events: list[Event] = []
    solution = solver.solve(foreign, Options(formula="NaCl", units=2, request=QUICK), events.append)
    assert solution.verdict.kind == "miss"
    assert [candidate.rank for candidate in solution.candidates] == [1, 2]
    assert {candidate.crystal.formula for candidate in solution.candidates} == {"Cl2Na2"}
    assert [event.preview.step for event in events[1:]] == [*range(1, len(events))]
    assert events[-1].preview.step == events[-1].preview.steps
    assert {candidate.model_id for candidate in solution.candidates} == {solver.origin.denoiser_id}


def test_without_a_formula_those_of_neighbours_are_tried_and_said_so(solver, foreign):
    events: list[Event] = []
    solution = solver.solve(foreign, Options(request=QUICK, generate="always"), events.append)
    assert len(solution.candidates) == 2
    shares = [event.preview.share for event in events[1:]]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    named = list(dict.fromkeys(event.preview.turn.words for event in events[1:]))
    tried = {candidate.crystal.formula for candidate in solution.candidates}
    assert named[0].startswith("formula 1 of 2: ")
    assert {words.partition(": ")[2] for words in named} == tried
    assert "those of the nearest known crystals" in solution.notes[0]
    known = set(solver.engine.index.entries.formulas)
    assert {candidate.crystal.reduced_formula for candidate in solution.candidates} <= known


def test_one_bar_runs_from_0_to_100_over_all_formulas(solver, foreign):
    said, gained, totals = zip(*advances(solver, foreign), strict=True)
    assert (sum(gained), min(gained) >= 0, set(totals)) == (100, True, {100})
    assert {words.split(": ")[0] for words in said} == {"generate"}
    assert {words.split(": ")[1] for words in said} == {"formula 1 of 2", "formula 2 of 2"}


def advances(solver, pattern) -> list[tuple[str, int, int]]:
    """What a bar hears of a generation."""
    heard: list[tuple[str, int, int]] = []
    move = watch_on(lambda *advance: heard.append(advance))
    solver.solve(
        pattern, Options(request=QUICK, generate="always"), lambda event: event.preview and move(event.preview)
    )
    return heard


def test_what_cannot_be_generated_leaves_the_search_result(solver, foreign):
    solution = solver.solve(foreign, Options(formula="Zn(BDC)2", request=QUICK))
    assert solution.answer.hits
    assert solution.candidates == ()
    assert "no formula" in solution.notes[0]


def test_generation_follows_the_option(solver, held, foreign):
    assert solver.solve(foreign, Options(generate="never")).candidates == ()
    assert len(solver.solve(held, Options(generate="always", formula="Zn2O2", request=QUICK)).candidates) == 2


def test_the_second_time_comes_from_the_cache_and_says_the_same(solver, foreign):
    options = Options(formula="NaCl", request=QUICK)
    first = solver.solve(foreign, options)
    again = solver.solve(foreign, options)
    assert (first.cached, again.cached) == (False, True)
    assert again.verdict == first.verdict
    assert again.answer.hits == first.answer.hits
    assert [c.similarity for c in again.candidates] == [c.similarity for c in first.candidates]
    other = solver.solve(foreign, Options(formula="NaCl", request=Request(count=2, steps=3, seed=1, seconds=0)))
    assert not other.cached
    assert other.key != first.key


def test_edited_lines_are_used_throughout_and_come_back_from_the_cache(solver, foreign):
    lines = lines_at(foreign, [27.4, 31.8, 45.5], [100, 300, 200])
    options = Options(formula="NaCl", request=QUICK, lines=lines)
    first, plain = solver.solve(foreign, options), solver.solve(foreign, replace(options, lines=None))
    assert first.answer.lines.q.tolist() == lines.q.tolist()
    assert len(plain.answer.lines) == 5
    assert first.key != plain.key
    assert first.answer.hits[0].similarity != plain.answer.hits[0].similarity
    assert [c.similarity for c in first.candidates] != [c.similarity for c in plain.candidates]
    assert any("peaks edited" in reason or "peak edited" in reason for reason in first.verdict.reasons)
    again = solver.solve(foreign, replace(options, lines=lines_at(foreign, [27.4, 31.8, 45.5], [100, 300, 200])))
    assert again.cached
    assert again.answer.edited
    assert again.answer.lines.width.tolist() == lines.width.tolist()
    assert not solver.solve(foreign, replace(options, lines=None)).answer.edited
    moved = solver.solve(foreign, replace(options, lines=lines_at(foreign, [27.4, 31.8, 45.6], [100, 300, 200])))
    assert not moved.cached


def test_the_search_is_kept_whatever_becomes_of_the_generation(solver, foreign):
    kept = []

    def watch(event: Event) -> None:
        if event.preview is not None:
            raise Cancelled
        kept.append(solver.cache.find(event.key))  # before anything is generated

    options = Options(formula="NaCl", request=QUICK)
    solution = solver.solve(foreign, options, watch)
    assert solution.cancelled
    assert solution.answer.hits
    assert "cancelled" in solution.notes[0]
    assert kept[0].key == solution.key
    again = solver.cache.find(solution.key)
    assert again.unfinished
    assert [hit.id for hit in again.answer.hits] == [hit.id for hit in solution.answer.hits]
    finished = solver.solve(foreign, options)  # not taken from the cache: it was not finished
    assert finished.candidates
    assert not finished.cached
    assert solver.solve(foreign, options).cached


def test_searches_go_on_while_one_generates(solver, held, foreign):
    generating, searched = threading.Event(), threading.Event()

    def watch(event: Event) -> None:
        if event.preview is not None:
            generating.set()
            assert searched.wait(30)

    options = Options(formula="NaCl", request=QUICK)
    thread = threading.Thread(target=solver.solve, args=(foreign, options, watch))
    thread.start()
    assert generating.wait(30)
    assert solver.solve(held).verdict.kind == "match"  # while the generation stands still
    searched.set()
    thread.join(30)
    assert not thread.is_alive()


@pytest.fixture
def invoke(place):
    def run(*arguments):
        env = {"XTALSCOUT_HOME": str(place), "COLUMNS": "200"}
        return CliRunner().invoke(app, [str(a) for a in arguments], env=env)

    return run


def test_the_commands_solve_list_export_and_forget(invoke, held, foreign, tmp_path):
    for name, pattern in (("held", held), ("salt", foreign)):
        write_xye(pattern, tmp_path / f"{name}.xye", "test")
    quick = ("-n", "2", "--steps", "3", "--contents", "NaCl", "--index", INDEX)  # the lab knows salt
    done = invoke("solve", tmp_path / "held.xye", tmp_path / "salt.xye", *quick, "--json", "--out", tmp_path / "cifs")
    assert done.exit_code == 0, done.output
    match, miss = map(json.loads, done.stdout.splitlines())
    assert (match["verdict"]["kind"], miss["verdict"]["kind"]) == ("match", "miss")
    assert len(miss["candidates"]) == 2
    cifs = sorted((tmp_path / "cifs" / miss["key"][:8]).glob("*.cif"))
    assert len(cifs) == 2
    assert "not verified" in cifs[0].read_text()
    assert f"salt.xye: wrote 2 CIF files to {cifs[0].parent}" in done.stderr
    both = invoke("solve", tmp_path / "held.xye", tmp_path / "salt.xye", *quick).stdout.splitlines()
    head = next(number for number, row in enumerate(both) if row.startswith("file "))
    first, second, last = both[head + 1 :]
    assert first.split()[:2] == [str(tmp_path / "held.xye"), "match"]
    assert second.startswith(f"{tmp_path / 'salt.xye'}  no match")
    assert second.split()[-2:] == ["ClNa", f"{miss['candidates'][0]['fit']:.3f}"]
    assert last == "2 patterns, 1 without a match, crystals generated for 1: proposals, not verified"
    again = invoke("solve", tmp_path / "salt.xye", *quick)
    assert "without a match" not in again.output
    assert "(from the cache)" in again.output
    assert "generated, not verified" in again.output
    lines = tmp_path / "lines.csv"
    lines.write_text("27.4,100\n31.8,300\n")
    assert invoke("solve", tmp_path / "salt.xye", "--lines", lines, "--generate", "never").exit_code == 0
    asked = invoke("history").output.splitlines()
    assert [row.endswith("salt.xye, edited peaks") for row in asked] == [True, False, False]
    assert [each["edited"] for each in json.loads(invoke("history", "--json").output)] == [True, False, False]
    assert "forgot 1" in invoke("forget", asked[0].split()[0]).output
    listed = invoke("history", "salt")
    assert miss["key"][:8] in listed.output
    assert match["key"][:8] not in listed.output
    assert invoke("export", tmp_path / "all.jsonl").exit_code == 0
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
    assert invoke("forget").exit_code == 2
    assert "forgot 1" in invoke("forget", miss["key"][:8]).output
    assert "forgot 1" in invoke("forget", "--all").output
    assert "nothing was asked yet" in invoke("history").output


def test_bad_files_are_reported_and_the_others_answered(invoke, held, tmp_path):
    write_xye(held, tmp_path / "good.xye", "test")
    (tmp_path / "bad.xy").write_text("no pattern\n")
    done = invoke("solve", tmp_path / "bad.xy", tmp_path / "good.xye", "--no-cache")
    assert done.exit_code == 3
    assert "bad.xy" in done.stderr
    assert "Match: " in done.stdout
    assert invoke("solve", tmp_path / "bad.xy").exit_code == 2


def test_match_and_miss_can_be_told_apart_by_the_exit_code(invoke, held, foreign, tmp_path):
    for name, pattern in (("held", held), ("salt", foreign)):
        write_xye(pattern, tmp_path / f"{name}.xye", "test")
    asked = ("--index", INDEX, "--generate", "never", "--exit-code")
    assert invoke("solve", tmp_path / "held.xye", *asked).exit_code == 0
    assert invoke("solve", tmp_path / "held.xye", tmp_path / "salt.xye", *asked).exit_code == 4
    assert invoke("solve", tmp_path / "salt.xye", *asked[:-1]).exit_code == 0
    assert invoke("solve", tmp_path / "salt.xye", tmp_path / "missing.xye", *asked).exit_code == 3


def test_figures_and_data_are_written_for_each_pattern(invoke, held, foreign, tmp_path):
    for name, pattern in (("held", held), ("salt", foreign)):
        write_xye(pattern, tmp_path / f"{name}.xye", "test")
    asked = ("solve", tmp_path / "held.xye", tmp_path / "salt.xye", "--index", INDEX, "--generate", "never")
    refused = invoke(*asked, "--figure", tmp_path / "one.svg")
    assert refused.exit_code == 2
    assert f"write {{}} where the name of each belongs, like {tmp_path / 'one-{}.svg'}" in refused.stderr
    done = invoke(*asked, "--figure", tmp_path / "{}.svg", "--data", tmp_path / "{}.csv")
    assert done.exit_code == 0, done.output
    for name, pattern in (("held", held), ("salt", foreign)):
        assert (tmp_path / f"{name}.svg").read_bytes().startswith(b"<?xml")
        assert len((tmp_path / f"{name}.csv").read_text().splitlines()) == 1 + len(pattern)


def test_formula_filters_the_hits(invoke, held, tmp_path):
    write_xye(held, tmp_path / "held.xye", "test")
    asked = ("solve", tmp_path / "held.xye", "--index", INDEX, "--generate", "never", "--json")
    found = json.loads(invoke(*asked).stdout)["hits"]
    other = next(hit["formula"] for hit in found if hit["formula"] != found[0]["formula"])
    assert {hit["formula"] for hit in json.loads(invoke(*asked, "--formula", other).stdout)["hits"]} == {other}
