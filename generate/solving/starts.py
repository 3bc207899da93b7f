"""From a pattern and the atoms of a cell to frameworks solved from parts: cells, groups, contents are guessed first."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, product

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.parts import Kind, Library, compositions
from generate.solving.assign import Need
from generate.solving.problem import Setting
from generate.solving.solver import Contents, Guess, Solved, solve
from generate.start import Start
from indexer.crew import HERE, Crew
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import GroupGuess, IndexedCell, index_pattern, space_groups

LEAST_ROOM, MOST_ROOM = 11.8, 85.0  # Å³ per atom, hydrogen as 0.3: 99 of 100 frameworks lie between
HYDROGEN_SHARE = 0.3
INDEXING = 0.25  # of the time of the search, for the cells beforehand; 8 s at most
LONGEST_INDEXING = 8.0
HOPELESS = 0.005  # probability of the first cell below which none is searched: 1 of 197 patterns, and not a right one
CELLS, GROUPS, CONTENTS, SEEDS = 3, 6, 12, 4  # looked at
WITHOUT_SYMMETRY = -2.5  # ln probability that a group was guessed wrongly and only translations are left
DIFFERENT_COST = 0.02  # arrangements of one cost are one


def room(numbers: NDArray[np.integer]) -> tuple[float, float]:
    """Return the least and largest volume (Å³) that atoms (N,) may fill as a framework."""
    return LEAST_ROOM * size(numbers), MOST_ROOM * size(numbers)


def size(numbers: NDArray[np.integer]) -> float:
    """Return how many atoms (N,) there are, hydrogen as `HYDROGEN_SHARE` of one."""
    return float((numbers != 1).sum() + HYDROGEN_SHARE * (numbers == 1).sum())


def solved_starts(
    sample: Sample,
    numbers: NDArray[np.int64],
    library: Library,
    seconds: float,
    rng: Generator,
    cells: Sequence[IndexedCell] = (),
    seeds: Sequence[Start] = (),
    extra: Sequence[Kind] = (),
    hear: Callable[[float, Crystal], None] = lambda *_: None,
    crew: Crew[None] = HERE,
) -> list[Start]:
    """Return frameworks of the atoms (N,), best first; nothing where no cell or no parts are found.

    Args:
        sample: the pattern.
        numbers: (N,) atomic numbers of the primitive cell.
        library: of known parts.
        seconds: to search, once cells and contents are known.
        rng: of everything random.
        cells: that the pattern was `indexed` with, the likeliest first.
        seeds: crystals that may be nearly right.
        extra: kinds of parts that the chemist named.
        hear: told the share of the time used and the best arrangement so far.
        crew: searches.
    """
    contents = guessed_contents(library, numbers, extra)
    guesses = [guess for cell in cells[:CELLS] if contents for guess in settings(sample, cell)]
    crystals = [replace(s.crystal, name=s.id) for s in seeds if holds(s.crystal, numbers)]
    listens = partial(told, hear)
    fillings = list(product(guesses, contents))
    found = solve(sample, fillings, library.chemistry, seconds, rng, crystals[:SEEDS], listens, crew)
    return [Start(f"parts: {one.words}", one.crystal) for one in different(found)]


def indexed(sample: Sample, numbers: NDArray[np.int64], seconds: float) -> list[IndexedCell]:
    """Return the likeliest cells for the atoms (N,), before a search of so many `seconds`.

    None of too few lines, and none where the best one is hopeless: a search in cells that explain nothing takes long.
    """
    try:
        cells = index_pattern(sample, room(numbers), min(INDEXING * seconds, LONGEST_INDEXING))
    except UserError:
        return []
    return cells if cells and cells[0].probability >= HOPELESS else []


def holds(crystal: Crystal, numbers: NDArray[np.integer]) -> bool:
    """Tell whether a crystal has the atoms (N,) and no other."""
    return len(crystal) == len(numbers) and bool((np.sort(crystal.numbers) == np.sort(numbers)).all())


def told(hear: Callable[[float, Crystal], None], share: float, best: Solved | None) -> None:
    """Pass on the best arrangement where there is one."""
    if best is not None:
        hear(share, best.crystal)


def guessed_contents(
    library: Library, numbers: NDArray[np.int64], extra: Sequence[Kind] = (), most: int = CONTENTS
) -> list[Contents]:
    """Return the likeliest sets of known parts that add up to the atoms (N,); they share all probability."""
    likeliest = list(islice(compositions(library, numbers, extra), most))
    every = np.logaddexp.reduce([composition.score for composition in likeliest]) if likeliest else 0.0
    found = []
    for composition in likeliest:
        needs = tuple(Need(kind.conformers, count) for kind, count in composition.parts)
        words = " + ".join(f"{count} {named(kind)}" for kind, count in composition.parts)
        found.append(Contents(needs, float(composition.score - every), words))
    return found


def named(kind: Kind) -> str:
    """Name a kind of part: a SMILES, or its formula where it holds metals."""
    return kind.smiles or kind.key.partition("-")[0]


def settings(sample: Sample, cell: IndexedCell, most: int = GROUPS) -> list[Guess]:
    """Return a cell with its likeliest groups, and with none."""
    likelihood = float(np.log(max(cell.probability, 1e-3)))
    found = [
        Guess(
            Setting(cell.lattice, group.rotations, group.translations),
            likelihood + group.ln_probability,
            group.symbol,
            cell.zero_shift,
        )
        for group in _groups(sample, cell, most)
    ]
    if all(len(guess.setting.rotations) > 1 for guess in found):
        alone = Setting(cell.lattice, np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))
        found.append(Guess(alone, likelihood + WITHOUT_SYMMETRY, "P1", cell.zero_shift))
    return found


def _groups(sample: Sample, cell: IndexedCell, most: int) -> list[GroupGuess]:
    """Return the likeliest groups; none where the lattice shows no line, or too many."""
    try:
        return space_groups(sample, cell, most)
    except UserError:
        return []


def different(solved: Sequence[Solved]) -> list[Solved]:
    """Return arrangements, best first, one of each cost."""
    kept: list[Solved] = []
    for one in solved:
        if not any(abs(one.cost - other.cost) < DIFFERENT_COST for other in kept):
            kept.append(one)
    return kept
