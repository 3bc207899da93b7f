from dataclasses import replace

import pytest

from models.files import WEIGHTS
from search.answer import Phase
from search.frameworks import Describer
from search.frameworks.asked import compare, named_rows
from search.verdict import Judge, Verdict
from search.verdict.calibration import Calibration
from xtal.errors import UserError


@pytest.fixture(scope="module")
def judge(engine):
    """What the default fingerprints were calibrated with; those here are others, and any numbers do."""
    return Judge(Calibration.load(WEIGHTS / "cpcp-reciprocal" / "verdict.json"), engine.index)


@pytest.fixture(scope="module")
def describer(engine):
    return Describer(engine.index)


def asked(what, engine, judge, describer, answer):
    verdict = judge.verdict(answer)
    return compare(what, engine, judge, describer, answer, verdict), verdict


def test_what_was_found_is_it_with_the_same_probability(engine, judge, describer, answers):
    answer = answers[0]
    found, verdict = asked(answer.hits[0].id, engine, judge, describer, answer)
    assert found.probability == verdict.probability
    assert found.reasons[-len(verdict.reasons) :] == verdict.reasons
    assert found.yes == (verdict.kind == "match")
    assert found.hit.id == answer.hits[0].id
    assert len(found.overlay(answer).calculated) == len(answer.pattern)


def test_a_crystal_of_ones_own_is_weighed_like_an_entry(engine, judge, describer, answers):
    answer = answers[0]
    own = replace(engine.crystal(answer.hits[0].id), name="mine.cif")
    found, verdict = asked(own, engine, judge, describer, answer)
    assert found.headline.startswith("Is it mine.cif? ")
    assert found.probability == verdict.probability


def test_something_else_is_not_it_and_its_own_evidence_says_why(engine, judge, describer, answers):
    answer, other = answers[0], answers[1].hits[0]
    found, verdict = asked(other.id, engine, judge, describer, answer)
    assert not found.yes
    assert found.probability <= 1 - verdict.probability
    assert found.hit.id == other.id
    assert answer.hits[0].id in found.reasons[-1]
    assert ": less than 1 % likely" in found.headline or "No:" in found.headline


def test_of_a_mixture_each_phase_is_it(engine, judge, describer, answers):
    answer, other = answers[0], answers[1].hits[0]
    phases = (Phase(answer.hits[0], 0.95, 0.6, 0.6, 1.0), Phase(other, 0.92, 0.4, 0.4, 1.0))
    verdict = Verdict("match_and_more", 0.95, (), None, phases)
    for phase in phases:
        found = compare(phase.hit.id, engine, judge, describer, answer, verdict)
        assert (found.yes, found.probability) == (True, phase.probability)


def test_names_and_refcodes_name_entries(engine, describer):
    first = str(engine.index.entries.ids[0])
    assert named_rows(first, engine.index, describer)[1].tolist() == [0]
    family = named_rows(first[:6].lower(), engine.index, describer)[1]
    assert 0 in family
    with pytest.raises(UserError, match="nothing is known by the name 'UiO-6x'; names like it: UiO-6"):
        named_rows("UiO-6x", engine.index, describer)
    with pytest.raises(UserError, match="holds no UiO-68; give a CIF of it"):
        named_rows("uio 68", engine.index, describer)
