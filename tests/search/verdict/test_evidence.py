"""Found and calculated lines side by side, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest

from search.verdict.evidence import Evidence, compare_lines
from search.verdict.reasons import reasons
from xtal.patterns import Lines, two_theta_from_q
from xtal.physics import LineTable, Scan
from xtal.physics.powder import DATABASE_LINES
from xtal.physics.simulate import simulate

WIDE = Scan(first=3.0, last=90.0, step=0.03)


@pytest.fixture(scope="module")
def wide(engine):
    """Answers to scans that go on where the calculated lines of their entries end."""
    ends = two_theta_from_q(
        np.minimum(engine.index.lines.take(np.arange(len(engine))).q_range[:, 1], 8), WIDE.wavelength
    )
    rows = np.flatnonzero(ends < 60)[:4]
    rng = np.random.default_rng(3)
    patterns = [simulate(engine.index.crystal(int(row)), 0.0, rng, WIDE) for row in rows]
    without = [np.setdiff1d(np.arange(len(engine)), [row, (row + 7) % len(engine)]) for row in rows]
    return engine.query(patterns, k=1, without=without), ends[rows]


def shortened(table: LineTable, row: int, last: float, limit: float | None = None) -> LineTable:
    """Return the lines of one entry alone, up to `last` Å⁻¹; known, by `limit`, to go no farther."""
    lines = table[row]
    kept = lines.q <= last
    few = Lines(lines.q[kept], lines.intensity[kept], None, (lines.q_range[0], limit or last), lines.direction[kept])
    return LineTable.stack([few])


def found_angles(answer):
    return two_theta_from_q(answer.lines.q, answer.pattern.wavelength)


def test_found_lines_beyond_the_calculated_ones_are_unknown(engine, wide):
    for answer, end in zip(*wide, strict=True):
        angles = found_angles(answer)
        assert (angles > end).sum() >= 5, "the scan must go on beyond the calculated lines"
        seen = compare_lines(answer, answer.hits[0], engine.index.lines)
        assert max(seen.unexplained, default=0) < end
        assert (angles > end).sum() <= seen.unknown <= (angles > end - 3).sum()
        assert seen.known[1] == pytest.approx(end, abs=2)


def test_weak_lines_explain_weak_lines_in_a_long_scan(engine, wide):
    """The fit of the profile makes do with the 128 strongest lines; the comparison may not."""
    for answer, end in zip(*wide, strict=True):
        seen = compare_lines(answer, answer.hits[0], engine.index.lines)
        judged = (found_angles(answer) < end).sum()
        assert judged >= 10
        assert len(seen.unexplained) <= 0.05 * judged


def test_the_same_lines_cut_short_leave_the_rest_of_the_comparison_as_it_was(engine, answers):
    answer = answers[0]
    hit, table = replace(answer.hits[0], row=0), engine.index.lines
    row = answer.hits[0].row
    whole = compare_lines(answer, answer.hits[0], table)
    assert whole.unknown == 0
    last = float(np.quantile(answer.lines.q, 0.6))
    cut = compare_lines(answer, hit, shortened(table, row, last))
    told = compare_lines(answer, hit, shortened(table, row, last, limit=6.0))  # computed, and nothing there
    assert cut.unknown >= 0.3 * len(answer.lines)
    assert told.unknown == 0
    assert len(told.unexplained) >= len(cut.unexplained) + 0.9 * cut.unknown
    assert set(cut.unexplained) <= set(whole.unexplained)
    assert cut.missing < 0.5 * told.missing


def test_a_full_row_ends_at_its_last_line(answers):
    """The strongest lines are kept: of one that stops early, what follows is too weak to be among them."""
    answer = answers[0]
    last = float(np.quantile(answer.lines.q, 0.6))
    q = np.linspace(0.2, last, DATABASE_LINES)
    for count, unknown in ((DATABASE_LINES, True), (DATABASE_LINES - 1, False)):
        lines = Lines(q[:count], np.ones(count), None, (0.2, 6.0), np.zeros((count, 6)))
        seen = compare_lines(answer, replace(answer.hits[0], row=0), LineTable.stack([lines]))
        assert (seen.unknown > 0) == unknown


def test_lines_below_the_first_calculated_angle_are_unknown_too(engine, answers):
    answer = answers[0]
    hit, lines = replace(answer.hits[0], row=0), engine.index.lines[answer.hits[0].row]
    first = float(np.median(answer.lines.q))
    kept = lines.q >= first
    late = Lines(lines.q[kept], lines.intensity[kept], None, (first, lines.q_range[1]), lines.direction[kept])
    seen = compare_lines(answer, hit, LineTable.stack([late]))
    assert seen.unknown >= 0.4 * len(answer.lines)
    assert min(seen.unexplained, default=90) > two_theta_from_q(first, answer.pattern.wavelength) - 0.5


def test_the_sentence_tells_what_could_not_be_judged(engine, wide, answers):
    for answer in wide[0]:
        evidence = Evidence.of(answer, engine.index)
        low, high = evidence.known
        (said,) = (reason for reason in reasons(answer, evidence) if "peaks found" in reason)
        judged, beyond = len(answer.lines) - evidence.unknown, evidence.unknown
        missed = len(evidence.unexplained)
        assert said.startswith(f"{missed} of {judged} peaks" if missed else f"it explains all {judged} peaks")
        assert f"; {beyond} beyond the {low:.0f} to {high:.0f}° that were calculated of it were not judged" in said
    said = reasons(answers[0], Evidence.of(answers[0], engine.index))
    assert not any("calculated of it" in reason for reason in said)


def test_nothing_calculated_where_lines_were_found_explains_nothing(engine, answers):
    answer = answers[0]
    lines = engine.index.lines[answer.hits[0].row]
    kept = lines.q > answer.pattern.q_range[1] * 1.05
    far = Lines(lines.q[kept], lines.intensity[kept], None, (answer.pattern.q_range[1] * 1.05, 6.0))
    seen = compare_lines(answer, replace(answer.hits[0], row=0), LineTable.stack([far]))
    assert (seen.missing, seen.absent, seen.unexplained) == (1, 1, ())
    assert seen.unknown == len(answer.lines)
