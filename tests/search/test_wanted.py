from dataclasses import replace

import pytest

from generate.request import Request
from search.options import Options
from search.verdict import Verdict
from search.wanted import reason_against

MISS = Verdict("miss", 0.1, (), unexplained=tuple(range(100)))


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        (Options(generate="never"), "miss", ""),
        (Options(), "match", ""),
        (Options(formula="NaCl"), "match_and_more", ""),
        (Options(), "miss", "nothing is known of the sample"),
        (Options(elements=frozenset(map(str, range(90)))), "miss", "nothing is known of the sample"),
    ],
)
def test_nothing_is_generated_where_it_is_not_wanted(answers, options, kind, words):
    against = reason_against(options, answers[0], replace(MISS, kind=kind))
    assert against is not None
    assert words in against
    assert bool(words) == bool(against)


@pytest.mark.parametrize(
    "options",
    [
        Options(generate="always"),
        Options(formula="NaCl"),
        Options(elements=frozenset({"Zn", "C"})),
        Options(required=frozenset({"Zn"})),
        Options(reduced_formula="C6H2CuO4"),
        Options(request=Request(1, metals=("Zn",), linkers=("BDC",))),
    ],
)
def test_after_a_miss_crystals_are_generated_where_something_is_known_or_that_is_asked_for(answers, options):
    assert reason_against(options, answers[0], MISS) is None


def test_a_known_phase_that_explains_most_is_looked_at_first(answers):
    answer = answers[0]
    first = replace(answer.hits[0], fit=0.8)
    explained = replace(answer, hits=(first, *answer.hits[1:]))
    nearly = replace(MISS, unexplained=(7.4,))
    against = reason_against(Options(formula="NaCl"), explained, nearly)
    assert f"{first.id} explains {len(answer.lines) - 1} of {len(answer.lines)} peaks" in against
    assert reason_against(Options(formula="NaCl", generate="always"), explained, nearly) is None
    poor = replace(answer, hits=(replace(first, fit=0.2),))
    assert reason_against(Options(formula="NaCl"), poor, nearly) is None
