from dataclasses import replace

from ui_fakes import hit, solution

from ui.show.verdict import summary, verdict_html


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


def test_only_an_answer_that_is_kept_has_a_link():
    assert 'href="?answer=01234567"' in verdict_html(solution(), 0.9)
    assert "?answer=" not in verdict_html(solution(key=""), 0.9)
    assert "?answer=" not in verdict_html(solution(cancelled=True), 0.9)


def test_a_summary_is_one_phrase():
    assert summary(solution("miss")) == "no match, 12 % likely"


def test_a_mixture_names_its_phases_with_probabilities_and_shares():
    banner = verdict_html(solution("match_and_more"), 0.9)
    assert "xs-match" in banner
    assert "Match and more: 2 phases, each at least 91 % likely" in banner
    assert "<b>halite</b> (ClNa) 97 % likely, about 80% by weight; <b>&lt;ice&gt;</b>" in banner
    assert summary(solution("match_and_more")) == "match and more, 97 % likely"
