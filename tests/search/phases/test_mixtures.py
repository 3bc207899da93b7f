"""Mixtures of entries of a small index, searched by phases as a user would have it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.build import build
from indexer.plan import open_plan
from search.engine import Engine
from search.options import Options
from search.phases import PhaseJudge, scout
from search.phases.judge import CERTAIN
from search.phases.left import leaves, left_pattern
from search.phases.scout import Scout
from search.phases.shares import weight_shares
from search.verdict import Judge, Verdict
from search.workers import Searcher
from xtal.errors import UserError
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.linefinder import find_lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics.artefacts import Scan
from xtal.physics.simulate import simulate_mixture

SCAN = Scan(8.0, 60.0, 0.02, 1.5418)
ZINC, TITANIA, SALT = "zinc_oxide_zincite", "titanium_oxide_rutile", "sodium_chloride_halite"


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    """The default fingerprint's index of the lab's own phases, and the calibrations that come with it."""
    import models

    home = tmp_path_factory.mktemp("phases")
    build(open_plan(["lab"], models.load(), limit=400, home=home), workers=1)
    engine = Engine.open("lab", home)
    return Searcher(engine, Judge.open(engine, home), PhaseJudge(engine))


def mixture(searcher, names, areas, seed=1):
    crystals = [searcher.engine.crystal(name) for name in names]
    return simulate_mixture(crystals, areas, 0.5, np.random.default_rng(seed), SCAN)


def named(verdict):
    return [{phase.hit.id, *phase.alike} for phase in verdict.phases]


def test_both_phases_are_named_with_shares_the_larger_first(searcher):
    pattern = mixture(searcher, (ZINC, TITANIA), (0.65, 0.35))
    _, verdict = searcher.search(pattern, Options())
    assert verdict.kind == "match_and_more"
    assert [phase.hit.rank for phase in verdict.phases] == [1, 2]
    assert ZINC in named(verdict)[0]
    assert TITANIA in named(verdict)[1]
    assert sum(phase.share for phase in verdict.phases) == pytest.approx(1)
    engine, last = searcher.engine, float(q_from_two_theta(60.0, 1.5418))
    rows = [engine.index.row_of(ZINC), engine.index.row_of(TITANIA)]
    truth = weight_shares(engine.index, rows, np.array([0.65, 0.35]), last, 1.5418)
    assert verdict.phases[0].share == pytest.approx(truth[0], abs=0.1)
    assert verdict.headline.startswith("Match and more: 2 phases")


def test_kin_of_a_phase_is_no_match_and_says_so(searcher, monkeypatch):
    """Where what is left stands on reflections of a phase's own cell (see `test_cells`)."""
    pattern = mixture(searcher, (ZINC, TITANIA), (0.65, 0.35))
    monkeypatch.setattr("search.phases.judge.kin_of", lambda _finder, found: found.state.rows[0])
    _, verdict = searcher.search(pattern, Options())
    assert verdict.kind == "miss"
    assert verdict.phases == ()
    assert "a cell like its, with other atoms" in verdict.reasons[-1]


def test_one_phase_stays_a_match(searcher):
    _, verdict = searcher.search(mixture(searcher, (SALT,), (1.0,)), Options())
    assert (verdict.kind, verdict.phases) == ("match", ())


def test_a_filter_holds_for_every_phase(searcher):
    pattern = mixture(searcher, (ZINC, TITANIA), (0.65, 0.35))
    _, verdict = searcher.search(pattern, Options(elements=frozenset({"Zn", "O"})))
    for phase in verdict.phases:
        assert set(phase.hit.formula) <= set("ZnO0123456789")


def test_a_phase_goes_by_the_name_of_the_hit_that_is_its_structure(searcher):
    """Whichever of two entries of one structure stands among the hits."""
    copies = ("barium_titanate_cubic", "barium_titanate_tetragonal")
    answer = searcher.engine.query([mixture(searcher, (copies[0], SALT), (0.6, 0.4))])[0]
    (hit,) = (one for one in answer.hits if one.id in copies)
    for name in copies:
        shown = replace(hit, id=name, row=searcher.engine.index.row_of(name))
        again = replace(answer, hits=tuple(shown if one is hit else one for one in answer.hits))
        verdict = searcher.phases.examined(again, searcher.judge.verdict(again))
        assert [phase.hit.id for phase in verdict.phases if phase.hit.id in copies] == [name]


def test_profiles_are_stacked(searcher):
    pattern = mixture(searcher, (ZINC, TITANIA), (0.65, 0.35))
    _, verdict = searcher.search(pattern, Options())
    drawn = searcher.engine.stacked(pattern, [phase.hit for phase in verdict.phases])
    assert [part.name for part in drawn.parts] == [phase.hit.id for phase in verdict.phases]
    np.testing.assert_allclose(drawn.background + sum(p.curve for p in drawn.parts), drawn.calculated)
    assert np.abs(drawn.difference).sum() < 0.4 * (drawn.measured - drawn.background).sum()


def test_entries_whose_lines_are_there_score_best(searcher):
    """Whatever else is in the pattern."""
    engine = searcher.engine
    answer = engine.query([mixture(searcher, (ZINC, TITANIA), (0.5, 0.5))])[0]
    scores = Scout(engine).scores(answer.lines, 1.5418)
    best = {str(engine.index.entries.ids[row]) for row in np.argsort(-scores)[:25]}
    assert {ZINC, TITANIA} <= best


