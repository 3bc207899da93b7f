"""Fit the verdict to an index, and measure how far it can be trusted on formulas it was not fitted to.

The formulas are halved. What is reported of each half comes from curves fitted to the other one (cross-fitting); the
calibration that is kept is fitted to both, with thresholds from those reported probabilities.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from models.logistic import Logistic
from search.benchmark.gallery import held_out
from search.benchmark.trials import Progress, Removed, Trials, simulated_trials
from search.engine import Engine
from search.verdict.calibration import SHARES, Calibration, Curves, Threshold, calibration_path, fit_bounds
from search.verdict.evidence import SIGNS
from xtal.errors import UserError

QUERIES = 1200  # entries asked for at every severity
FEWEST = 60  # of them: of fewer, 1 % cannot be told from nothing
BINS = 10  # of the reliability diagram


@dataclass(frozen=True)
class Bin:
    """Queries of about one probability: its mean, the share that was right, and how many those were."""

    probability: float
    share: float
    queries: int


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: `error` is the expected calibration error, the mean distance of the bins from truth."""

    bins: tuple[Bin, ...]
    error: float

    @classmethod
    def of(cls, probability: NDArray[np.float64], right: NDArray[np.bool_]) -> "Reliability":
        """Compare probabilities (T,) with truth (T,) in ten bins of equal width (Naeini et al., 2015)."""
        place = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
        members = [np.flatnonzero(place == i) for i in range(BINS)]
        bins = tuple(Bin(float(probability[m].mean()), float(right[m].mean()), len(m)) for m in members if len(m))
        return cls(bins, sum(abs(b.probability - b.share) * b.queries for b in bins) / max(len(right), 1))


@dataclass(frozen=True, eq=False)
class Judged:
    """Searches (T) with the probabilities (T,) of `Verdict.probability` and `Verdict.exact` for their first hits."""

    trials: Trials
    alike: NDArray[np.float64]
    exact: NDArray[np.float64]

    def take(self, chosen: NDArray) -> "Judged":
        """Return the chosen searches."""
        return Judged(self.trials.take(chosen), self.alike[chosen], self.exact[chosen])


@dataclass(frozen=True)
class Rates:
    """What happened to the queries of one severity; shares are 0 to 1.

    Attributes:
        severity: of the artefacts; None for all together.
        processed: whether the patterns were as programs export them.
        queries: entries asked for.
        right: first hits of the right group, of entries that the index holds.
        alike: first hits that are right or look like it.
        accepted: `match` for entries that the index holds, at each of `SHARES`.
        mistaken: at each of `SHARES`, `match` for such an entry with a first hit that does not even look like it.
        false: `match` for entries removed with all that looks like them, at each of `SHARES`.
        false_by_group: `match` for entries of which only the group was removed, at each of `SHARES`.
        error: expected calibration error of `Verdict.probability`.
        exact_error: the same of `Verdict.exact`.
    """

    severity: float | None
    processed: bool
    queries: int
    right: float
    alike: float
    accepted: tuple[float, ...]
    mistaken: tuple[float, ...]
    false: tuple[float, ...]
    false_by_group: tuple[float, ...]
    error: float
    exact_error: float


@dataclass(frozen=True)
class CalibrationReport:
    """A calibration and what it is worth on formulas it was not fitted to.

    Attributes:
        calibration: fitted to all searches.
        path: of the file it was written to.
        rates: of all queries, then of every severity, then of the processed ones.
        reliability: of `Verdict.probability`.
        exact_reliability: of `Verdict.exact`.
    """

    calibration: Calibration
    path: str
    rates: tuple[Rates, ...]
    reliability: Reliability
    exact_reliability: Reliability


def calibrate(
    crew: Crew[Engine],
    queries: int = QUERIES,
    seed: int = 0,
    home: Path | None = None,
    path: Path | None = None,
    progress: Progress = lambda stage, count, total: None,  # noqa: ARG005
) -> CalibrationReport:
    """Fit the verdict to an index, write it, and measure it.

    Args:
        crew: searches.
        queries: entries to ask for, of formulas no model was trained on; as many as there are when fewer.
        seed: of the choice of entries and of the artefacts.
        home: folder of indexes and caches, by default the setting ``XTALSCOUT_HOME``.
        path: file to write, by default where `Judge.open` looks for the index's own.
        progress: called with stage, count and total.

    Raises:
        UserError: the index holds too few such entries.
    """
    engine = crew.base
    trials = simulated_trials(crew, choose_rows(engine, queries, seed), seed, progress)
    judged = cross_fitted(trials)
    calibration = fit(judged, engine)
    target = path or calibration_path(engine.index.manifest.name, engine.embedder, home)
    calibration.save(target)
    return report(calibration, target, judged)


