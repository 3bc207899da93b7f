from dataclasses import replace

import pytest
from ui_fakes import hit, solution

from ui.verdict import percent, summary, verdict_html


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "less than 1 %"),
        (0.004, "less than 1 %"),
        (0.42, "42 %"),
        (0.97, "97 %"),
        (0.996, "more than 99 %"),
        (1.0, "more than 99 %"),
    ],
)
def test_nothing_is_ever_certain(probability, words):
    assert percent(probability) == words


def test_a_match_is_green_and_tells_both_probabilities():
    banner = verdict_html(solution("match"), 0.9)
    assert 'class="xs-verdict xs-match"' in banner
    assert "<h2>Match: 97 % likely</h2>" in banner
    assert 'The very structure: <b class="xs-exact">42 %</b>' in banner
    assert "it fits 90 %" in banner


def test_one_probability_is_enough_where_nothing_looks_alike():
    made = solution("match")
    alone = replace(made, verdict=replace(made.verdict, exact=0.96))
    assert "very structure" not in verdict_html(alone, 0.9)
    unknown = replace(made, verdict=replace(made.verdict, exact=None))
    assert "very structure" not in verdict_html(unknown, 0.9)


def test_a_miss_says_what_a_match_needs():
    banner = verdict_html(solution("miss"), 0.9)
    assert 'class="xs-verdict xs-miss"' in banner
    assert "<h2>No match: 12 % likely that the best hit is right</h2>" in banner
    assert "A match needs 90 %." in banner


def test_without_hits_there_is_nothing_to_be_likely():
    made = solution("miss")
    empty = replace(made, answer=replace(made.answer, hits=()))
    assert "<h2>No match</h2>" in verdict_html(empty, 0.9)


def test_what_comes_from_files_is_escaped():
    made = solution("match")
    evil = replace(made, answer=replace(made.answer, hits=(hit(1, "<img src=x>"),)))
    assert "<img" not in verdict_html(evil, 0.9)
    assert "&lt;found&gt;" in verdict_html(evil, 0.9)


def test_only_an_answer_that_is_kept_has_a_link():
    assert 'href="?answer=01234567"' in verdict_html(solution(), 0.9)
    assert "?answer=" not in verdict_html(solution(key=""), 0.9)
    assert "?answer=" not in verdict_html(solution(cancelled=True), 0.9)


def test_a_summary_is_one_phrase():
    assert summary(solution("miss")) == "no match, 12 % likely"
