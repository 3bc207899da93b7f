"""Crystals built from known ones, by the pattern: which framework, in which cell, with which linkers and groups."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.knowledge.series import straight_linkers
from generate.known.archetypes import COPPER, archetypes
from generate.known.dressed import BEST_SETS, Built, chosen_in_nets, of_built
from generate.known.dressing import SETTLED, THOROUGH, THOROUGHLY, Attempt, Dresser, bonded_as
from generate.known.exchange import Plan, in_net, plans
from generate.known.gallery import Neighbour
from generate.known.isoreticular import Key, Recipe, recipes, with_metal
from generate.known.lines import first_lines, likelihoods, likely
from generate.known.nets import Net, nets_in, rods_in
from generate.known.shelf import MOST_LINKERS, Shelf, lone_linkers
from generate.known.trials import Trial
from generate.known.ways import Way, ways
from generate.parts import Chemistry, Library
from generate.refine import fit_crystals
from generate.start import Start
from models.ccsg.denoiser import LARGEST
from models.embedder import Embedder
from xtal.crystals import Crystal, take_apart
from xtal.crystals.lattices import strain_onto
from xtal.crystals.linkers import METALS, Framework, Linker
from xtal.interrupt import look_up
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, crystal_lines
from xtal.physics.indexing import IndexedCell

HOSTS = 400  # nearest known crystals that may get other linkers, or give theirs
ALIKE = 200  # and those most like the composition
PLANNED = 2500  # sets of linkers that are planned, in nets and elsewhere, those of the most usual ones
SURVEYED = 120  # sets of linkers in some cell looked at, each in the nearest host that can hold it
OF_ONE_CELL = 12  # of these
NETTED = 400  # sets of linkers in some net of an indexed cell that are dressed
BUILT = 160  # crystals made of the best sets
FITTED = 50  # crystals compared with the profile, of the survey and of those made
MIXED = 1.0  # of ln p, that a framework has one more kind of groups
RARE = 0.3  # of the ln of how unlikely a set of linkers is, in a net
SHAPES = 4  # of the linkers of a set that are looked at outside of nets
TURNS = 2  # ways to share out the groups of a linker
STRAINED = 0.06  # by which a crystal may be strained into an indexed cell
FLATTEST = 2.5  # Å between the lattice planes of a cell at least
OF_ONE_SET = 5  # crystals moved and kept, which differ little
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Builder:
    """Builds crystals for one pattern by exchanging linkers.

    Attributes:
        embedder: of fingerprints.
        sample: the pattern.
        vector: (D,) its fingerprint.
        near: known crystals, nearest first.
        alike: known crystals of a like composition, which need not be near.
        extra: linkers that may be used besides those of known crystals, such as a chemist's (`lone_linkers`).
        library: parts of other crystals, with their usual bonds; without it nothing is dressed by the pattern.
        cells: that the pattern was indexed with.
    """

    embedder: Embedder
    sample: Sample
    vector: NDArray[np.float32]
    near: Sequence[Neighbour]
    alike: Sequence[Neighbour] = ()
    extra: Sequence[Linker] = ()
    library: Library | None = None
    cells: Sequence[IndexedCell] = ()
    _planned: dict[Hashable, list[Plan]] = field(default_factory=dict)
    _turned: dict[tuple[int, int], list[Way]] = field(default_factory=dict)
    _netted: dict[tuple[int, int], Plan] = field(default_factory=dict)

    def build(
        self, numbers: NDArray[np.int64], count: int, hear: Callable[[Crystal], None] = lambda _: None
    ) -> list[Start]:
        """Return up to `count` crystals of the atoms (N,), those that fit the profile best first.

        Many sets of linkers may have the right composition, and each may be interpenetrated. Those in whose cells the
        first lines of the pattern would lie where they do are tried in one host each; those that fit best are then
        built in every host and way, and the pattern says where their groups are. Sets that reach from node to node of a
        net in an indexed cell are all dressed by the pattern. `hear` is told of the best so far.
        """
        ruled = [Neighbour(crystal.name, 0.0, crystal) for crystal in archetypes(_metal(numbers))]
        known = {n.id: n for n in (*ruled, *self.near[:HOSTS], *self.alike)}.values()
        hosts = [n for n in known if len(n.crystal) <= LARGEST and (n.crystal.occupancies == 1).all()]
        frameworks = [_taken_apart(n.crystal, numbers) for n in hosts]
        by_key: dict[Key, list[Recipe]] = defaultdict(list)
        spare = lone_linkers(self.library.kinds, numbers, MOST_LINKERS) if self.library else []
        shelf = Shelf.of(frameworks, numbers, self.extra, spare, lone_linkers(straight_linkers(), numbers))
        cells = likely(self.cells)
        dresser = Dresser(self.sample, np.random.default_rng(0), cells) if self.library else None
        nets = [*nets_in(cells), *rods_in(cells)] if dresser else []
        for recipe in recipes(frameworks, shelf, numbers, nets, len(ruled)):
            by_key[recipe.key].append(recipe)
        netted, elsewhere = self._likely(frameworks, _usual(by_key.values()))
        survey = self._fitted(elsewhere)
        if survey:
            hear(survey[0].crystal)
        tried = of_built(dresser, survey)
        best = list(dict.fromkeys(trial.set for trial, _ in tried))[:BEST_SETS]
        share = BUILT // max(len(best), 1)
        made = self._fitted(
            [trial for chosen in best for trial in islice(self._every(frameworks, by_key, chosen), share)]
        )
        found = [*made, *(built for built in survey if built.trial.set not in best)]
        if self.library is not None and dresser is not None:
            tried += of_built(dresser, made)
            tried += chosen_in_nets(dresser, netted, lambda trial: self._every(frameworks, by_key, trial.set))
            found += self._settled(tried, self.library.chemistry, dresser.rng)
        chosen = _of_each_set(sorted(found, key=lambda built: -built.fit), lambda built: built.trial.set)[:count]
        return [Start(_name(hosts, built.trial), built.crystal) for built in chosen]

    def _every(
        self, frameworks: Sequence[Framework], by_key: Mapping[Key, Sequence[Recipe]], chosen: tuple[Key, Hashable]
    ) -> Iterator[Trial]:
        """Yield a set of linkers in every host and way, the hosts in turn."""
        key, place = chosen
        every = [
            [trial for trial in self._trials(frameworks[recipe.host], recipe, place=place) if trial.place == place]
            for recipe in by_key[key]
        ]
        for n in range(max(map(len, every))):
            for turn in range(TURNS):
                yield from (replace(found[n], turn=turn) for found in every if n < len(found))

    def _likely(self, frameworks: Sequence[Framework], found: Sequence[Recipe]) -> tuple[list[Trial], list[Trial]]:
        """Choose the recipes and cells that account for where the first lines lie, in nets and elsewhere."""
        trials = [t for recipe in found for t in self._trials(frameworks[recipe.host], recipe, cells_only=True)]
        if not trials:
            return [], []
        lattices = np.array([trial.lattice for trial in trials])
        metric = np.round((lattices @ lattices.swapaxes(1, 2)).reshape(-1, 9), 1)
        _, first, back = np.unique(metric, axis=0, return_index=True, return_inverse=True)
        values = likelihoods(lattices[first], first_lines(self.sample.lines), self.cells)[back.ravel()]
        values = values - np.array([MIXED * trial.recipe.mixed + _unlikely(trial) for trial in trials])
        used, netted, elsewhere = Counter[Hashable](), list[Trial](), list[Trial]()
        for row in np.argsort(-values, kind="stable").tolist():
            trial, cell = trials[row], int(back.ravel()[row])
            if used[trial.set, cell] or (trial.net is None and used[cell] == OF_ONE_CELL):
                continue
            used.update([(trial.set, cell)])
            if trial.net is None:
                used.update([cell])
                elsewhere.append(trial)
            else:
                netted.append(trial)
        return netted[:NETTED], elsewhere[:SURVEYED]

    def _settled(
        self, tried: Sequence[tuple[Trial, Attempt | None]], chemistry: Chemistry, rng: Generator
    ) -> list[Built]:
        """Move the frameworks that the pattern agrees with best, and fit their cells; best fits first."""
        able = [(trial, attempt) for trial, attempt in tried if attempt is not None]
        able.sort(key=lambda one: one[1].misfit)
        found = []
        for trial, attempt in _of_each_set(able, lambda one: one[0].set)[:SETTLED]:
            usual = bonded_as(trial.plan.host.crystal, chemistry)
            found += [(trial, one, attempt, usual) for one in attempt.settled(usual, rng)]
        found.sort(key=lambda one: one[1].misfit)
        made = [(trial, one.crystal) for trial, one, _, _ in found]
        for trial, _, attempt, usual in found[:THOROUGHLY]:
            made += [(trial, one.crystal) for one in attempt.settled(usual, rng, THOROUGH)[:OF_ONE_SET]]
        return self._refined([trial for trial, _ in made], [crystal for _, crystal in made])

    def _refined(self, trials: Sequence[Trial], crystals: Sequence[Crystal]) -> list[Built]:
        """Fit the cells of crystals; best fits first, flat cells left out."""
        if not crystals:
            return []
        refined = fit_crystals(self.sample, crystals)
        columns = refined.fit.explained.tolist(), trials, refined.crystals, refined.fit.parameters[:, 6].tolist()
        made = [Built(*row) for row in zip(*columns, strict=True)]
        return sorted((one for one in made if not _flat(one.crystal)), key=lambda one: -one.fit)

    def _trials(self, host: Framework, recipe: Recipe, cells_only: bool = False, place: Hashable = None) -> list[Trial]:
        """Return the ways to carry a recipe out, in each of its cells, or in one of its nets."""
        nets = [net for net in recipe.nets if place in (None, net)]
        if recipe.nets and not nets:
            return []
        found = self._plans(host, recipe, cells_only)
        if not nets:
            return [Trial(recipe, plan, cell) for plan in found for cell in range(len(plan.cells))]
        return [Trial(recipe, self._in_net(plan, net), 0, net) for plan in found for net in nets]

    def _plans(self, host: Framework, recipe: Recipe, cells_only: bool) -> list[Plan]:
        """Return the ways to carry a recipe out; groups make no difference."""
        kinds = (cells_only, recipe.host, *((slot.rows, id(fill.bare)) for slot, fill in recipe.pairs))
        if kinds not in self._planned:
            look_up()
            fills = [(slot.rows, fill.bare.linker) for slot, fill in recipe.pairs]
            self._planned[kinds] = plans(host, fills, self._ways, cells_only)
        return self._planned[kinds]

    def _in_net(self, plan: Plan, net: Net) -> Plan:
        """Remember plans in nets."""
        if (id(plan), id(net)) not in self._netted:
            self._netted[id(plan), id(net)] = in_net(plan, net.lattice)
        return self._netted[id(plan), id(net)]

    def _ways(self, old: Linker, new: Linker) -> list[Way]:
        """Remember the `ways` of the linkers of hosts."""
        if (id(old), id(new)) not in self._turned:
            self._turned[id(old), id(new)] = ways(old, new)
        return self._turned[id(old), id(new)]

    def _fitted(self, trials: Sequence[Trial]) -> list[Built]:
        """Build trials and fit the `FITTED` most similar crystals; best fits first."""
        cells = likely(self.cells)
        built = [(trial, crystal) for trial in trials[:BUILT] if (crystal := trial.crystal()) is not None]
        made = [(trial, _in_one_of(cells, crystal)) for trial, crystal in built]
        if not made:
            return []
        crystals = [crystal for _, crystal in made]
        table = LineTable.stack([crystal_lines(crystal) for crystal in crystals])
        similar = np.argsort(-(self.embedder.embed_crystals(crystals, table) @ self.vector), kind="stable")[:FITTED]
        return self._refined([made[row][0] for row in similar], [crystals[row] for row in similar])


def _metal(numbers: NDArray[np.int64]) -> int:
    """Return the first metal among atoms (N,), or copper."""
    return next(iter(numbers[METALS[numbers]].tolist()), COPPER)


def _taken_apart(crystal: Crystal, numbers: NDArray[np.int64]) -> Framework:
    """Take a host apart, with the metal of the atoms (N,)."""
    look_up()
    return with_metal(take_apart(crystal), numbers)


def _usual(sets: Iterable[Sequence[Recipe]]) -> list[Recipe]:
    """Recipes of the most usual sets of linkers: in nets, and elsewhere in the first host, in several shapes."""
    ordered = sorted(sets, key=lambda found: min(recipe.rarity for recipe in found))
    chosen = list[Recipe]()
    for netted in (True, False):
        alike = ([recipe for recipe in found if bool(recipe.nets) == netted] for found in ordered)
        for found in islice(filter(None, alike), PLANNED):
            chosen += found if netted else [recipe for recipe in found if recipe.host == found[0].host][:SHAPES]
    return chosen


def _unlikely(trial: Trial) -> float:
    """-ln p of the linkers of a net, and of how far they miss its nodes."""
    return trial.strain + RARE * trial.recipe.rarity if trial.net is not None else 0.0


def _in_one_of(cells: Sequence[IndexedCell], crystal: Crystal) -> Crystal:
    """Strain a crystal into the first cell that it is near to."""
    for cell in cells:
        found = strain_onto(crystal.lattice, cell.lattice, STRAINED)
        if found is not None:
            return replace(crystal, lattice=crystal.lattice @ (np.eye(3) + found[0]))
    return crystal


def _flat(crystal: Crystal) -> bool:
    """Whether lattice planes lie nearer than atoms ever do."""
    return bool((np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0) > 1 / FLATTEST).any())


def _name(hosts: Sequence[Neighbour], trial: Trial) -> str:
    host = hosts[trial.recipe.host].id
    return (
        host
        + (" with other linkers" if trial.recipe.slots else "")
        + (", interpenetrated" if trial.interpenetrated else "")
    )


def _of_each_set(ordered: Iterable[T], set_of: Callable[[T], Hashable]) -> list[T]:
    """Keep the first `OF_ONE_SET` of each set of linkers."""
    seen, kept = Counter[Hashable](), []
    for one in ordered:
        seen[set_of(one)] += 1
        if seen[set_of(one)] <= OF_ONE_SET:
            kept.append(one)
    return kept
