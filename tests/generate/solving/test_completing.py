"""What stands beside metals and linkers is found after them."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from solving_helpers import FAMILIES, clean_sample, where_it_is

from generate.benchmark.matching import rmse
from generate.knowledge import guest_kinds, likely_contents
from generate.parts import Library
from generate.parts.chemistry import ELEMENTS
from generate.solving.among import CORES, RAREST, cores
from generate.solving.assign import Need
from generate.solving.completing import Rest, completed
from generate.solving.roots import Roots
from generate.solving.search import Found
from xtal.crystals import Crystal
from xtal.crystals.parts import cut, graph_of
from xtal.crystals.symmetry import shortest

AZOLATE, FORMATE = FAMILIES[4], FAMILIES[0]
WATER = np.array([[0.0, 0, 0], [0.76, 0.59, 0], [-0.76, 0.59, 0]])


def emptiest(crystal: Crystal) -> np.ndarray:
    """The place that is farthest from all atoms, fractional."""
    grid = np.stack(np.meshgrid(*[np.arange(12) / 12] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    apart = shortest(grid[:, None] - crystal.frac_coords, crystal.lattice).min(axis=1)
    return grid[apart.argmax()]


def test_a_molecule_in_a_pore_is_found_and_the_framework_stays():
    middle = emptiest(FORMATE)
    own = middle + WATER @ np.linalg.inv(FORMATE.lattice)
    held = Crystal(
        FORMATE.lattice, np.concatenate([FORMATE.frac_coords, own]), np.concatenate([FORMATE.numbers, [8, 1, 1]])
    )
    sample = clean_sample(held)
    problem, pose = where_it_is(FORMATE, sample)
    problem = replace(problem, roots=Roots.of(sample, held.lattice, problem.setting.rotations))
    bare = Found(problem, pose, np.array([rows[0] for rows in problem.at]), 1.0)
    (water,) = (p.part for p in cut(held).pieces if len(p.part) == 3 and not p.part.donors.any())
    search = completed([bare], Rest((Need((water,), 1),), 0.0, "with water"), np.random.default_rng(0))
    assert search is not None
    search.run(0.2)
    best = search.pool[0]
    crystal = best.problem.crystal(best.pose, best.shapes)
    assert crystal.formula == held.formula
    error = rmse(heavy(crystal), heavy(held))
    assert error is not None
    assert error < 0.15


def heavy(crystal: Crystal) -> Crystal:
    """Without hydrogen, which a pattern hardly shows."""
    kept = crystal.numbers != 1
    return Crystal(crystal.lattice, crystal.frac_coords[kept], crystal.numbers[kept])


def test_what_has_no_sites_is_no_way():
    problem, pose = where_it_is(AZOLATE, clean_sample(AZOLATE))
    found = Found(problem, pose, np.array([rows[0] for rows in problem.at]), 1.0)
    assert completed([found], Rest((Need((), 1),), 0.0, "nothing"), np.random.default_rng(0)) is None


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.mark.parametrize(
    ("metals", "linkers", "volume"),
    [(("Zn",), ("BDC",), 1100.0), (("Cu",), ("BTC",), 4570.0), (("Zn",), ("BDC", "DABCO"), 1150.0)],
)
def test_cores_with_their_rests_hold_what_the_cell_may_hold(library, metals, linkers, volume):
    likely = likely_contents(metals, linkers, (), volume)
    found = cores(likely, linkers, library)
    known = {held.numbers.tobytes() for held in likely}
    assert 1 <= len({(c.words, c.rests) for c in found}) <= CORES
    assert np.logaddexp.reduce([c.ln_probability for c in found]) < 1e-9
    shares = defaultdict(list)  # ways to cut one core share its probability
    for contents in found:
        shares[contents.words].append(contents.ln_probability)
        assert np.logaddexp.reduce([rest.ln_probability for rest in contents.rests]) < 1e-9
    totals = [np.logaddexp.reduce(each) for each in shares.values()]
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] > totals[0] + RAREST
    for contents in found:
        core = atoms(contents.needs)
        for rest in contents.rests:
            numbers = np.repeat(np.arange(ELEMENTS), core + atoms(rest.needs))
            assert numbers.astype(np.int64).tobytes() in known, rest.words


def test_guests_that_are_named_are_taken_for_others_of_their_formula(library):
    """Of C3H8O frameworks hold 2-propanol more often than 1-propanol."""
    volume, linkers = 1400.0, ("BDC",)
    for guest in ("1-propanol", "2-propanol"):
        likely = likely_contents(("Zn",), linkers, (guest,), volume)
        found = cores(likely, linkers, library, (guest,))
        graphs = {graph_of(n.shapes[0].key) for c in found for rest in c.rests for n in rest.needs}
        assert {g for g in graphs if g.startswith("C3H8O-")} == {graph_of(guest_kinds(guest)[0].key)}


def atoms(needs) -> np.ndarray:
    """(99,) of all parts."""
    total = np.zeros(ELEMENTS, np.int64)
    for need in needs:
        total += need.count * np.bincount(need.shapes[0].numbers, minlength=ELEMENTS)
    return total
