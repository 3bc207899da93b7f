"""Cells whose contents are not known, but for metals and linkers: what each may hold, and the parts of that."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, product

import gemmi
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.knowledge import Contents as Held
from generate.knowledge import guest_kinds, linker_kinds
from generate.knowledge.groups import groups_of
from generate.knowledge.survey import is_light
from generate.parts import Kind, Library, compositions
from generate.parts.chemistry import ELEMENTS
from generate.solving.assign import Need
from generate.solving.completing import Rest
from generate.solving.solver import Contents, solve
from generate.solving.starts import different, settings, told
from generate.start import Start
from indexer.crew import HERE, Crew
from xtal.crystals import Crystal, amounts_of
from xtal.crystals.parts import graph_of
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell

FILLINGS, BRIEFLY = 200, 0.5  # cells with cores that are looked at, and s that a way gets at first
RAREST = -4.5  # ln of how probable metals with linkers are, over the likeliest ones
CORES, RESTS, WAYS = 8, 6, 2  # metals with linkers; others beside each of these; parts that these may be


def solved_among(
    sample: Sample,
    cells: Sequence[tuple[IndexedCell, Sequence[Held]]],
    linkers: Sequence[str],
    guests: Sequence[str],
    library: Library,
    seconds: float,
    rng: Generator,
    seeds: Sequence[Start] = (),
    hear: Callable[[float, Crystal], None] = lambda *_: None,
    crew: Crew[None] = HERE,
) -> list[Start]:
    """Return frameworks of known linkers in cells that may hold this or that, best first.

    Args:
        sample: the pattern.
        cells: that it was indexed with, the likeliest first, and what each may hold, see `likely_contents`.
        linkers: the names or SMILES that this was found with.
        guests: likewise.
        library: of known parts.
        seconds: of a core, to search.
        rng: of everything random.
        seeds: crystals that may be nearly right, of any contents.
        hear: told the share of the time used and the best arrangement so far.
        crew: searches.
    """
    fillings = [
        filling
        for cell, likely in cells
        for filling in product(settings(sample, cell), cores(likely, linkers, library, guests))
    ]
    fillings.sort(key=lambda filling: -(filling[0].ln_probability + filling[1].ln_probability))
    crystals, listens = [replace(s.crystal, name=s.id) for s in seeds], partial(told, hear)
    found = solve(sample, fillings[:FILLINGS], library.chemistry, seconds, rng, crystals, listens, crew, BRIEFLY)
    return [Start(f"parts: {one.words}", one.crystal, beforehand=one.ln_probability) for one in different(found)]


def cores(
    likely: Sequence[Held], linkers: Sequence[str], library: Library, guests: Sequence[str] = ()
) -> list[Contents]:
    """Return the likeliest metals with linkers, and what may be there beside them; all probabilities add up to one.

    Args:
        likely: what the cell may hold, see `likely_contents`.
        linkers: the names or SMILES that it was found with.
        library: of parts.
        guests: named, too; others of their formulas are not thought of.
    """
    named = {kind.key.partition("-")[0]: kind for text in guests for kind in [_usual(guest_kinds(text), library)]}
    every = np.logaddexp.reduce([held.ln_probability for held in likely]) if likely else 0.0
    alike = defaultdict[tuple, list[Held]](list)
    for held in likely:
        atoms = np.bincount(held.numbers, minlength=ELEMENTS) - _light(held)
        alike[(*atoms.tolist(), held.linkers)].append(replace(held, ln_probability=held.ln_probability - every))
    ordered = sorted(alike.values(), key=lambda helds: -_sum(helds))[:CORES]
    likely_ones = [helds for helds in ordered if _sum(helds) > _sum(ordered[0]) + RAREST]
    return [contents for helds in likely_ones for contents in _core(helds, linkers, library, named)]


def _core(helds: Sequence[Held], linkers: Sequence[str], library: Library, named: Mapping[str, Kind]) -> list[Contents]:
    """Return the parts of metals with linkers that several contents have in common."""
    first, total = helds[0], _sum(helds)
    known = _known(first, linkers, library)
    left = np.bincount(first.numbers, minlength=ELEMENTS) - _light(first) - _atoms(known)
    rests = [rest for held in helds[:RESTS] if (rest := _rest(held, held.ln_probability - total, library, named))]
    if not rests or (left < 0).any():
        return []
    found = list(islice(compositions(library, np.repeat(np.arange(ELEMENTS), left)), WAYS))
    share = np.logaddexp.reduce([one.score for one in found]) if found else 0.0
    return [
        Contents(
            tuple(Need(kind.conformers, number) for kind, number in (*known, *one.parts)),
            float(total + one.score - share),
            first.words,
            tuple(rests),
        )
        for one in found
    ]


def _known(held: Held, linkers: Sequence[str], library: Library) -> list[tuple[Kind, int]]:
    """Return the linkers, each with the acid hydrogens that it keeps, as frameworks hold it most often."""
    found = []
    for text, share in zip(linkers, held.linkers, strict=True):
        for kept, number in share:
            states = [k for k in linker_kinds(text) if groups_of(k.numbers, k.conformers[0].bonds).kept == kept]
            found += [(_usual(states, library), number)] if states else []
    return found


def _usual(kinds: Sequence[Kind], library: Library) -> Kind:
    """Return one of several states of a molecule as frameworks hold it most often; the first where none does."""
    graphs = {graph_of(kind.key) for kind in kinds}
    met = [kind for kind in library.kinds if graph_of(kind.key) in graphs]
    return max(met, key=lambda kind: kind.count, default=kinds[0])


def _rest(held: Held, ln_probability: float, library: Library, named: Mapping[str, Kind]) -> Rest | None:
    """Return the light molecules and ions of contents; None where one is neither `named` nor in the library."""
    needs = []
    for formula, number in held.rest:
        if is_light(formula):
            known = (kind for kind in library.kinds if kind.key.partition("-")[0] == formula)  # the most frequent first
            kind = named.get(formula) or next(known, None)
            if kind is None:
                return None
            needs.append(Need(kind.conformers, number))
    return Rest(tuple(needs), float(ln_probability), held.words)


def _light(held: Held) -> NDArray[np.int64]:
    """(99,) atoms of the molecules and ions that are found last."""
    total = np.zeros(ELEMENTS, np.int64)
    for formula, number in held.rest:
        if is_light(formula):
            for symbol, n in amounts_of(formula).items():
                total[gemmi.Element(symbol).atomic_number] += round(n) * number
    return total


def _atoms(parts: Sequence[tuple[Kind, int]]) -> NDArray[np.int64]:
    """(99,) atoms of parts."""
    return sum(
        (number * np.bincount(kind.numbers, minlength=ELEMENTS) for kind, number in parts), np.zeros(ELEMENTS, np.int64)
    )


def _sum(helds: Sequence[Held]) -> float:
    """Ln of the probability of all together."""
    return float(np.logaddexp.reduce([held.ln_probability for held in helds]))
