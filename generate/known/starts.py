"""What candidates begin from: known crystals, those built from them, or noise."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, cycle, islice, repeat

import numpy as np
from numpy.typing import NDArray

from generate.known.exchange import exchanged
from generate.known.gallery import Neighbour
from generate.known.isoreticular import Exchange, exchanges, with_metal
from generate.known.templates import difference
from generate.refine import fit_crystals
from models.ccsg.denoiser import LARGEST
from models.embedder import Embedder
from xtal.crystals import Crystal, take_apart
from xtal.crystals.linkers import Framework
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, crystal_lines

LOOKED_AT = 50  # nearest known crystals from which templates are chosen
FEW_CHANGES = 0.35  # share of atoms that a template may have to gain, lose or change
TEMPLATES = 10  # begun from in turn
HOSTS = 1000  # nearest known crystals that may get other linkers, or give theirs
SURVEYED = 150  # sets of linkers looked at, each in the nearest host that can hold it
BUILT = 150  # exchanges made of the best sets
FITTED = 40  # crystals compared with the profile, of the survey and of those made
BEST_SETS = 4
OF_ONE_SET = 3  # crystals kept, which differ little


@dataclass(frozen=True, eq=False)
class Start:
    """A crystal that a candidate begins from.

    Attributes:
        id: of the entry, or of those that it was built from.
        crystal: may hold other atoms than those asked for.
        diffused: whether it is noised and brought back. That may put a wrong atom right, and spoils chemistry that the
            network has not learned.
    """

    id: str
    crystal: Crystal
    diffused: bool = False

    @property
    def words(self) -> str:
        """Say it to people."""
        return f"{self.id}, noised" if self.diffused else self.id


@dataclass(frozen=True, eq=False)
class _Built:
    """What an exchange gave, its cell fitted; `fit` is the share of the profile explained."""

    fit: float
    exchange: Exchange
    crystal: Crystal


def in_turn(built: Sequence[Start], known: Sequence[Start], count: int) -> list[Start | None]:
    """Begin with what was built; the others are templates as they are, noised templates and noise (None) in turn."""
    turns = [(start, replace(start, diffused=True), None) for start in known]
    others = cycle(chain.from_iterable(turns)) if known else repeat(None)
    return [*built, *islice(others, count - len(built))]


def templates(near: Sequence[Neighbour], numbers: NDArray[np.int64]) -> list[Start]:
    """Choose of the nearest crystals those that need few changes to hold the atoms (N,)."""
    chosen = [n for n in near[:LOOKED_AT] if difference(n.crystal, numbers) <= FEW_CHANGES]
    chosen.sort(key=lambda n: difference(n.crystal, numbers) - n.similarity)
    return [Start(n.id, n.crystal) for n in chosen[:TEMPLATES]]


@dataclass(frozen=True, eq=False)
class Builder:
    """Builds crystals for one pattern by exchanging linkers.

    Attributes:
        embedder: of fingerprints.
        sample: the pattern.
        vector: (D,) its fingerprint.
        near: known crystals, nearest first.
    """

    embedder: Embedder
    sample: Sample
    vector: NDArray[np.float32]
    near: Sequence[Neighbour]

    def build(
        self, numbers: NDArray[np.int64], count: int, hear: Callable[[Crystal], None] = lambda _: None
    ) -> list[Start]:
        """Return up to `count` crystals of the atoms (N,), those that fit the profile best first.

        Many sets of linkers may have the right composition. Each is tried in one host; those that fit best are then
        built in every host and way. `hear` is told of the best crystal so far.
        """
        near = [n for n in self.near[:HOSTS] if len(n.crystal) <= LARGEST and (n.crystal.occupancies == 1).all()]
        frameworks = [with_metal(take_apart(n.crystal), numbers) for n in near]
        by_result: dict[frozenset[tuple[int, int]], list[Exchange]] = defaultdict(list)
        for exchange in exchanges(frameworks, numbers):
            by_result[exchange.result].append(exchange)
        survey = self._fitted(frameworks, [found[0] for found in by_result.values()][:SURVEYED], ways=1)
        if survey:
            hear(survey[0].crystal)
        best = list(dict.fromkeys(built.exchange.result for built in survey))[:BEST_SETS]
        made = self._fitted(frameworks, [exchange for result in best for exchange in by_result[result]][:BUILT])
        others = [built for built in survey if built.exchange.result not in best]
        chosen = _various(sorted([*made, *others], key=lambda built: -built.fit))[:count]
        return [Start(_name(near, built.exchange), built.crystal) for built in chosen]

    def _fitted(
        self, frameworks: Sequence[Framework], chosen: Sequence[Exchange], ways: int | None = None
    ) -> list[_Built]:
        """Make exchanges, each in so many ways, and fit the `FITTED` most similar crystals; best fits first."""
        made = [(e, c) for e in chosen for c in exchanged(frameworks[e.host], e.linkers)[:ways]]
        if not made:
            return []
        crystals = [crystal for _, crystal in made]
        table = LineTable.stack([crystal_lines(crystal) for crystal in crystals])
        similar = np.argsort(-(self.embedder.embed_crystals(crystals, table) @ self.vector), kind="stable")[:FITTED]
        refined = fit_crystals(self.sample, [crystals[row] for row in similar])
        fits = zip(refined.fit.explained.tolist(), similar, refined.crystals, strict=True)
        return sorted((_Built(fit, made[row][0], crystal) for fit, row, crystal in fits), key=lambda built: -built.fit)


def _name(near: Sequence[Neighbour], exchange: Exchange) -> str:
    host, donor = near[exchange.host].id, near[exchange.donor].id
    return f"{host} with linkers of {donor}" if exchange.linkers else host


def _various(ordered: Iterable[_Built]) -> list[_Built]:
    """Keep the first `OF_ONE_SET` crystals of each set of linkers."""
    seen, kept = Counter[frozenset[tuple[int, int]]](), []
    for built in ordered:
        seen[built.exchange.result] += 1
        if seen[built.exchange.result] <= OF_ONE_SET:
            kept.append(built)
    return kept
