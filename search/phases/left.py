"""What the accepted phases leave of a pattern, to be searched as a pattern of its own."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from search.answer import Answer
from search.verdict import Verdict
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.linefinder import line_points
from xtal.patterns.noise import counting_variance

if TYPE_CHECKING:
    from search.engine import Engine

ACCEPTED = ("match", "match_and_more")
TRUST = 0.1  # of a calculated intensity: so much the profile of a right structure is off where its lines are
SHOWS = 2.0  # standard deviations: where a phase gives more, what it takes off below the background was never there
NOTHING = "the verdict accepts no phase: what is left is the whole pattern, which was searched"


def leaves(verdict: Verdict) -> bool:
    """Whether a verdict accepts phases that leave lines unexplained."""
    return verdict.kind in ACCEPTED and bool(verdict.unexplained)


def left_pattern(engine: "Engine", answer: Answer, verdict: Verdict) -> Pattern:
    """Return the pattern without the calculated profiles of the phases that a verdict accepts.

    The background stays. Each point is trusted the less the more was taken off: its sigma holds a tenth of that beside
    the noise, so that what a fit leaves at the strong lines of a phase is no line.

    Raises:
        UserError: no phase is accepted.
    """
    if verdict.kind not in ACCEPTED or not answer.hits:
        raise UserError(NOTHING)
    hits = [phase.hit for phase in verdict.phases] or [answer.hits[0]]
    pattern, drawn = answer.pattern, engine.stacked(answer.pattern, hits)
    taken, under = drawn.calculated - drawn.background, drawn.background
    points = line_points(pattern, pattern.intensity - under)
    given = pattern.sigma if pattern.sigma is not None and pattern.sigma.any() else None
    variance = counting_variance(pattern.intensity, under, given, max(3, 2 * round(points / 4) + 1), points)
    rest = pattern.intensity - taken
    rest = np.where(taken > SHOWS * np.sqrt(variance), np.maximum(rest, under), rest)
    names = " and ".join(hit.id for hit in hits)
    return replace(
        pattern,
        intensity=np.clip(rest, 0, None),
        sigma=np.sqrt(variance + (TRUST * taken) ** 2),
        source=f"{pattern.source}, without {names}",
    )
