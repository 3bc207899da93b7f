"""How often the phases of mixtures are named, and how often one is named that is not there."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from search.benchmark.mixtures import FRACTIONS, Mixture, impure, pure, simulated, summed
from search.engine import Engine
from search.options import Options
from search.phases import PhaseJudge
from search.phases.shares import weight_of_area
from search.verdict import Judge, Verdict
from search.verdict.calibration import Calibration
from search.verdict.lookalikes import nearest_lookalikes
from search.workers import Searcher
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.physics import reflections

IMPURITIES = (0.05, 0.1, 0.2, 0.3)  # of the area
NEAR = 0.10  # share by weight that an estimate may be off


@dataclass(frozen=True)
class Outcome:
    """What became of one mixture.

    Attributes:
        kind: of the mixture.
        fraction: of the intensity, the first phase's.
        matched: whether the first phase is the first hit of a match or among the phases named.
        named: whether all phases are named (one of them by a match, where there is only one).
        first: whether the first phase comes first.
        false: whether a further phase is named that is not there.
        off: how far the share by weight of the first phase is from the truth; NaN where not all are named.
    """

    kind: str
    fraction: float
    matched: bool
    named: bool
    first: bool
    false: bool
    off: float


@dataclass(frozen=True)
class MixtureRates:
    """Outcomes of one kind at one fraction, in percent, with 95 % intervals (Wilson, 1927) of `named`."""

    kind: str
    fraction: float
    count: int
    matched: float
    named: float
    low: float
    high: float
    first: float
    false: float
    near: float


def simulated_mixtures(engine: Engine, pairs: int, seed: int) -> Iterator[Mixture]:
    """Yield `pairs` of each kind at three fractions, and as many samples of one phase as there are pairs of both."""
    return chain(simulated(engine, pairs, seed), pure(engine, 2 * pairs, seed))


def measured_mixtures(
    engine: Engine, patterns: Sequence[Pattern], names: Sequence[str], pairs: int, seed: int
) -> Iterator[Mixture]:
    """Yield sums of measured patterns, frameworks with them as impurities, and the measured patterns themselves.

    Entries bear the names of the patterns, perhaps with that of their index in front.
    """
    known = {str(id_).rpartition("/")[2]: row for row, id_ in enumerate(engine.index.entries.ids)}
    missing = [name for name in names if name not in known]
    if missing:
        raise UserError(f"no entry of index {engine.index.manifest.name!r} bears the name {missing[0]!r} of a pattern")
    rows = [known[name] for name in names]
    alone = (Mixture(p, (row,), (1.0,), "measured, pure") for p, row in zip(patterns, rows, strict=True))
    return chain(
        summed(engine, patterns, rows, pairs, seed, FRACTIONS),
        impure(engine, patterns, rows, pairs, seed, IMPURITIES),
        alone,
    )


def outcomes(
    crew: Crew[Engine],
    mixtures: Iterable[Mixture],
    done: Callable[[int], None] = lambda _: None,
    home: Path | None = None,
) -> list[Outcome]:
    """Answer mixtures as a user would get them answered, and compare with what is in them."""
    result = []
    for outcome in crew.map(partial(outcome_of, Judge.open(crew.base, home).calibration), mixtures):
        result.append(outcome)
        done(1)
    return result


def outcome_of(calibration: Calibration, engine: Engine, mixture: Mixture) -> Outcome:
    """Answer one mixture."""
    answer, verdict = _searcher(engine, calibration).search(mixture.pattern, Options(k=10))
    return _outcome(engine, mixture, verdict, answer.hits[0].row if answer.hits else -1)


@lru_cache(maxsize=1)
def _searcher(engine: Engine, calibration: Calibration) -> Searcher:
    """Return what searches; it notes something of every entry, which takes a while."""
    return Searcher(engine, Judge(calibration, engine.index), PhaseJudge(engine))


def rates(found: Sequence[Outcome]) -> list[MixtureRates]:
    """Count outcomes by kind and fraction."""

    def kind(outcome: Outcome) -> tuple[str, float]:
        """Return what outcomes are counted by."""
        return outcome.kind, -outcome.fraction

    return [_rates(name, -fraction, list(some)) for (name, fraction), some in groupby(sorted(found, key=kind), kind)]


def _outcome(engine: Engine, mixture: Mixture, verdict: Verdict, first: int) -> Outcome:
    """Compare one verdict with the truth; what looks like a phase counts as it."""
    if verdict.kind == "match":
        named = [[first]]
    else:
        rows = engine.index.entries.rows
        named = [[phase.hit.row, *(rows[id_] for id_ in phase.alike)] for phase in verdict.phases]
    families = [nearest_lookalikes(engine.index, row) for row in mixture.rows]
    which = [_which(candidates, families) for candidates in named]
    others = [row for extra in mixture.extra for row in nearest_lookalikes(engine.index, extra)]
    everything = set(range(len(families))) <= set(which)
    off = np.nan
    if everything and len(families) > 1:
        truth = _weights(engine, mixture)
        off = abs(sum(p.share for p, n in zip(verdict.phases, which, strict=True) if n == 0) - truth[0])
    return Outcome(
        mixture.kind,
        mixture.areas[0],
        0 in which,
        everything,
        bool(which) and which[0] == 0,
        any(n < 0 and not np.isin(entries, others).any() for n, entries in zip(which[1:], named[1:], strict=True)),
        float(off),
    )


def _weights(engine: Engine, mixture: Mixture) -> NDArray[np.float64]:
    """Return the weight fractions (P,) that make the phases' areas within the scan what they are."""
    low, high = mixture.pattern.q_range
    weight = []
    for row, area in zip(mixture.rows, mixture.areas, strict=True):
        crystal = engine.index.crystal(row)
        found = reflections(crystal, high, wavelength=mixture.pattern.wavelength)
        weight.append(area * weight_of_area(crystal, found, low, mixture.pattern.wavelength))
    return np.array(weight) / sum(weight)


def _which(candidates: Sequence[int], families: Sequence[NDArray[np.int64]]) -> int:
    """Return which of the true phases one of some entries looks like; -1 for none."""
    return next((n for n, family in enumerate(families) if np.isin(candidates, family).any()), -1)


def _rates(kind: str, fraction: float, some: Sequence[Outcome]) -> MixtureRates:
    count, named = len(some), sum(o.named for o in some)
    low, high = wilson(named, count)
    off = [o.off for o in some if np.isfinite(o.off)]
    means = (100 * float(np.mean([getattr(o, name) for o in some])) for name in ("matched", "first", "false"))
    matched, first, false = means
    near = 100 * float(np.mean([value <= NEAR for value in off])) if off else float("nan")
    return MixtureRates(kind, fraction, count, matched, 100 * named / count, low, high, first, false, near)


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval, in percent, of a rate of `hits` in `count` (Wilson, 1927)."""
    rate = hits / count
    middle = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return 100 * float(middle - half), 100 * float(middle + half)