def test_scores_are_those_of_the_formula(searcher):
    """Entry by entry, at the very places of the lines; `Scout` rounds them to its grid, which moves P by 0.04."""
    engine = searcher.engine
    found = engine.query([mixture(searcher, (ZINC, TITANIA), (0.5, 0.5))])[0].lines
    area = found.intensity / lorentz_polarisation_ratio(found.q, 1.5418)
    level = (area / area.max()) ** scout.ROOT

    def there(place):
        off = (place[:, None] - np.log(found.q)) / scout.NEAR
        return np.where(np.abs(off) < 3, level * np.exp(-0.5 * off**2), 0).max(axis=1)

    low, high = found.q_range
    mean = there(np.arange(np.log(low) - scout.REACH, np.log(high) + scout.REACH, scout.STEP)).mean()
    scores = Scout(engine).scores(found, 1.5418)
    for row in range(0, len(engine), 9):
        own = engine.index.lines[row]
        best = np.argsort(-own.intensity, kind="stable")[: scout.STRONGEST]
        q, intensity = own.q[best], own.intensity[best]
        q, intensity = q[(q > low) & (q < high)], intensity[(q > low) & (q < high)]
        if len(q) < scout.FEWEST:
            assert scores[row] == -np.inf
            continue
        weight = np.sqrt(intensity / lorentz_polarisation_ratio(q, 1.5418))
        scales = np.linspace(-scout.REACH, scout.REACH, scout.SCALES)
        met = max(weight @ there(np.log(q) + shift) for shift in scales) / weight.sum()
        root = weight.sum() / np.sqrt((weight**2).sum())
        assert scores[row] == pytest.approx((met - mean) * root, abs=0.05 * root)


def test_without_a_calibration_a_pattern_is_taken_for_pure(engine, patterns):
    """The untrained fingerprint has none."""
    answer = engine.query(patterns[:1])[0]
    verdict = Verdict("miss", 0.1, ("nothing fits",))
    assert PhaseJudge(engine).examined(answer, verdict) is verdict


def test_four_phases_are_found_though_two_or_three_explain_little(searcher):
    names = (ZINC, "titanium_oxide_anatase", "calcium_carbonate_calcite", "silicon")
    _, verdict = searcher.search(mixture(searcher, names, (0.35, 0.25, 0.2, 0.2), 2), Options())
    assert [any(name in some for some in named(verdict)) for name in names] == [True] * 4


def test_lines_that_nothing_known_explains_are_listed(searcher):
    """A phase is named, and what is left."""
    calcite = "calcium_carbonate_calcite"
    pattern = mixture(searcher, (calcite,), (1.0,))
    foreign = np.array([17.4, 22.2, 27.9, 41.3])
    peaks = np.exp(-(((pattern.two_theta[:, None] - foreign) / 0.12) ** 2)).sum(axis=1)
    sample = replace(pattern, intensity=pattern.intensity + 0.6 * pattern.intensity.max() * peaks)
    _, verdict = searcher.search(sample, Options())
    assert verdict.kind == "match_and_more"
    assert calcite in named(verdict)[0]
    assert verdict.headline.endswith("likely, and peaks of something else")
    for angle in foreign:
        assert np.abs(np.array(verdict.unexplained) - angle).min() < 0.1


def test_a_phase_that_is_certain_beside_guesses_is_named_alone(searcher, monkeypatch):
    """Of a set in which the others are not sure, the certain one is fitted by itself, and the rest is left."""
    pattern = mixture(searcher, (ZINC, TITANIA), (0.65, 0.35))
    answer, _ = searcher.search(pattern, Options())
    for first, kind in ((CERTAIN, "match_and_more"), (CERTAIN - 0.01, "miss")):
        unsure = SimpleNamespace(
            probabilities=lambda rows, first=first: np.array([first, 0.01, 0.01, 0.01][: len(rows)]) - (len(rows) == 1),
            sure=lambda _: False,
        )
        judge = PhaseJudge(searcher.engine)
        monkeypatch.setattr(PhaseJudge, "_curves", unsure)
        verdict = judge.examined(answer, Verdict("miss", 0.1, ("nothing fits",)))
        assert verdict.kind == kind
        if kind == "match_and_more":
            (only,) = verdict.phases
            assert {ZINC, TITANIA} & {only.hit.id, *only.alike}
            assert only.probability == CERTAIN
            assert len(verdict.unexplained) > 2


def test_what_the_phases_leave_can_be_searched(searcher):
    """Where only the first phase was named, the second stands first among what fits the rest."""
    pattern = mixture(searcher, (ZINC, TITANIA), (0.7, 0.3))
    answer, found = searcher.search(pattern, Options())
    alone = replace(found, phases=found.phases[:1], unexplained=(27.4, 36.1))
    assert alone.phases[0].hit.id == ZINC
    assert leaves(alone)
    rest = left_pattern(searcher.engine, answer, alone)
    assert rest.source.endswith(f", without {ZINC}")
    assert (rest.intensity >= 0).all()
    near = np.abs(two_theta_from_q(find_lines(rest).q, 1.5418)[:, None] - np.array([31.77, 34.42, 36.25])).min(axis=1)
    assert (near > 0.1).all()  # the strong lines of zinc oxide are gone
    again, _ = searcher.search(rest, Options())
    assert TITANIA in {hit.id for hit in again.hits[:2]}


def test_without_a_named_phase_nothing_is_taken_off(searcher):
    pattern = mixture(searcher, (SALT,), (1.0,))
    answer, found = searcher.search(pattern, Options())
    assert not leaves(found)  # it explains everything
    missed = Verdict("miss", 0.1, (), unexplained=(31.7,))
    assert not leaves(missed)
    with pytest.raises(UserError, match="accepts no phase"):
        left_pattern(searcher.engine, answer, missed)
