"""Solve a crystal from its parts: share the time among cells, groups, compositions and sites by how well they do."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.parts import Chemistry
from generate.solving.assign import Assignment, Need, assignments
from generate.solving.completing import Rest, completed
from generate.solving.problem import HYDROGEN, NO_SYMMETRY, Problem, Setting
from generate.solving.roots import Roots
from generate.solving.search import Found, Search
from generate.solving.turns import turns
from indexer.crew import HERE, Crew
from xtal.crystals import Crystal
from xtal.crystals.linkers import CARBON, METALS
from xtal.crystals.parts import cut
from xtal.crystals.symmetry import shortest
from xtal.errors import UserError
from xtal.interrupt import look_up
from xtal.patterns.sample import Sample

ROUNDS = 3  # after each the better third of the ways goes on with more time
FIRST = 1.6  # s, the least time that a way gets at first: so many are begun with,
FEWEST = 4  # but no fewer
FARTHEST = 8.0  # ln probability below that of the likeliest way at which one is not begun with
COMPLETING = 2  # rounds for metals and linkers alone, where it is not known what else there is
SHRINK, LEAST = 3, 2
LEAST_LIKELY = 5.0  # ln p below the likeliest way from which a way gets the least time, a fifth of that one's
ORIENTATIONS = 4  # drawn of those that the sites of one way allow
BIAS = 0.15  # of the cost, per unit of ln probability
ALMOST = 0.7  # Å beyond the usual length of a bond: in a crystal that is nearly right it is one
SEEDED = -2.0  # ln probability that a whole crystal has the right parts in the right cell
RETURNED = 3  # arrangements of the best way that are returned
OTHER_WAYS = 9  # that are returned with their best arrangement, be they given up before the end


@dataclass(frozen=True, eq=False)
class Guess:
    """A cell with a group: `words` name it, `zero` degrees are added to calculated angles."""

    setting: Setting
    ln_probability: float
    words: str
    zero: float = 0.0


@dataclass(frozen=True, eq=False)
class Contents:
    """Parts that a cell may hold, with the ln probability of that; `words` name them.

    Where there are `rests`, these are metals and linkers, and one of the rests is there beside them.
    """

    needs: tuple[Need, ...]
    ln_probability: float
    words: str
    rests: tuple[Rest, ...] = ()


Filling = tuple[Guess, Contents]


@dataclass(frozen=True, eq=False)
class Solved:
    """An arrangement found: the crystal, what it was made of, its cost with the terms of it, see `search.Found`.

    `ln_probability` is that of the way before anything was searched.
    """

    crystal: Crystal
    words: str
    cost: float
    terms: NDArray[np.float64]
    ln_probability: float


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to fill one cell, with the time it has had: `held` names what it holds, `where` its cell and group."""

    search: Search
    ln_probability: float
    held: str
    where: str = ""
    rests: tuple[Rest, ...] = ()

    @property
    def words(self) -> str:
        """Contents and place."""
        return f"{self.held} in {self.where}" if self.where else self.held

    @property
    def promise(self) -> float:
        """Cost, less what speaks for the way beforehand; the smaller the better."""
        return self.search.cost - BIAS * self.ln_probability


Hear = Callable[[float, Solved | None], None]
"""Told the share of the time used and the best arrangement so far; to cancel, it raises."""


