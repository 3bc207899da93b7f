"""What it takes to make a structure fit."""

from dataclasses import replace

import numpy as np
import pytest

from search.verdict import scrutiny
from search.verdict.evidence import Evidence
from search.verdict.lookalikes import lookalikes
from search.verdict.reasons import NOTABLE_ERRORS, reasons
from search.verdict.scrutiny import Scrutiny
from xtal.patterns import q_from_two_theta
from xtal.physics import reflections
from xtal.physics.artefacts import Artefacts, apply

ASKED = 8
PLAIN = Artefacts(np.zeros((3, 3)), 1.0, 0.0, 0.0, 0.15, 0.5, 0.0, 0.02, 0.0, 30_000.0)


@pytest.fixture(scope="module")
def without(engine, patterns, wanted):
    return engine.query(patterns[:ASKED], k=1, without=lookalikes(engine.index, wanted[:ASKED]))


def looked_at(engine, row, artefacts):
    """Return how an entry's own pattern, with these artefacts, is made to fit it."""
    found = reflections(engine.index.crystal(row), 2.2, wavelength=1.5418)
    (answer,) = engine.query([apply(artefacts, found, np.random.default_rng(4))], k=10)
    (hit,) = (hit for hit in answer.hits if hit.row == row)
    return Scrutiny.of(answer, hit, engine.index)


def test_a_right_structure_needs_less_to_fit_than_a_wrong_one(engine, answers, without):
    right = [Scrutiny.of(a, a.hits[0], engine.index) for a in answers[:ASKED]]
    wrong = [Scrutiny.of(a, a.hits[0], engine.index) for a in without]
    for name in ("residue", "line_errors"):
        assert np.median([getattr(s, name) for s in right]) < np.median([getattr(s, name) for s in wrong]) - 0.5
    assert all(s.residue < 0 for s in right)
    assert all(0.2 < s.line_errors < 2 for s in right)  # as such samples are, severity 1


@pytest.mark.parametrize(
    ("change", "name", "least"),
    [
        ({"texture": 2.5}, "texture", 0.5),
        ({"strain": np.diag([0.012, -0.006, 0.0])}, "strain", 0.5),
        ({"line_error": 0.6}, "line_errors", 1.0),
    ],
)
def test_what_was_done_to_a_sample_is_what_it_takes(engine, wanted, change, name, least):
    row = int(wanted[1])  # of low symmetry: no texture of second order shows in the lines of a cubic crystal
    plain, changed = looked_at(engine, row, PLAIN), looked_at(engine, row, replace(PLAIN, **change))
    assert plain.residue < -3
    assert getattr(plain, name) < 0.5 * getattr(changed, name)
    assert getattr(changed, name) > least


def test_the_reasons_tell_when_lines_must_be_very_wrong(engine, answers, without):
    told = 0
    for answer in [*answers[:ASKED], *without]:
        evidence = Evidence.of(answer, engine.index)
        said = [reason for reason in reasons(answer, evidence) if "times as wrong as is usual" in reason]
        assert bool(said) == (evidence.scrutiny.line_errors >= NOTABLE_ERRORS)
        told += len(said)
    assert 0 < told <= ASKED


def test_of_a_fit_that_runs_away_the_last_state_counts(engine, answers, monkeypatch):
    answer, left = answers[0], []

    def runs_away(*arguments, descend=scrutiny.descend):
        if not left:
            raise np.linalg.LinAlgError
        left.pop()
        return descend(*arguments)

    whole = Scrutiny.of(answer, answer.hits[0], engine.index)
    monkeypatch.setattr(scrutiny, "descend", runs_away)
    found = []
    for stages in range(4):
        left[:] = [None] * stages
        found.append(Scrutiny.of(answer, answer.hits[0], engine.index))
    assert found[3] == whole
    assert found[0].line_errors == 0
    assert found[0].residue > found[2].residue >= whole.residue - 0.1


def test_a_large_cell_is_looked_at_in_the_first_part_of_the_scan(engine, answers, monkeypatch):
    answer = answers[0]
    whole = Scrutiny.of(answer, answer.hits[0], engine.index)
    seen = []
    monkeypatch.setattr(
        scrutiny, "View", lambda target, stage, view=scrutiny.View: seen.append(target) or view(target, stage)
    )
    assert Scrutiny.of(answer, answer.hits[0], engine.index) == whole
    monkeypatch.setattr(scrutiny, "MOST_WAVES", 3_000)
    part = Scrutiny.of(answer, answer.hits[0], engine.index)
    full, cut = (q_from_two_theta(target.two_theta[-1], target.wavelength) for target in (seen[0], seen[-1]))
    crystal = engine.index.crystal(answer.hits[0].row)
    waves = scrutiny.expected_reflections(crystal, float(cut) * scrutiny.STRAIN_MARGIN) * len(crystal.numbers)
    assert waves == pytest.approx(3_000, rel=0.02)
    assert cut < 0.9 * full
    assert part.residue < 0
