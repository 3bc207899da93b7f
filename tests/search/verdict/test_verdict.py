"""Evidence and verdicts on answers of a small real index."""

from dataclasses import replace
from types import SimpleNamespace

import gemmi
import numpy as np
import pytest

from indexer.crew import Crew
from search.benchmark import calibrate, write_reliability
from search.engine import Engine
from search.ranking.ties import MARGIN
from search.verdict import Judge, Verdict, percent
from search.verdict.calibration import DOUBT, calibration_path
from search.verdict.evidence import FEATURES, Evidence, among_all, features
from search.verdict.lookalikes import ALIKE, alikeness, lookalikes
from xtal.errors import UserError
from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.linefinder import find_lines
from xtal.physics import SEVERITIES

ASKED = 16


@pytest.fixture(scope="module")
def report(engine, tmp_path_factory):
    """A calibration of the small index to a few of its entries, held out or not; and the calls of its progress."""
    home, calls = tmp_path_factory.mktemp("verdict-home"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "FEWEST", ASKED)
        patch.setattr(calibrate, "held_out", lambda entries: np.arange(len(entries)))
        path = calibration_path(engine.index.manifest.name, engine.embedder, home)
        path.parent.mkdir(parents=True)
        made = calibrate.calibrate(Crew(engine), ASKED, 1, home, progress=lambda *call: calls.append(call))
    return made, home, calls


@pytest.fixture(scope="module")
def judge(engine, report):
    return Judge.open(engine, report[1])


@pytest.fixture(scope="module")
def groups(engine, wanted):
    """Rows of the groups of the entries that the patterns are of."""
    group = engine.index.entries.group
    return [np.flatnonzero(group == group[row]) for row in wanted]


@pytest.fixture(scope="module")
def without(engine, patterns, wanted):
    return engine.query(patterns, k=3, without=lookalikes(engine.index, wanted))


def test_rows_left_out_are_as_if_they_were_not_in_the_index(engine, patterns, groups):
    for pattern, left_out in list(zip(patterns, groups, strict=True))[:6]:
        (answer,) = engine.query([pattern], k=8, without=[left_out])
        kept = np.setdiff1d(np.arange(len(engine)), left_out)
        (smaller,) = Engine(engine.index.take(kept), engine.embedder).query([pattern], k=8)
        assert [h.id for h in answer.hits] == [h.id for h in smaller.hits]
        assert [h.fit for h in answer.hits] == [h.fit for h in smaller.hits]
        assert not set(left_out) & {h.row for h in answer.hits}
        assert (answer.rival.id, answer.points, answer.noise) == (smaller.rival.id, smaller.points, smaller.noise)


def test_everything_left_out_is_no_hit_and_a_miss(engine, patterns, judge):
    (answer,) = engine.query(patterns[:1], without=[np.arange(len(engine))])
    assert answer.hits == ()
    assert answer.rival is None
    assert judge.verdict(answer).kind == "miss"


def test_the_rival_is_the_best_hit_of_another_structure(engine, patterns, answers):
    for answer in answers:
        assert answer.rival == answer.hits[1]
        assert answer.rival.chi_square >= answer.hits[0].chi_square / MARGIN  # ties are settled otherwise
        assert 0 < answer.noise < 1
    (copies,) = engine.query(patterns[:1], k=1, copies=True)
    assert copies.rival.group != copies.hits[0].group


def test_evidence_tells_right_from_absent(engine, answers, without):
    present = np.array([features(Evidence.of(a, engine.index)) for a in answers])
    absent = np.array([features(Evidence.of(a, engine.index)) for a in without])
    assert np.isfinite(present).all()
    assert np.isfinite(absent).all()
    higher = dict(zip(FEATURES, np.median(present, axis=0) - np.median(absent, axis=0), strict=True))
    assert higher["logit of the explained share"] > 1
    assert higher["ln chi-square per point"] < -0.5
    assert higher["root of the share of found lines unexplained"] < -0.1
    assert higher["similarity"] > 0.05