def solve(
    sample: Sample,
    fillings: Sequence[Filling],
    chemistry: Chemistry,
    seconds: float,
    rng: Generator,
    seeds: Sequence[Crystal] = (),
    hear: Hear = lambda *_: None,
    crew: Crew[None] = HERE,
    first: float = FIRST,
) -> list[Solved]:
    """Return arrangements of the parts, best first; it takes about so many `seconds` of one core.

    The ways to fill the cells are independent of each other, each with random numbers of its own: whoever searches
    them, the answer is the same.

    Args:
        sample: the pattern.
        fillings: cells with groups, and what they may hold.
        chemistry: usual bonds, coordinations and contacts.
        seconds: to search.
        rng: of everything random.
        seeds: whole crystals, named, that may be nearly right: their parts are moved from where they stand.
        hear: told how far it is.
        crew: searches.
        first: s of a core that a way gets at first, about: the more of them are begun with, the less.
    """
    rounds = ROUNDS + (COMPLETING if any(content.rests for _, content in fillings) else 0)
    arms = _arms(sample, fillings, chemistry, rng, max(FEWEST, int(seconds / rounds / first)))
    line = arms[0].search.problems[0].roots.line if arms else None
    arms = [*_seeded(sample, seeds, line, chemistry, rng), *arms]
    given_up = list[Arm]()
    for round_ in range(rounds):
        if rounds > ROUNDS and round_ == COMPLETING:
            arms = [whole for arm in arms for whole in _completed(arm, rng)]
        if not arms:  # nothing came of metals and linkers
            break
        hears = partial(_tell, hear, round_ / rounds, 1 / rounds, arms)
        searches = turns(crew, [arm.search for arm in arms], _shares(seconds / rounds, arms, rounds > ROUNDS), hears)
        arms = [replace(arm, search=search) for arm, search in zip(arms, searches, strict=True)]
        arms, left = _better(sorted(arms, key=lambda arm: arm.promise))
        given_up += left
    ways = sorted((arm for arm in [*arms, *given_up] if arm.search.pool), key=lambda arm: arm.promise)
    found = [
        _solved(arm, found)
        for rank, arm in enumerate(ways[: OTHER_WAYS + 1])
        for found in arm.search.polished(1 if rank else RETURNED)
    ]
    return sorted(found, key=lambda solved: solved.cost)


def _shares(seconds: float, arms: Sequence[Arm], sought: bool) -> list[float]:
    """Share time out: alike or, where contents are sought, too, as ln p grows.

    Σ p (1 - exp(-λ t)), what is found in times t, is greatest for a sum of t where t = (ln p + constant) / λ.
    """
    if not sought:
        return [seconds / len(arms)] * len(arms)
    likely = np.array([arm.ln_probability for arm in arms])
    weights = np.maximum(likely - likely.max() + LEAST_LIKELY, 1.0)
    return (seconds * weights / weights.sum()).tolist()


