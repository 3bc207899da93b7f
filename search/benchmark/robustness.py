"""The same samples through many hands: what an answer owes to what was done to the file, and to the wavelength."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from search.benchmark.batches import parts
from search.benchmark.gallery import held_out
from search.engine import Engine
from search.verdict import Judge
from search.verdict.calibration import Calibration
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


@dataclass(frozen=True, eq=False)
class Treated:
    """Samples of one treatment: some of the rows, the number of the first of them among all, and what is done.

    Attributes:
        treatment: name of one of `TREATMENTS`.
        wavelength: Å, that they are measured with.
    """

    rows: NDArray[np.int64]
    first: int
    treatment: str
    wavelength: float


def robustness(
    crew: Crew[Engine],
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
    index = crew.base.index
    pool = held_out(index)
    if not 1 <= queries <= len(pool):
        raise UserError(f"index {index.manifest.name!r} allows 1 to {len(pool)} held-out queries, got {queries}")
    rows = np.random.default_rng(seed).permutation(pool)[:queries]
    usual = {name: (name, LABORATORY_SCAN.wavelength) for name in TREATMENTS}
    others = {f"{wavelength:g} Å": (next(iter(TREATMENTS)), wavelength) for wavelength in WAVELENGTHS}
    kinds = usual | others
    every = [Treated(rows[part], part.start, *kind) for kind in kinds.values() for part in parts(queries)]
    calibration, found = None if judge is None else judge.calibration, []
    for some in crew.map(partial(answered, calibration, severity, seed), every):
        found += some
        progress("searching", len(some), queries * len(kinds))
    return [_result(name, found[n * queries : (n + 1) * queries]) for n, name in enumerate(kinds)]


def answered(
    calibration: Calibration | None, severity: float, seed: int, engine: Engine, asked: Treated
) -> list[tuple[int, bool | None]]:
    """Search for samples one by one as people do: the rank of the right structure, and whether it is a match."""
    judge = None if calibration is None else Judge(calibration, engine.index)
    group, found = engine.index.entries.group, list[tuple[int, bool | None]]()
    plain = measured(engine, asked.rows, severity, seed, asked.wavelength, asked.first)
    for pattern, row in zip(plain, asked.rows, strict=True):
        answer = engine.query([TREATMENTS[asked.treatment](pattern)])[0]
        rank = next((hit.rank for hit in answer.hits if hit.group == group[row]), NOT_FOUND)
        found.append((rank, None if judge is None else judge.verdict(answer).kind == "match"))
    return found


def measured(
    engine: Engine, rows: NDArray[np.int64], severity: float, seed: int, wavelength: float, begin: int = 0
) -> Iterator[Pattern]:
    """Yield patterns of the entries `rows`: the same samples at any `wavelength` (Å), on as good an instrument.

    The first of them has the number `begin` among all.
    """
    usual = LABORATORY_SCAN
    finer = wavelength / usual.wavelength
    ends = q_from_two_theta(np.array([usual.first, usual.last]), usual.wavelength)
    first, last = two_theta_from_q(ends, wavelength)
    scan = Scan(float(first), float(last), usual.step * finer, wavelength, usual.second)
    for number, row in enumerate(rows, begin):
        rng = np.random.default_rng([seed, number])
        artefacts = Artefacts.draw(severity, rng)
        artefacts = replace(artefacts, fwhm=artefacts.fwhm * finer, zero_shift=artefacts.zero_shift * finer)
        crystal = engine.index.crystal(int(row))
        yield apply(artefacts, reflections(crystal, ends[1] * MARGIN, wavelength=wavelength), rng, scan)


def _result(name: str, found: Sequence[tuple[int, bool | None]]) -> Robustness:
    """Count what became of the samples of one treatment."""
    ranks = np.array([rank for rank, _ in found])
    matches = [match for _, match in found if match is not None]
    draws = np.random.default_rng(0).integers(0, len(ranks), (RESAMPLES, len(ranks)))
    low, high = np.percentile(100 * (ranks[draws] == 1).mean(axis=1), [2.5, 97.5])
    rates = tuple(float(100 * np.mean(ranks <= depth)) for depth in DEPTHS)
    match = float(100 * np.mean(matches)) if matches else None
    return Robustness(name, len(ranks), rates, match, float(low), float(high))