def test_a_foreign_line_is_named(engine, patterns, judge):
    pattern = patterns[0]
    found = two_theta_from_q(find_lines(pattern).q, pattern.wavelength)
    free = np.arange(8, 26, 0.1)
    at = free[np.abs(free[:, None] - found).min(axis=1).argmax()]  # farthest from any line
    foreign = 0.5 * pattern.intensity.max() * np.exp(-0.5 * ((pattern.two_theta - at) / 0.08) ** 2)
    clean, dirty = engine.query([pattern, Pattern(pattern.two_theta, pattern.intensity + foreign, 1.5418)], k=2)
    seen = Evidence.of(dirty, engine.index)
    assert seen.unexplained[0] == pytest.approx(at, abs=0.05)
    assert seen.missing > Evidence.of(clean, engine.index).missing
    assert any(f"not explained by it, at 2θ = {seen.unexplained[0]:.2f}°" in r for r in judge.verdict(dirty).reasons)
    assert judge.verdict(dirty).probability < judge.verdict(clean).probability


def test_verdicts_on_known_and_absent_structures(answers, without, judge):
    known, absent = ([judge.verdict(a) for a in found] for found in (answers, without))
    assert np.mean([v.probability for v in known]) > np.mean([v.probability for v in absent]) + 0.5
    assert sum(v.kind == "miss" for v in absent) >= 0.8 * len(absent)
    for verdict in known + absent:
        assert 0 <= verdict.exact <= verdict.probability <= 1
        assert (verdict.kind == "match") == (verdict.probability >= judge.calibration.decisive)
        assert len(verdict.reasons) >= 3


def test_a_filter_hides_no_rival_from_the_verdict(engine, patterns, answers, judge):
    """A wrong formula: the right entry is excluded, and no other passes; and the own one, which alone remains."""
    entries = engine.index.entries
    for pattern, free in list(zip(patterns, answers, strict=True))[:4]:
        wrong = next(hit for hit in free.hits[1:] if entries.of_formula(hit.formula).sum() == 1)
        (alone,) = engine.query([pattern], formula=wrong.formula)
        assert (alone.hits[0].id, alone.rival) == (wrong.id, None)
        assert alone.excluded.id == free.hits[0].id
        weighed = among_all(Evidence.of(alone, engine.index), alone)
        assert weighed.lead == pytest.approx(np.log(free.hits[0].chi_square / wrong.chi_square), abs=1e-4)
        assert weighed.similarity_lead == pytest.approx(wrong.similarity - free.hits[0].similarity, abs=1e-6)
        verdict = judge.verdict(alone)
        assert verdict.probability <= judge.verdict(replace(alone, excluded=None)).probability
        assert "there is no other structure that passes the filter to compare it with" in verdict.reasons
        said = f"{free.hits[0].id} ({free.hits[0].formula}), which the filter excludes, fits "
        assert any(reason.startswith(said) for reason in verdict.reasons)


def test_a_filter_that_excludes_nothing_better_changes_no_verdict(engine, patterns, answers, judge):
    every = frozenset(gemmi.Element(int(z)).name for z in np.flatnonzero(engine.index.entries.elements.any(axis=0)))
    for answer, free in zip(engine.query(patterns[:3], elements=every), answers, strict=False):
        assert answer.excluded is None
        assert judge.verdict(answer) == judge.verdict(free)
    own = engine.query(patterns[:6])
    for pattern, free in zip(patterns, own, strict=False):
        (alone,) = engine.query([pattern], formula=free.hits[0].formula)
        if alone.rival is None:
            assert judge.verdict(alone).probability == pytest.approx(judge.verdict(free).probability, abs=1e-4)
            here = features(Evidence.of(alone, engine.index))[None]
            exact = float(judge.calibration.curves.probabilities(here)[1][0])
            assert judge.verdict(alone).exact == pytest.approx(min(exact, judge.verdict(alone).probability))


@pytest.mark.parametrize(
    ("lines", "hump", "hazy"),
    [(5, 0.5, True), (6, 0.5, False), (5, 0.3, False), (8, 0.8, True), (8, 0.7, False), (2, 0.0, False)],
)
def test_few_lines_above_a_broad_hump_are_weak_evidence(answers, judge, engine, monkeypatch, lines, hump, hazy):
    seen = replace(Evidence.of(answers[0], engine.index), compared=lines, amorphous=hump)
    monkeypatch.setattr(Evidence, "of", lambda *_: replace(seen, amorphous=0.0))
    clear = judge.verdict(answers[0]).probability
    monkeypatch.setattr(Evidence, "of", lambda *_: seen)
    found = judge.verdict(answers[0])
    odds = (1 - found.probability) / found.probability * clear / (1 - clear)
    assert odds == pytest.approx(DOUBT if hazy else 1)
    assert ("so few peaks are little to judge by" in found.reasons) == (lines <= 5)