def _better(arms: Sequence[Arm]) -> tuple[list[Arm], list[Arm]]:
    """Split ways, best first, into the better third, or those that go on, and those that are given up.

    Metals and linkers that lack the rest fit as well as that allows, so that the best of each goes on.
    """
    first = dict[int, Arm]()
    for arm in arms:
        if arm.rests:
            first.setdefault(id(arm.rests), arm)
    kept = max(LEAST, len(arms) // SHRINK, len(first))
    goes = list(first.values())
    goes += [arm for arm in arms if all(arm is not other for other in goes)][: kept - len(goes)]
    return goes, [arm for arm in arms if not arm.rests and all(arm is not other for other in goes)]


def _completed(arm: Arm, rng: Generator) -> list[Arm]:
    """Return what an arrangement of metals and linkers may be with each of the rests, or itself."""
    if not arm.rests:
        return [arm]
    found = []
    for rest in arm.rests if arm.search.pool else ():
        look_up()
        search = completed(arm.search.pool, rest, rng.spawn(1)[0]) if rest.needs else copy(arm.search)
        if search is not None:
            found.append(Arm(search, arm.ln_probability + rest.ln_probability, rest.words, arm.where))
    return found


def _tell(hear: Hear, begin: float, share: float, arms: Sequence[Arm], done: float) -> None:
    """Pass on how far all rounds are."""
    hear(begin + share * done, _best(arms))


def _arms(
    sample: Sample,
    fillings: Sequence[Filling],
    chemistry: Chemistry,
    rng: Generator,
    most: int,
) -> list[Arm]:
    """Lay out up to `most` of the likeliest ways."""
    ways: list[tuple[float, Guess, Contents, Assignment]] = []
    for guess, content in fillings:
        beforehand = guess.ln_probability + content.ln_probability
        found = assignments(guess.setting, content.needs)
        ways += [(beforehand + way.ln_probability, guess, content, way) for way in found]
    ways.sort(key=lambda way: -way[0])
    arms, roots, lines = [], dict[int, Roots | None](), dict[bytes, tuple[float, float]]()
    for ln_probability, guess, content, way in ways[:most]:
        if ln_probability < ways[0][0] - FARTHEST:
            break
        look_up()
        if id(guess) not in roots:
            key = guess.setting.lattice.tobytes()
            roots[id(guess)] = made = _roots(sample, guess, lines.get(key))
            lines |= {key: made.line} if made else {}
        seen = roots[id(guess)]
        if seen is None:
            continue
        problems = [
            Problem.of(guess.setting, [stand.placed(rng) for stand in way.stands], seen, chemistry)
            for _ in range(ORIENTATIONS if any(len(stand.turns) > 1 for stand in way.stands) else 1)
        ]
        search = Search(problems, rng.spawn(1)[0])
        arms.append(Arm(search, ln_probability, content.words, guess.words, content.rests))
    return arms


def _roots(sample: Sample, guess: Guess, line: tuple[float, float] | None) -> Roots | None:
    """Return the profile for one cell; None where the cell has no line in its range."""
    try:
        return Roots.of(sample, guess.setting.lattice, guess.setting.rotations, guess.zero, line)
    except UserError:
        return None


def _seeded(
    sample: Sample,
    seeds: Sequence[Crystal],
    line: tuple[float, float] | None,
    chemistry: Chemistry,
    rng: Generator,
) -> list[Arm]:
    """Lay out the parts of whole crystals where they are, without symmetry; `line` is that of the likeliest cell."""
    arms = []
    for seed in seeds:
        parts = cut(seed)
        if any(piece.endless for piece in parts.pieces):
            continue
        roots = _roots(sample, Guess(Setting(seed.lattice, *NO_SYMMETRY), 0.0, ""), line)
        if roots is None:
            continue
        near = near_metals(seed, chemistry)
        standing = [
            (
                replace(piece.part, donors=piece.part.donors | near[piece.atoms]),
                ((seed.frac_coords[piece.atoms] + piece.cell) @ seed.lattice).mean(axis=0),
            )
            for piece in parts.pieces
        ]
        problem, pose, _ = Problem.without_symmetry(standing, seed.lattice, roots, chemistry)
        arms.append(Arm(Search.seeded(problem, pose, rng.spawn(1)[0]), SEEDED, seed.name))
    return arms


def near_metals(crystal: Crystal, chemistry: Chemistry) -> NDArray[np.bool_]:
    """(N,) True for atoms, carbon and hydrogen apart, that are almost near enough to a metal to bind it."""
    metal = METALS[crystal.numbers]
    light = ~metal & ~np.isin(crystal.numbers, (HYDROGEN, CARBON))
    apart = crystal.frac_coords[light][:, None] - crystal.frac_coords[metal]
    reach = chemistry.bond[np.ix_(crystal.numbers[light], crystal.numbers[metal])]
    found = np.zeros(len(crystal), dtype=bool)
    found[light] = ((shortest(apart, crystal.lattice) < reach + ALMOST) & (reach > 0)).any(axis=1)
    return found


def _solved(arm: Arm, found: Found) -> Solved:
    return Solved(
        found.problem.crystal(found.pose, found.shapes), arm.words, found.cost, found.terms, arm.ln_probability
    )


def _best(arms: Sequence[Arm]) -> Solved | None:
    arm = min(arms, key=lambda arm: arm.search.cost)
    return _solved(arm, arm.search.pool[0]) if arm.search.pool else None
