"""How often indexing finds the lattice and the space group of held-out crystals."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.ccsg.training.dataset import usable
from models.cpcp.training.dataset import split_of
from xtal.crystals import Crystal
from xtal.crystals.lattices import strain_onto
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import K_ALPHA_2
from xtal.physics.artefacts import Scan
from xtal.physics.simulate import simulate

SAME = 0.02  # strain up to which a found lattice is the right one
SYMMETRY = 0.1  # Å, by which atoms may be off when the true group is looked for
KNOWN = 0.2  # of the volume, where it is told
SYSTEMS = (
    ("triclinic", 3),
    ("monoclinic", 16),
    ("orthorhombic", 75),
    ("tetragonal", 143),
    ("hexagonal", 195),
    ("cubic", 231),
)
EDGES = (0.0, 0.2, 0.5, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Rate:
    """Of one crystal system, or of all."""

    system: str
    queries: int
    first: float
    five: float


@dataclass(frozen=True)
class IndexingBenchmark:
    """Rates in percent.

    Attributes:
        source, queries, severity, last, with_volume: what was asked; `last` in degrees 2θ.
        rates: of right lattices, by the crystal's system and over all.
        seconds, most_seconds: CPU time for a pattern, median and longest.
        calibration: rows of least and greatest probability given to the first cell, how often, and how often right.
        groups: crystals whose lattice was found within five.
        group_first, group_five, group_ten: of them, how often the true group's number is among the first listed ones.
    """

    source: str
    queries: int
    severity: float
    last: float
    with_volume: bool
    rates: tuple[Rate, ...]
    seconds: float
    most_seconds: float
    calibration: tuple[tuple[float, float, int, float], ...]
    groups: int
    group_first: float
    group_five: float
    group_ten: float


@dataclass(frozen=True)
class _Answer:
    """Of one crystal: its group, ranks (99: not found), the first cell's probability, CPU seconds."""

    group: int
    rank: int
    group_rank: int
    probability: float
    seconds: float


def measure_indexing(
    source: str,
    limit: int,
    most_atoms: int,
    severity: float,
    last: float,
    with_volume: bool,
    seed: int,
    advance: Callable[[str, int, int | None], None] = lambda *_: None,
) -> IndexingBenchmark:
    """Index one simulated pattern (3 to `last` degrees) of each of `limit` crystals of the test split.

    Raises:
        UserError: the source cannot be opened, or nothing of it is held out.
    """
    held = [c for _, c in usable([source], most_atoms) if split_of(c.reduced_formula) == "test"]
    if not held:
        raise UserError(f"no crystal of {source} with at most {most_atoms} atoms is in split 'test'")
    chosen = [held[row] for row in np.random.default_rng(seed).permutation(len(held))[:limit]]
    scan = Scan(last=last, second=K_ALPHA_2)
    answers = []
    for number, crystal in enumerate(chosen):
        pattern = simulate(crystal, severity, np.random.default_rng([seed, number]), scan)
        answers.append(_ask(crystal, Sample.of(pattern), with_volume))
        advance("index", 1, len(chosen))
    return _summed(answers, source, severity, last, with_volume)


def _ask(crystal: Crystal, sample: Sample, with_volume: bool) -> _Answer:
    """Index one pattern, and look for the group where the lattice was found."""
    import spglib

    from xtal.physics.indexing import index_pattern, space_groups

    found = spglib.get_symmetry_dataset((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=SYMMETRY)
    group = 1 if found is None else int(found.number)
    volume = (crystal.volume * (1 - KNOWN), crystal.volume * (1 + KNOWN)) if with_volume else None
    begun = time.process_time()
    try:
        cells = index_pattern(sample, volume)
    except UserError:  # too few lines: nothing was found
        cells = []
    seconds = time.process_time() - begun
    rank = next((k for k, cell in enumerate(cells) if same_lattice(cell.lattice, crystal.lattice)), 99)
    group_rank = 99
    if rank < 5:
        guesses = space_groups(sample, cells[rank], 10)
        group_rank = next((k for k, guess in enumerate(guesses) if guess.number == group), 99)
    return _Answer(group, rank, group_rank, cells[0].probability if cells else 0.0, seconds)


def same_lattice(lattice: NDArray[np.float64], true: NDArray[np.float64]) -> bool:
    """Whether two lattices differ by a strain of at most `SAME`."""
    return strain_onto(lattice, true, SAME) is not None


def _summed(answers: list[_Answer], source: str, severity: float, last: float, with_volume: bool) -> IndexingBenchmark:
    """Make rates of answers."""
    ranks, groups = np.array([a.rank for a in answers]), np.array([a.group for a in answers])
    rates, low = [], 1
    for name, high in SYSTEMS:
        rates.append(_rate(name, ranks[(groups >= low) & (groups < high)]))
        low = high
    rates.append(_rate("all", ranks))
    given = np.array([a.probability for a in answers])
    calibration = []
    for least, most in pairwise(EDGES):
        inside = (given >= least) & ((given < most) | (most == EDGES[-1]))
        calibration.append((least, most, int(inside.sum()), _percent(ranks[inside] == 0)))
    group_ranks = np.array([a.group_rank for a in answers])[ranks < 5]
    seconds = np.array([a.seconds for a in answers])
    return IndexingBenchmark(
        source,
        len(answers),
        severity,
        last,
        with_volume,
        tuple(rates),
        float(np.median(seconds)),
        float(seconds.max()),
        tuple(calibration),
        len(group_ranks),
        *(_percent(group_ranks < most) for most in (1, 5, 10)),
    )


def _rate(name: str, ranks: NDArray[np.int64]) -> Rate:
    return Rate(name, len(ranks), _percent(ranks == 0), _percent(ranks < 5))


def _percent(right: NDArray[np.bool_]) -> float:
    return 100 * float(right.mean()) if len(right) else 0.0
