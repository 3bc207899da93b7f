"""Searching a small real index."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from search_helpers import ENTRIES, INDEX, QUERIES

from indexer.storage import Index
from indexer.storage.contents import flat_index
from search.engine import SHORTLIST, Engine, repeats
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.physics import Scan, reflections
from xtal.physics.artefacts import Artefacts, apply

MO = Scan(2.0, 20.0, 0.01, 0.7107)


def ids(answer):
    return [hit.id for hit in answer.hits]


@pytest.fixture(scope="module")
def by_similarity(engine, patterns):
    return engine.query(patterns, k=ENTRIES, physics=False, copies=True)


def test_ordinary_patterns_are_found_at_rank_one(engine, wanted, answers):
    group = engine.index.entries.group
    found = [answer.hits[0].group == group[row] for answer, row in zip(answers, wanted, strict=True)]
    assert sum(found) >= 0.9 * QUERIES


def test_physics_finds_no_fewer_than_the_fingerprint(engine, wanted, answers, by_similarity):
    group = engine.index.entries.group
    right = [
        sum(answer.hits[0].group == group[row] for answer, row in zip(found, wanted, strict=True))
        for found in (answers, by_similarity)
    ]
    assert right[0] >= right[1]


def test_the_fit_tells_the_right_structure_from_the_rest(wanted, answers):
    right = [h.fit for a, row in zip(answers, wanted, strict=True) for h in a.hits if h.row == row]
    wrong = [h.fit for a in answers for h in a.hits[5:] if h.fit is not None]
    assert np.median(right) > np.median(wrong) + 0.3
    assert all(0 <= fit <= 1 for fit in right + wrong)


def test_a_batch_answers_as_single_queries_do(engine, patterns, answers):
    for pattern, together in zip(patterns[:5], answers, strict=False):
        (alone,) = engine.query([pattern], k=10)
        assert ids(alone) == ids(together)
        assert [h.fit for h in alone.hits] == pytest.approx([h.fit for h in together.hits], abs=1e-4)


def test_hits_describe_their_entries(engine, answers, patterns):
    entries = engine.index.entries
    for answer, pattern in zip(answers, patterns, strict=True):
        assert answer.pattern is pattern
        assert [h.rank for h in answer.hits] == list(range(1, 11))
        assert len(set(ids(answer))) == 10
    best = answers[0].hits[0]
    assert entries.rows[best.id] == best.row
    assert (best.formula, best.n_atoms) == (entries.formulas[best.row], entries.n_atoms[best.row])
    assert best.group_size == (entries.group == best.group).sum()
    assert len(best.parameters) == 9
    assert best.scale == pytest.approx(1 + np.mean(best.parameters[:3]))
    assert best.zero_shift == best.parameters[6]
    assert 0.03 < best.width < 0.8
    assert best.similarity > 0.7
    assert answers[0].timings.total == pytest.approx(sum(vars(answers[0].timings).values()))


def test_more_hits_than_entries_are_all_entries(engine, patterns):
    (answer,) = engine.query(patterns[:1], k=ENTRIES + 50, copies=True)
    assert len(answer.hits) == ENTRIES == len(engine)
    assert len(set(ids(answer))) == ENTRIES
    compared = [h.fit is not None for h in answer.hits]
    assert compared == sorted(compared, reverse=True)  # those that physics compared stand in front
    assert 0 < sum(compared) <= SHORTLIST
    assert answer.hits[-1].parameters == ()
    assert answer.hits[-1].zero_shift is answer.hits[-1].width is answer.hits[-1].scale is None


@pytest.mark.parametrize("physics", [True, False])
def test_a_structure_is_one_hit_unless_copies_are_asked_for(engine, patterns, physics):
    group = engine.index.entries.group
    every, once = (engine.query(patterns[:1], k=ENTRIES, physics=physics, copies=c)[0].hits for c in (True, False))
    assert len(once) == len(set(group)) < ENTRIES
    first = {}
    for found in every:
        first.setdefault(found.group, found)
    if physics:  # copies crowd the stages of the fit: what hardly fits changes places
        assert once[0].group == every[0].group
        assert len({h.group for h in once[:10]} & set([*first][:10])) >= 7
    else:
        assert [h.row for h in once] == [h.row for h in first.values()]
    assert [h.rank for h in once] == list(range(1, len(once) + 1))


def test_without_physics_the_order_is_that_of_similarity(by_similarity):
    for answer in by_similarity:
        similarity = [h.similarity for h in answer.hits]
        assert similarity == sorted(similarity, reverse=True)
        assert all(h.fit is None for h in answer.hits)
        assert len(answer.hits) == ENTRIES


def test_similarity_is_the_product_of_the_vectors(engine, by_similarity):
    answer = by_similarity[0]
    vectors = engine.index.vectors.reconstruct_n(0, ENTRIES)
    expected = (vectors @ engine.embedder.embed_patterns([answer.lines]).T)[:, 0]
    np.testing.assert_allclose([h.similarity for h in answer.hits], np.sort(expected)[::-1], atol=1e-5)


def test_equally_similar_entries_stand_in_the_order_of_the_index(engine, patterns):
    vectors = engine.index.vectors.reconstruct_n(0, ENTRIES)
    vectors[:] = vectors[[0]]
    contents = replace(engine.index.contents, vectors=flat_index(vectors))
    (answer,) = Engine(Index(engine.index.manifest, contents), engine.embedder).query(
        patterns[:1], k=20, physics=False, copies=True
    )
    assert [h.row for h in answer.hits] == list(range(20))


def test_filters_work_inside_the_search(engine, patterns):
    """Every hit passes, and none that passes is lost because others were more alike."""
    entries = engine.index.entries
    allowed = frozenset({"C", "H", "N", "O", "Zn"})
    passing = {row for row in range(ENTRIES) if set(engine.index.crystal(row).composition) <= allowed}
    assert 5 < len(passing) < ENTRIES / 2
    for physics in (True, False):
        (answer,) = engine.query(patterns[:1], k=ENTRIES, elements=allowed, physics=physics, copies=True)
        assert {h.row for h in answer.hits} == passing
    formula = str(entries.formulas[7])
    (answer,) = engine.query(patterns[:1], k=3, formula=formula, copies=True)
    assert {h.row for h in answer.hits} == set(np.flatnonzero(entries.formulas.astype(str) == formula))


def test_a_filter_that_nothing_passes_says_so(engine, patterns):
    (answer,) = engine.query(patterns[:1], k=ENTRIES, required=frozenset({"Zn", "N"}), copies=True)
    assert answer.hits
    assert all({"Zn", "N"} <= engine.crystal(hit.id).composition.keys() for hit in answer.hits)
    left_out = {str(id_) for id_ in engine.index.entries.ids} - {hit.id for hit in answer.hits}
    assert not any({"Zn", "N"} <= engine.crystal(id_).composition.keys() for id_ in left_out)
    with pytest.raises(UserError, match=r"no entry of the index has all of the elements He$"):
        engine.query(patterns[:1], required=frozenset({"He"}))
    with pytest.raises(UserError, match="no entry of the index has only the elements He, Xe"):
        engine.query(patterns[:1], elements=frozenset({"Xe", "He"}))
    near = str(engine.index.entries.formulas[0])
    assert near == "C19H15CuN3O4"
    with pytest.raises(UserError, match=r"the reduced formula C19H14CuN3O4 .the same elements occur as .*C19H15CuN3O4"):
        engine.query(patterns[:1], formula="C19H14CuN3O4")
    with pytest.raises(UserError, match=r"only the elements C and the reduced formula XeF$"):
        engine.query(patterns[:1], elements=frozenset({"C"}), formula="XeF")


def test_a_count_of_hits_below_one_is_refused(engine, patterns):
    with pytest.raises(UserError, match="the number of hits must be at least 1, got 0"):
        engine.query(patterns[:1], k=0)


def test_no_patterns_give_no_answers(engine):
    assert engine.query([]) == []


def test_a_pattern_without_lines_is_answered(engine):
    blank = Pattern(np.linspace(3, 30, 1351), np.random.default_rng(2).poisson(100, 1351), 1.5418)
    (answer,) = engine.query([blank], k=5)
    assert len(answer.lines) == 0
    assert [h.row for h in answer.hits] == [0, 1, 2, 3, 4]
    assert all(h.similarity == 0 and h.fit is None for h in answer.hits)


@pytest.mark.parametrize("two_theta", [np.linspace(5, 6, 12), np.linspace(3, 120, 400), np.linspace(100, 160, 1000)])
def test_odd_scans_are_answered(engine, two_theta):
    counts = np.random.default_rng(1).poisson(20 + 500 * (np.arange(len(two_theta)) % 40 == 7))
    (answer,) = engine.query([Pattern(two_theta, counts, 1.5418)], k=5)
    assert len(answer.hits) == 5
    assert all(h.fit is None or 0 <= h.fit <= 1 for h in answer.hits)


@pytest.mark.parametrize("row", [3, 17, 60])
def test_molybdenum_larger_cell_and_zero_shift_together(engine, row):
    """0.7 % larger, 0.08° off: a line at 15° stands three widths from where the entry has it."""
    artefacts = Artefacts(0.007 * np.eye(3), 1.0, 0.05, 0.1, 0.08, 0.4, 0.08, 0.05, 0.0, 3e4)
    shell = reflections(engine.index.crystal(row), 3.2, wavelength=MO.wavelength)
    pattern = apply(artefacts, shell, np.random.default_rng(row), MO)
    best = engine.query([pattern], k=3)[0].hits[0]
    assert best.group == engine.index.entries.group[row]
    assert best.scale == pytest.approx(1.007, abs=2e-3)
    assert best.zero_shift == pytest.approx(0.08, abs=0.03)
    assert best.width == pytest.approx(0.08, abs=0.03)
    assert best.fit > 0.6


def test_the_overlay_of_the_right_hit_fits(engine, answers, wanted):
    answer, row = answers[0], wanted[0]
    right = next(h for h in answer.hits if h.row == row)
    drawn, other = engine.overlay(answer.pattern, right), engine.overlay(answer.pattern, answer.hits[9])
    np.testing.assert_array_equal(drawn.measured, answer.pattern.intensity)
    np.testing.assert_allclose(drawn.measured - drawn.calculated, drawn.difference)
    assert (drawn.calculated >= drawn.background - 1e-9).all()
    assert (np.diff(drawn.ticks) >= 0).all()
    assert drawn.ticks[0] > drawn.two_theta[0]
    assert drawn.ticks[-1] < drawn.two_theta[-1]
    assert np.abs(drawn.difference).sum() < 0.5 * np.abs(other.difference).sum()


def test_the_overlay_of_a_hit_that_was_never_fitted(engine, by_similarity):
    answer = by_similarity[0]
    drawn = engine.overlay(answer.pattern, answer.hits[-1])
    assert np.isfinite(drawn.calculated).all()


def test_entries_by_id(engine):
    assert isinstance(engine.crystal(str(engine.index.entries.ids[3])), Crystal)
    with pytest.raises(UserError, match="index 'coremof2019-asr' has no entry 'nothing'"):
        engine.crystal("nothing")


def test_a_missing_index_says_what_there_is_and_how_to_build_it(home):
    with pytest.raises(
        UserError,
        match=r"index 'hmof400' not found in .*; built indexes: coremof2019-asr, lab\. "
        r"Build it: python -m indexer build hmof400",
    ):
        Engine.open("hmof400", home)


def test_an_index_of_another_model_is_refused(home, tmp_path, monkeypatch):
    shutil.copytree(home, tmp_path / "home")
    monkeypatch.setattr("models.profile.VERSION", 99)
    with pytest.raises(UserError, match=r"was built with model profile .* Rebuild it: python -m indexer build"):
        Engine.open(INDEX, tmp_path / "home")


def test_every_structure_is_listed_once_unless_copies_are_asked_for(engine, patterns):
    entries = engine.index.entries
    for answer in engine.query(patterns[:5], k=30):
        groups = [hit.group for hit in answer.hits]
        assert len(groups) == len(set(groups)) == 30
    everything = engine.query(patterns[:1], k=len(engine), copies=True)[0].hits
    assert sorted(hit.row for hit in everything) == list(range(len(entries)))


def test_repeats_count_earlier_occurrences():
    assert repeats(np.array([7, 3, 7, 7, 3, 1])).tolist() == [0, 0, 1, 2, 1, 0]
    assert repeats(np.array([], dtype=np.int64)).tolist() == []
