"""Mixtures whose truth is known: simulated ones, sums of measured patterns, and samples of one phase."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.benchmark.gallery import held_out
from search.engine import Engine
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns import Pattern, q_from_two_theta
from xtal.physics.simulate import WIDE_SCAN, simulate_mixture

SCAN = WIDE_SCAN
FEWEST = 3  # lines of a phase within the scan
LARGEST = 60_000  # Å³ x atoms / 100: larger cells take seconds to simulate
FRACTIONS = (0.9, 0.7, 0.5)  # of the intensity, the major phase's
SEVERITY = 1.0


@dataclass(frozen=True, eq=False)
class Mixture:
    """A pattern and what is in it.

    Attributes:
        pattern: to search for.
        rows: (P,) entries of the index, the major one first.
        areas: (P,) their shares of the intensity.
        kind: for the table: ``framework + lab`` and so on.
        extra: entries that are in it too and that nobody asks for: to name them is no mistake.
    """

    pattern: Pattern
    rows: tuple[int, ...]
    areas: tuple[float, ...]
    kind: str
    extra: tuple[int, ...] = ()


def lab_rows(engine: Engine) -> NDArray[np.int64]:
    """Return the rows of lab phases with enough lines within the scan; UserError when the index holds too few."""
    lines = engine.index.lines
    first, last = q_from_two_theta(np.array([SCAN.first, SCAN.last]), SCAN.wavelength)
    rows = [row for row in np.flatnonzero(_of_lab(engine)).tolist() if _within(lines[row].q, first, last) >= FEWEST]
    return _enough(np.array(rows, dtype=np.int64), "lab phases", engine)


def framework_rows(engine: Engine) -> NDArray[np.int64]:
    """Return frameworks of formulas that no model saw, of moderate cells; UserError when the index holds too few."""
    rows = held_out(engine.index)
    rows = rows[~_of_lab(engine)[rows]]
    volume, atoms = engine.index.entries.volume[rows], engine.index.entries.n_atoms[rows]
    return _enough(rows[volume * atoms / 100 < LARGEST], "frameworks", engine)


def _of_lab(engine: Engine) -> NDArray[np.bool_]:
    """Return (S,) which entries come from the lab."""
    from xtal.sources import open_source

    known = {record.id for record in open_source("lab").records()}
    return np.array([str(id_).removeprefix("lab/") in known for id_ in engine.index.entries.ids])


def _within(q: NDArray[np.floating], first: float, last: float) -> int:
    return int(((q > first) & (q < last)).sum())


def _enough(rows: NDArray[np.int64], what: str, engine: Engine) -> NDArray[np.int64]:
    if len(rows) < 2:
        name = engine.index.manifest.name
        raise UserError(f"mixtures need {what}, and index {name!r} holds {len(rows)}; search coremof2019-asr+lab")
    return rows


def simulated(engine: Engine, pairs: int, seed: int, fractions: Sequence[float] = FRACTIONS) -> Iterator[Mixture]:
    """Yield pairs of a framework with a lab phase, and of two frameworks, at each fraction of the first one."""
    rng = np.random.default_rng([seed, 0])
    frameworks, lab = framework_rows(engine), lab_rows(engine)
    for number in range(pairs):
        first, other = rng.choice(frameworks, 2, replace=False)
        salt = rng.choice(lab)
        for kind, second in (("framework + lab", salt), ("two frameworks", other)):
            for place, fraction in enumerate(fractions):
                rows = (int(first), int(second))
                yield mixed(engine, rows, (fraction, 1 - fraction), kind, [seed, 1, number, place, int(second)])


def pure(engine: Engine, count: int, seed: int) -> Iterator[Mixture]:
    """Yield samples of one phase, every third one of the lab."""
    rng = np.random.default_rng([seed, 2])
    frameworks, lab = framework_rows(engine), lab_rows(engine)
    for number in range(count):
        row = int(rng.choice(lab if number % 3 == 2 else frameworks))
        yield mixed(engine, (row,), (1.0,), "pure", [seed, 3, number])


def mixed(engine: Engine, rows: tuple[int, ...], areas: tuple[float, ...], kind: str, seed: Sequence[int]) -> Mixture:
    """Simulate a mixture of entries."""
    crystals: list[Crystal] = [engine.index.crystal(row) for row in rows]
    pattern = simulate_mixture(crystals, areas, SEVERITY, np.random.default_rng(list(seed)), SCAN)
    return Mixture(pattern, rows, areas, kind)


def summed(
    engine: Engine, patterns: Sequence[Pattern], rows: Sequence[int], pairs: int, seed: int, fractions: Sequence[float]
) -> Iterator[Mixture]:
    """Yield sums of two measured patterns, of the entries `rows`, at each fraction of the first one's intensity."""
    rng = np.random.default_rng([seed, 4])
    group = engine.index.entries.group
    made = 0
    while made < pairs:
        first, second = rng.choice(len(rows), 2, replace=False)
        if group[rows[first]] == group[rows[second]]:
            continue
        made += 1
        for fraction in fractions:
            areas = (fraction, 1 - fraction)
            pattern = added(patterns[first], patterns[second], areas)
            yield Mixture(pattern, (rows[first], rows[second]), areas, "measured + measured")


def impure(
    engine: Engine,
    patterns: Sequence[Pattern],
    entries: Sequence[int],
    count: int,
    seed: int,
    fractions: Sequence[float],
) -> Iterator[Mixture]:
    """Yield simulated frameworks with an impurity, the measured pattern of one of `entries`, at shares of the area."""
    rng = np.random.default_rng([seed, 5])
    frameworks = framework_rows(engine)
    for number in range(count):
        row, other = int(rng.choice(frameworks)), int(rng.integers(len(patterns)))
        clean = mixed(engine, (row,), (1.0,), "", [seed, 6, number]).pattern
        for fraction in fractions:
            areas = (1 - fraction, fraction)
            pattern = added(clean, patterns[other], areas)
            yield Mixture(pattern, (row,), areas, "framework + measured impurity", (entries[other],))


def added(first: Pattern, second: Pattern, areas: tuple[float, float]) -> Pattern:
    """Return a sum of two patterns on the range and the points of the first, each with its share of the net area.

    The counts stay about those of the first one.
    """
    low, high = max(first.two_theta[0], second.two_theta[0]), min(first.two_theta[-1], second.two_theta[-1])
    angles = first.two_theta[(first.two_theta >= low) & (first.two_theta <= high)]
    one, other = (np.interp(angles, p.two_theta, p.intensity) for p in (first, second))
    net = [_net(first, angles), _net(second, angles)]
    factor = areas[1] / areas[0] * net[0] / max(net[1], 1e-30)
    return Pattern(angles, one + factor * other, first.wavelength, source=f"{first.source} + {second.source}")


def _net(pattern: Pattern, angles: NDArray[np.float64]) -> float:
    """Return the area above the background at some angles."""
    from xtal.patterns.background import background

    return float(np.interp(angles, pattern.two_theta, pattern.intensity - background(pattern)).clip(0).sum())
