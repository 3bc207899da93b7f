from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ui_fakes import hit, solution

from search.cache import HistoryEntry
from search.frameworks import Framework, frameworks
from search.verdict import percent
from ui.show.history import _row
from ui.show.table import hits_table
from ui.show.verdict import summary, verdict_html


def test_a_match_is_green_and_has_one_probability():
    banner = verdict_html(solution("match"), 0.9)
    assert 'class="xs-verdict xs-match"' in banner
    assert "<h2>Match: 97 % likely</h2>" in banner
    assert "it fits 90 %" in banner
    assert "42" not in banner


def test_a_framework_is_told_by_its_common_name():
    rows = (Framework((hit(),), 0.97, "rock <salt>"),)
    assert "<b>rock &lt;salt&gt;</b> (halite, NaCl)" in verdict_html(solution("match"), 0.9, rows)
    phases = verdict_html(solution("match_and_more"), 0.9, rows)
    assert "<b>rock &lt;salt&gt;</b> (halite, NaCl) 97 % likely" in phases


@pytest.mark.parametrize("probability", [0.0041, 0.0549, 0.5, 0.6549, 0.9899, 0.9949])
def test_banner_table_and_history_say_the_same(probability):
    made = solution("miss")
    made = replace(made, verdict=replace(made.verdict, probability=probability))
    rows = frameworks(made.answer, made.verdict, None)
    entry = HistoryEntry("ab" * 32, datetime(2026, 11, 28), "a.xy", "", "salts", "miss", probability, None, 0)
    words = percent(probability)
    assert f"No match: {words} likely" in verdict_html(made, 0.99, rows)
    assert f">{words}</span>" in hits_table(rows, 1).partition("</tr>")[2].partition("</tr>")[0]
    assert f"no match, {words}:" in _row(entry, datetime.now(UTC), first=True)
    assert summary(made) == f"no match, {words} likely"


def test_a_miss_says_what_a_match_needs():
    banner = verdict_html(solution("miss"), 0.9)
    assert 'class="xs-verdict xs-miss"' in banner
    assert "<h2>No match: 12 % likely that the best hit is right</h2>" in banner
    assert "A match needs 90 %." in banner


def test_a_miss_by_a_hair_reads_below_what_a_match_needs():
    made = solution("miss")
    banner = verdict_html(replace(made, verdict=replace(made.verdict, probability=0.652)), 0.653)
    assert "No match: 65 % likely" in banner
    assert "A match needs 66 %." in banner


def test_without_hits_there_is_nothing_to_be_likely():
    made = solution("miss")
    empty = replace(made, answer=replace(made.answer, hits=()), verdict=replace(made.verdict, probability=0.0))
    assert "<h2>No match</h2>" in verdict_html(empty, 0.9)


def test_what_comes_from_files_is_escaped():
    made = solution("match")
    evil = replace(made, answer=replace(made.answer, hits=(hit(1, "<img src=x>"),)))
    assert "<img" not in verdict_html(evil, 0.9)
    assert "&lt;found&gt;" in verdict_html(evil, 0.9)


def test_reasons_call_entries_as_the_table_does():
    made = solution("match")
    entries = (hit(), hit(2, "Halite_AB_cF8_225_a_b"), hit(3, "sylvite", formula="ClK"))
    said = (
        "the next entry that differs, Halite_AB_cF8_225_a_b (ClNa), fits nearly as well",
        "sylvite (ClK) <is> no halite; haliteB stays",
    )
    made = replace(made, answer=replace(made.answer, hits=entries), verdict=replace(made.verdict, reasons=said))
    rows = (Framework(entries[:1], 0.97, "rock salt", ("rock salt",)), Framework(entries[1:], 0.01))
    banner = verdict_html(made, 0.9, rows)
    assert "<li>the next entry that differs, Halite (NaCl), fits nearly as well</li>" in banner
    assert "<li>sylvite (KCl) &lt;is&gt; no rock salt; haliteB stays</li>" in banner


def test_only_an_answer_that_is_kept_has_a_link():
    assert 'href="?answer=01234567"' in verdict_html(solution(), 0.9)
    assert "?answer=" not in verdict_html(solution(key=""), 0.9)
    assert "?answer=" in verdict_html(solution(cancelled=True), 0.9)  # what was searched is kept


def test_a_summary_is_one_phrase():
    assert summary(solution("miss")) == "no match, 12 % likely"


def test_a_mixture_names_its_phases_with_probabilities_and_shares():
    banner = verdict_html(solution("match_and_more"), 0.9)
    assert "xs-match" in banner
    assert "Match and more: 2 phases, each at least 91 % likely" in banner
    assert "<b>halite</b> (NaCl) 97 % likely, about 80 % by weight; <b>&lt;ice&gt;</b>" in banner
    assert summary(solution("match_and_more")) == "match and more, 97 % likely"
