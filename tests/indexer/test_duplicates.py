from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from indexer_helpers import SALTS, rocksalt

from indexer.duplicates import group_duplicates
from indexer.storage import EntryTable
from xtal.crystals import Crystal, CrystalTable, primitive
from xtal.physics import LineTable, crystal_lines

# 14 formulas that several CoRE MOF 2019 ASR entries share (CC BY 4.0), drawn at random among cells of up to 40 atoms
FAMILIES = Path(__file__).parent.parent / "data" / "core_mof_families.npz"


def groups(crystals):
    lines = LineTable.stack([crystal_lines(c) for c in crystals])
    return group_duplicates(EntryTable.describe([str(i) for i in range(len(crystals))], crystals), lines)


@pytest.fixture(scope="module")
def families():
    table = CrystalTable.load(FAMILIES)
    return [table[row] for row in range(len(table))]


def changed(crystal, strain=(0, 0, 0), shift=0.0, flip=False):
    frac = np.mod((-crystal.frac_coords if flip else crystal.frac_coords) + shift, 1)
    return Crystal(crystal.lattice * (1 + np.array(strain)), frac, crystal.numbers)


def supercell(crystal):
    frac = np.concatenate([crystal.frac_coords, crystal.frac_coords + np.array([1, 0, 0])]) / [2, 1, 1]
    return Crystal(crystal.lattice * [[2], [1], [1]], frac, np.tile(crystal.numbers, 2))


def test_groups_agree_with_a_structure_matcher(families):
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Structure

    matcher = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5, primitive_cell=True, scale=True)
    structures = [Structure(c.lattice, c.numbers, c.frac_coords) for c in families]
    formulas, group = [c.reduced_formula for c in families], groups(families)
    pairs = [(a, b) for a, b in combinations(range(len(families)), 2) if formulas[a] == formulas[b]]
    expected = np.array([bool(matcher.fit(structures[a], structures[b])) for a, b in pairs])
    found = np.array([group[a] == group[b] for a, b in pairs])
    assert len(pairs) >= 30
    assert 0.2 < expected.mean() < 0.8
    assert (expected == found).mean() >= 0.85


def test_one_structure_in_other_settings_is_one_group(families):
    for crystal in families[::5]:
        others = [
            changed(crystal, shift=0.3),
            changed(crystal, flip=True),
            changed(crystal, strain=(0.015, 0.015, 0.015)),
            changed(crystal, strain=(0.01, -0.005, 0.005)),
            primitive(supercell(crystal)),
        ]
        assert groups([crystal, *others]).tolist() == [0] * 6


def test_other_formulas_densities_and_arrangements_are_other_groups():
    denser = rocksalt(5.640 * 0.9, 11, 17)
    blende = Crystal(
        SALTS[0].lattice, np.where(np.arange(8)[:, None] < 4, 0, 0.75) + SALTS[0].frac_coords, SALTS[0].numbers
    )
    potassium = rocksalt(5.640, 19, 17)
    assert groups([SALTS[0], denser, blende, potassium, SALTS[0]]).tolist() == [0, 1, 2, 3, 0]


def test_groups_are_numbered_by_first_appearance_whatever_the_order(families):
    group = groups(families)
    first = np.unique(group, return_index=True)[1]
    assert (np.diff(first) > 0).all()
    backwards = groups(families[::-1])[::-1]
    same, other = group[:, None] == group, backwards[:, None] == backwards
    np.testing.assert_array_equal(same, other)
    assert groups(families[:1]).tolist() == [0]
