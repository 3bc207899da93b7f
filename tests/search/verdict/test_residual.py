"""Why a residual is large: each reason is told of patterns with that fault, and of clean ones hardly ever."""

from dataclasses import replace

import numpy as np
import pytest

from search.verdict.evidence import Evidence
from search.verdict.reasons import reasons, residual_reasons
from search.verdict.residual import amorphous_share
from xtal.patterns import Pattern
from xtal.patterns.sample import Sample
from xtal.physics import reflections
from xtal.physics.artefacts import LABORATORY_SCAN, Artefacts, apply
from xtal.physics.profile import render_each
from xtal.physics.target import Target

PLAIN = Artefacts(np.zeros((3, 3)), 1.0, 0.1, 0.0, 0.15, 0.5, 0.0, 0.05, 0.0, 10_000.0)
WORDS = {
    "impurity": "an impurity or another phase",
    "guests": "guests in the pores do that",
    "texture": "March-Dollase ratio about",
    "split": "the symmetry of the sample is lower",
    "cell": "than the entry's: temperature",
    "hump": "something amorphous",
    "shift": "it fits only with a zero shift",
}


def measured(engine, rows, change, spoilt=lambda found: found, added=lambda pattern: pattern):
    """Return the reasons told of entries with some artefacts: one set of kinds for each entry found again."""
    told = []
    for place, row in enumerate(rows):
        found = spoilt(reflections(engine.index.crystal(int(row)), 2.3, wavelength=LABORATORY_SCAN.wavelength))
        pattern = added(apply(replace(PLAIN, **change), found, np.random.default_rng([7, place]), LABORATORY_SCAN))
        (answer,) = engine.query([pattern], k=3)
        if answer.hits[0].group == engine.index.entries.group[row]:
            said = " ".join(reasons(answer, Evidence.of(answer, engine.index)))
            told.append({kind for kind, words in WORDS.items() if words in said})
    assert len(told) >= 0.8 * len(rows)
    return told


def filled(found):
    length = np.linalg.norm(found.g, axis=1)
    return replace(found, intensity=found.intensity * (1 - 0.9 * np.exp(-((length / 0.12) ** 4))))


def soiled(pattern):
    angles, heights = np.array([11.3, 17.4, 25.2]), np.array([0.3, 0.5, 0.4])
    lines = render_each(pattern.two_theta, angles, heights, 0.15)
    return replace(pattern, intensity=pattern.intensity + lines * 0.15 * pattern.intensity.max())


def test_clean_patterns_have_no_reason_told(engine, wanted):
    told = measured(engine, wanted, {})
    assert sum(map(len, told)) <= 0.1 * len(told)


@pytest.mark.parametrize(
    ("kind", "change", "least"),
    [
        ("texture", {"texture": 0.45}, 0.5),
        ("cell", {"strain": 0.012 * np.eye(3)}, 0.9),
        ("hump", {"hump": 0.3}, 0.9),
        ("shift", {"zero_shift": 0.15}, 0.9),
        ("split", {"strain": np.diag([0.008, -0.008, 0.0])}, 0.15),  # most entries have a cell that nothing splits
    ],
)
def test_what_was_done_to_a_sample_is_told(engine, wanted, kind, change, least):
    told = measured(engine, wanted, change)
    assert np.mean([kind in one for one in told]) >= least
    others = [len(one - {kind, "impurity"}) for one in told]
    assert np.mean(others) <= 0.15


def test_guests_in_the_pores_are_told(engine, wanted):
    assert np.mean(["guests" in one for one in measured(engine, wanted, {}, spoilt=filled)]) >= 0.6


def test_an_impurity_is_told_and_nothing_else_is_made_of_it(engine, wanted):
    told = measured(engine, wanted, {}, added=soiled)
    assert np.mean(["impurity" in one for one in told]) >= 0.8
    assert np.mean([len(one - {"impurity"}) for one in told]) <= 0.15


def test_a_wrong_hit_gets_no_reasons_of_a_sample(engine, answers):
    evidence = Evidence.of(answers[0], engine.index)
    wrong = replace(evidence, missing=0.8, foreign=0.9, amorphous=0.0)
    assert not list(residual_reasons(answers[0], wrong))


@pytest.mark.parametrize("height", [0.0, 0.2, 1.0])
def test_the_amorphous_share_is_that_of_the_hump(height):
    angle = np.arange(3, 50, 0.02)
    peaks = render_each(angle, np.array([8.0, 12.0, 20.0, 30.0]), np.array([200.0, 100.0, 60.0, 40.0]), 0.12)
    hump, air = height * 30 * np.exp(-0.5 * ((angle - 24) / 5) ** 2), 60 * np.exp(-angle / 10) + 5
    pattern = Pattern(angle, np.random.default_rng(1).poisson(10 * (peaks + hump + air)).astype(float), 1.5418)
    sample = Sample.of(pattern)
    found = amorphous_share(Target.of(pattern, sample.lines, sample.under))
    assert found == pytest.approx(hump.sum() / (hump + peaks).sum(), abs=0.12)