def choose_rows(engine: Engine, queries: int, seed: int) -> NDArray[np.int64]:
    """Choose up to `queries` entries of formulas no model was trained on; UserError when there are too few."""
    pool = held_out(engine.index)
    rows = np.random.default_rng(seed).permutation(pool)[:queries]
    if len(rows) < FEWEST:
        raise UserError(
            f"a calibration needs at least {FEWEST} entries of formulas that no model was trained on, "
            f"got {len(rows)} (index {engine.index.manifest.name!r} has {len(pool)}); "
            "ask for more queries, or calibrate a larger index"
        )
    return rows


def cross_fitted(trials: Trials) -> Judged:
    """Give every search its probabilities by curves fitted to the half of the formulas that it is not in."""
    alike, exact = np.zeros((2, len(trials)))
    for half in (trials.second_half, ~trials.second_half):
        alike[half], exact[half] = fit_curves(trials.take(~half)).probabilities(trials.features[half])
    return Judged(trials, alike, exact)


def fit_curves(trials: Trials) -> Curves:
    """Fit both probabilities; half the searches are for entries that the index holds, half for removed ones."""
    usable = trials.take(np.flatnonzero(np.isfinite(trials.features).all(axis=1)))
    low, high = fit_bounds(usable.features)
    alike = usable.take(usable.removed != Removed.GROUP)
    exact = usable.take(usable.removed != Removed.LOOKALIKES)
    return Curves(
        low,
        high,
        Logistic.fit(np.clip(alike.features, low, high), alike.alike, SIGNS),
        Logistic.fit(np.clip(exact.features, low, high), exact.right, SIGNS),
    )


def fit(judged: Judged, engine: Engine) -> Calibration:
    """Make the calibration that is kept, with the thresholds of searches judged by others."""
    absent = judged.alike[judged.trials.removed == Removed.LOOKALIKES]
    return Calibration(
        embedder=engine.embedder.name,
        model_id=engine.embedder.model_id,
        index=engine.index.manifest.name,
        entries=len(engine),
        queries=int((judged.trials.removed == Removed.NOTHING).sum()),
        curves=fit_curves(judged.trials),
        thresholds=tuple(Threshold(share, float(np.quantile(absent, 1 - share))) for share in SHARES),
    )


def report(calibration: Calibration, path: Path, judged: Judged) -> CalibrationReport:
    """Measure the verdict on searches judged by curves that were not fitted to them."""
    severity, processed = judged.trials.severity, judged.trials.processed
    rates = [measure(calibration, judged, None, False)]
    for kind in (False, True):
        for level in np.unique(severity[processed == kind]).tolist():
            chosen = (severity == level) & (processed == kind)
            rates.append(measure(calibration, judged.take(chosen), level, kind))
    return CalibrationReport(calibration, str(path), tuple(rates), *reliabilities(judged))


def reliabilities(judged: Judged) -> tuple[Reliability, Reliability]:
    """Compare `Verdict.probability` and `Verdict.exact` with the truth, half known and half removed."""
    trials = judged.trials
    by_group, by_looks = trials.removed != Removed.LOOKALIKES, trials.removed != Removed.GROUP
    return (
        Reliability.of(judged.alike[by_looks], trials.alike[by_looks]),
        Reliability.of(judged.exact[by_group], trials.right[by_group]),
    )


def measure(calibration: Calibration, judged: Judged, severity: float | None, processed: bool) -> Rates:
    """Count what the verdict makes of searches."""
    trials = judged.trials
    match = np.array([judged.alike >= calibration.threshold(share) for share in SHARES])  # (shares, T)
    held, group, absent = (trials.removed == kind for kind in Removed)
    reliability, exact = reliabilities(judged)
    return Rates(
        severity=severity,
        processed=processed,
        queries=int(held.sum()),
        right=float(trials.right[held].mean()),
        alike=float(trials.alike[held].mean()),
        accepted=_means(match[:, held]),
        mistaken=_means(match[:, held] & ~trials.alike[held]),
        false=_means(match[:, absent]),
        false_by_group=_means(match[:, group]),
        error=reliability.error,
        exact_error=exact.error,
    )


def _means(values: NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple(values.mean(axis=1).tolist())