def test_rows_left_out_are_not_excluded_by_a_filter(engine, patterns, groups, answers):
    formula = answers[0].hits[2].formula
    (answer,) = engine.query(patterns[:1], formula=formula, without=groups[:1])
    assert answer.excluded.row not in groups[0]


@pytest.mark.parametrize(
    ("kind", "probability", "words"),
    [
        ("match", 0.996, "Match: more than 99 % likely"),
        ("match", 0.9, "Match: 90 % likely"),
        ("match", 0.72, "Probable match: 72 % likely"),
        ("miss", 0.34, "No match: 34 % likely that the best hit is right"),
        ("miss", 0.001, "No match: less than 1 % likely that the best hit is right"),
        ("miss", 0.0, "No match"),
    ],
)
def test_the_headline_is_no_surer_than_the_probability(kind, probability, words):
    assert Verdict(kind, probability, ()).headline == words


@pytest.mark.parametrize(
    ("least", "words"), [(0.92, "each at least 92 % likely"), (0.999, "each more than 99 % likely")]
)
def test_of_several_phases_the_least_likely_speaks(least, words):
    phases = tuple(SimpleNamespace(probability=one) for one in (0.9995, least))
    assert Verdict("match_and_more", 0.9995, (), phases=phases).headline == f"Match and more: 2 phases, {words}"


def test_no_lines_are_a_miss_and_no_physics_is_an_error(engine, patterns, judge):
    blank = Pattern(np.linspace(3, 30, 1351), np.random.default_rng(2).poisson(100, 1351), 1.5418)
    verdict = judge.verdict(engine.query([blank], k=2)[0])
    assert (verdict.kind, verdict.probability) == ("miss", 0)
    assert verdict.reasons == ("no line stands out of the noise",)
    with pytest.raises(UserError, match=r"needs the physics fit, .* search again with physics=True"):
        judge.verdict(engine.query(patterns[:1], physics=False)[0])


def test_without_a_calibration_nothing_is_judged(engine, tmp_path):
    with pytest.raises(UserError, match=r"no calibration for index .* python -m search calibrate"):
        Judge.open(engine, tmp_path)


def test_look_alikes_hold_the_group_and_agree_both_ways(engine, wanted, groups):
    best = alikeness(engine.index, np.arange(len(engine)))
    np.testing.assert_allclose(np.diag(best), 1, atol=1e-5)
    np.testing.assert_allclose(best, best.T, atol=5e-3)
    assert np.mean(best >= ALIKE) < 0.1
    for family, group in zip(lookalikes(engine.index, wanted), groups, strict=True):
        assert set(group) <= set(family)
        assert len(family) < len(engine) / 2


def test_a_calibration_reports_every_severity_and_is_kept(report, judge, tmp_path):
    made, home, calls = report
    assert judge.calibration == made.calibration
    assert made.path.startswith(str(home))
    assert [r.severity for r in made.rates] == [None, *SEVERITIES, 1.0]
    assert [r.processed for r in made.rates] == [False] * (1 + len(SEVERITIES)) + [True]
    assert made.calibration.queries == ASKED * (len(SEVERITIES) + 1)
    assert sum(count for _, count, _ in calls) == calls[0][2] == ASKED * (len(SEVERITIES) + 1) * 3
    every = made.rates[0]
    assert every.alike >= every.right > 0.8
    assert every.false[-1] <= every.false_by_group[-1] + 0.05
    write_reliability(made, tmp_path / "reliability.png")
    assert (tmp_path / "reliability.png").stat().st_size > 10_000


@pytest.mark.parametrize("seed", range(4))
def test_a_pattern_with_nothing_in_it_is_no_match(engine, judge, seed):
    """Air, a capillary, and noise in which lines are seen: no structure has to be bent for it."""
    rng = np.random.default_rng(seed)
    angles = np.linspace(3, 30, 1351)
    level = 800 * np.exp(-angles / 1.5) + 300 * np.exp(-0.5 * ((angles - 21) / 5) ** 2) + 150
    bumps = sum(12 * np.exp(-0.5 * ((angles - at) / 0.15) ** 2) for at in rng.uniform(6, 28, 5))
    (answer,) = engine.query([Pattern(angles, rng.poisson(level + bumps).astype(float), 1.5418)], k=3)
    verdict = judge.verdict(answer)
    assert verdict.kind == "miss"
    assert verdict.probability < 0.5


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
def test_no_probability_is_written_as_certain(probability, words):
    assert percent(probability) == words
