from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner
from ui_fakes import candidate

from generate.__main__ import app
from generate.judging import Chance, chances
from generate.judging.calibrate import calibrate
from generate.judging.chance import Curves
from generate.judging.evidence import FEATURES, Record, evidence
from xtal.errors import UserError

SHARES = st.floats(0, 1)


def asked(count: int, per: int = 6) -> Record:
    """Questions whose candidates are the likelier right the better they fit."""
    rng = np.random.default_rng(5)
    answers, errors = [], []
    for _ in range(count):
        fits = np.sort(rng.uniform(0.2, 0.99, per))[::-1].tolist()
        answers.append([candidate(fit=fit, similarity=0.5 + fit / 2, agreement=0.3, closest=1.1) for fit in fits])
        right = rng.random(per) < np.array(fits) ** 4
        errors.append([rng.uniform(0.0, 0.5) if one else None for one in right.tolist()])
    return Record.of(answers, errors)


def test_chances_are_those_of_what_was_asked():
    curves, found = calibrate(asked(300), "made up")
    assert curves.questions == 300
    for each in found:
        assert sum(one.count for one in each.bins) == 300  # the first of every question
        assert each.brier < each.constant
        for one in each.bins:
            spread = 3 * np.sqrt(0.25 / max(one.count, 1)) + 0.05
            assert one.count == 0 or abs(one.right / one.count - one.chance) < spread
    good, poor = (curves.chances(evidence([candidate(fit=fit, closest=1.1)]))[0] for fit in (0.97, 0.3))
    assert good.framework > poor.framework


@given(st.tuples(*[SHARES] * 3), SHARES, st.floats(0.2, 1.5))
def test_nothing_better_makes_a_candidate_less_likely(shares, better, closest):
    fit, similarity, agreement = shares
    plain = candidate(fit=fit, similarity=similarity, agreement=agreement, closest=closest)
    first = chances([plain])[0]
    assert 0 <= first.atoms <= first.framework <= 1
    for name, value in (("fit", fit), ("similarity", similarity), ("agreement", agreement), ("closest", closest)):
        raised = chances([replace(plain, **{name: max(value, better)})])[0]
        assert raised.framework >= first.framework - 1e-12
        assert raised.atoms >= first.atoms - 1e-12


def test_words_are_for_what_is_more_likely_than_not():
    assert Chance(0.9, 0.6).word == "solved"
    assert Chance(0.9, 0.4).word == "plausible"
    assert Chance(0.4, 0.2).word == "unlikely"


def test_the_curves_that_come_with_the_package_tell_good_from_poor():
    good = candidate(fit=0.99, similarity=0.99, agreement=0.8, closest=1.1, model_id="")
    poor = candidate(fit=0.4, similarity=0.3, agreement=0.1, closest=0.5)
    first, last = chances([good, poor])
    assert first.framework > 0.7
    assert last.word == "unlikely"
    assert last.framework < 0.2
    assert chances([]) == []


def test_records_are_kept_and_put_together(tmp_path):
    one, two = asked(3), asked(2)
    one.save(tmp_path / "one.npz")
    both = Record.joined([Record.load(tmp_path / "one.npz"), two])
    assert both.questions == 5
    assert both.question.tolist() == [*one.question.tolist(), *(two.question + 3).tolist()]
    np.testing.assert_allclose(both.features[: len(one.features)], one.features, atol=1e-6)
    np.testing.assert_array_equal(both.rmse[: len(one.rmse)], one.rmse)


def test_a_question_without_candidates_counts_for_none():
    record = Record.of([[], [candidate()]], [[], [None]])
    assert record.features.shape == (1, len(FEATURES))
    assert record.question.tolist() == [1]
    assert np.isinf(record.rmse).all()


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "no.npz"
    with pytest.raises(UserError, match="no record of answers"):
        Record.load(path)
    path.write_text("text")
    done = CliRunner().invoke(app, ["calibrate", str(path), "--out", str(tmp_path / "out.json")])
    assert done.exit_code == 2
    assert "generate benchmark --record" in done.stderr


def test_the_command_writes_curves_that_can_be_read(tmp_path):
    record, out = tmp_path / "record.npz", tmp_path / "out.json"
    asked(60).save(record)
    done = CliRunner().invoke(app, ["calibrate", str(record), "--out", str(out), "--sources", "made up"])
    assert done.exit_code == 0, done.output
    assert "60 questions" in done.stdout
    assert "Brier score" in done.stdout
    assert Curves.load(out).sources == "made up"
