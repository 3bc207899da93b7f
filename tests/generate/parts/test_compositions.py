from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from library_helpers import frameworks, small_library

from generate.parts import compositions
from generate.parts.prior import Weights, prior_of
from xtal.crystals.parts import cut, graph_of

KNOWN = [c for c in frameworks() if not any(piece.endless for piece in cut(c).pieces)]


def parts_of(crystal) -> Counter:
    return Counter(graph_of(piece.part.key) for piece in cut(crystal).pieces)


@pytest.mark.parametrize("crystal", KNOWN, ids=lambda c: c.name)
def test_known_parts_are_found_from_their_atoms(crystal):
    found = [{kind.key: n for kind, n in c.parts} for c in islice(compositions(small_library(), crystal.numbers), 10)]
    assert dict(parts_of(crystal)) in found


def test_atoms_add_up_and_nothing_comes_twice():
    crystal = max(KNOWN, key=len)
    wanted = np.bincount(crystal.numbers, minlength=99)
    seen = set()
    for composition in islice(compositions(small_library(), crystal.numbers), 50):
        total = sum(n * np.bincount(kind.numbers, minlength=99) for kind, n in composition.parts)
        assert np.array_equal(total, wanted)
        key = frozenset((kind.key, n) for kind, n in composition.parts)
        assert key not in seen
        seen.add(key)


def test_two_cells_hold_twice_as_much():
    crystal = KNOWN[0]
    found = islice(compositions(small_library(), np.tile(crystal.numbers, 2)), 10)
    twice = {key: 2 * n for key, n in parts_of(crystal).items()}
    assert twice in [{kind.key: n for kind, n in c.parts} for c in found]


def test_atoms_that_no_part_holds_have_no_composition():
    assert list(compositions(small_library(), np.array([94, 6, 8, 8]))) == []


def test_a_linker_that_the_chemist_gives_is_used():
    library, crystal = small_library(), next(c for c in KNOWN if 30 in c.numbers)
    linker = max((k for k in library.kinds if k.key in parts_of(crystal)), key=lambda k: (k.role == "linker", k.count))
    left = replace(library, kinds=tuple(replace(k, count=1) for k in library.kinds))
    known = {composition.parts for composition in islice(compositions(left, crystal.numbers, [linker]), 5)}
    assert any(linker.key == kind.key for parts in known for kind, _ in parts)
    stranger = replace(linker, key="mine")
    assert "mine" in {k.key for c in islice(compositions(library, crystal.numbers, [stranger]), 20) for k, _ in c.parts}


def test_signs_of_a_set():
    prior = prior_of(small_library())
    crystal = next(c for c in KNOWN if 30 in c.numbers)
    rows = [small_library().row[key] for key in parts_of(crystal)]
    number = list(parts_of(crystal).values())
    factor = int(np.gcd.reduce(np.bincount(crystal.numbers)))
    one = prior.signs(rows, number, np.array([30]), factor)
    twice = prior.signs(rows, [2 * n for n in number], np.array([30]), 2 * factor)
    assert len(one) == len(Weights().array())
    assert twice == pytest.approx(one, abs=0.05)  # bonds are compared after one is added to both sides
    wrong = prior.signs(rows, [number[0] + 1, *number[1:]], np.array([30]), factor)
    assert wrong[6] + abs(wrong[7]) - wrong[5] > one[6] + abs(one[7]) - one[5]
