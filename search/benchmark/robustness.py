"""The same samples through many hands: what an answer owes to what was done to the file, and to the wavelength."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.benchmark.gallery import held_out
from search.engine import Engine
from search.verdict import Judge
from xtal.errors import UserError
from xtal.patterns import Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.treatments import TREATMENTS
from xtal.physics import Scan, reflections
from xtal.physics.artefacts import LABORATORY_SCAN, Artefacts, apply
from xtal.physics.simulate import MARGIN

WAVELENGTHS = (0.1652, 0.4127, 0.7093, 2.2897)  # Å: two of synchrotrons, Mo Kα1, Cr Kα1
DEPTHS = (1, 3, 10)
RESAMPLES = 2000  # bootstrap
NOT_FOUND = 1_000_000  # a rank beyond every depth


@dataclass(frozen=True)
class Robustness:
    """What became of the same samples after one treatment.

    Attributes:
        treatment: name, or the wavelength.
        queries: samples.
        found: percent of the samples whose structure is within each of `DEPTHS`.
        match: percent that the verdict calls a match; None without a calibration.
        low, high: 95 % bootstrap interval of the first of `found`.
    """

    treatment: str
    queries: int
    found: tuple[float, ...]
    match: float | None
    low: float
    high: float


def robustness(
    engine: Engine,
    judge: Judge | None,
    queries: int,
    severity: float,
    seed: int,
    progress: Callable[[str, int, int | None], None] = lambda stage, count, total: None,  # noqa: ARG005
) -> list[Robustness]:
    """Search for the same simulated samples after every treatment, and measured with every wavelength.

    Samples are of entries whose formulas no model was trained on. With another wavelength the sample, the range in q
    and the resolution in q are the same. Raises UserError when the index has too few such entries.
    """
    pool = held_out(engine.index)
    if not 1 <= queries <= len(pool):
        raise UserError(f"index {engine.index.manifest.name!r} allows 1 to {len(pool)} held-out queries, got {queries}")
    rows = np.random.default_rng(seed).permutation(pool)[:queries]
    plain = list(measured(engine, rows, severity, seed, LABORATORY_SCAN.wavelength))
    total = queries * (len(TREATMENTS) + len(WAVELENGTHS))
    results = []
    for name, treat in TREATMENTS.items():
        results.append(_result(engine, judge, name, [treat(pattern) for pattern in plain], rows))
        progress("searching", queries, total)
    for wavelength in WAVELENGTHS:
        patterns = list(measured(engine, rows, severity, seed, wavelength))
        results.append(_result(engine, judge, f"{wavelength:g} Å", patterns, rows))
        progress("searching", queries, total)
    return results


def measured(
    engine: Engine, rows: NDArray[np.int64], severity: float, seed: int, wavelength: float
) -> Iterator[Pattern]:
    """Yield patterns of the entries `rows`: the same samples at any `wavelength` (Å), on as good an instrument."""
    usual = LABORATORY_SCAN
    finer = wavelength / usual.wavelength
    ends = q_from_two_theta(np.array([usual.first, usual.last]), usual.wavelength)
    first, last = two_theta_from_q(ends, wavelength)
    scan = Scan(float(first), float(last), usual.step * finer, wavelength, usual.second)
    for number, row in enumerate(rows):
        rng = np.random.default_rng([seed, number])
        artefacts = Artefacts.draw(severity, rng)
        artefacts = replace(artefacts, fwhm=artefacts.fwhm * finer, zero_shift=artefacts.zero_shift * finer)
        crystal = engine.index.crystal(int(row))
        yield apply(artefacts, reflections(crystal, ends[1] * MARGIN, wavelength=wavelength), rng, scan)


def _result(
    engine: Engine, judge: Judge | None, name: str, patterns: Sequence[Pattern], rows: NDArray[np.int64]
) -> Robustness:
    """Search for all patterns of one treatment, one by one as people do."""
    group = engine.index.entries.group
    ranks, matches = [], []
    for pattern, row in zip(patterns, rows, strict=True):
        answer = engine.query([pattern])[0]
        ranks.append(next((hit.rank for hit in answer.hits if hit.group == group[row]), NOT_FOUND))
        if judge is not None:
            matches.append(judge.verdict(answer).kind == "match")
    found = np.array(ranks)
    draws = np.random.default_rng(0).integers(0, len(found), (RESAMPLES, len(found)))
    low, high = np.percentile(100 * (found[draws] == 1).mean(axis=1), [2.5, 97.5])
    rates = tuple(float(100 * np.mean(found <= depth)) for depth in DEPTHS)
    match = float(100 * np.mean(matches)) if matches else None
    return Robustness(name, len(found), rates, match, float(low), float(high))
