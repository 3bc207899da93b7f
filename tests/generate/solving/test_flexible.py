import numpy as np
import pytest
import spglib
from solving_helpers import FAMILIES, clean_sample, usual_chemistry

from generate.refine import fit_crystals
from generate.solving.flexible import relaxed
from generate.start import Start
from xtal.crystals import Crystal
from xtal.crystals.parts import Parts, cut, rotors

ROD = FAMILIES[8]  # MIL-47: benzenedicarboxylates in a group of 8 operations
TURN = np.radians(40)


def turned(crystal: Crystal, angle: float) -> Crystal:
    """Turn one end of every linker about its bond, each linker and its symmetry images alike."""
    frac = crystal.frac_coords.copy()
    for piece in cut(crystal).pieces:
        for (i, j), moving in rotors(piece.part):
            where = (crystal.frac_coords[piece.atoms] + piece.cell) @ crystal.lattice
            axis = (where[j] - where[i]) / np.linalg.norm(where[j] - where[i])
            arm = where[moving] - where[i]
            along = np.outer(arm @ axis, axis)
            new = along + (arm - along) * np.cos(angle) + np.cross(axis, arm) * np.sin(angle) + where[i]
            frac[piece.atoms[moving]] = new @ np.linalg.inv(crystal.lattice) - piece.cell[moving]
    return Crystal(crystal.lattice, frac, crystal.numbers, name=crystal.name)


def explained(crystal: Crystal, truth: Crystal) -> float:
    return float(fit_crystals(clean_sample(truth), [crystal]).fit.explained[0])


def off(crystal: Crystal, truth: Crystal) -> float:
    """Å, root mean square over atoms in the same order, hydrogen left out."""
    apart = crystal.frac_coords - truth.frac_coords
    apart = (apart - np.rint(apart)) @ truth.lattice
    return float(np.sqrt(np.square(apart - apart.mean(axis=0))[truth.numbers != 1].sum(axis=1).mean()))


def axes_of(parts: Parts) -> list[tuple[int, int]]:
    return [(int(p.atoms[i]), int(p.atoms[j])) for p in parts.pieces for (i, j), _ in rotors(p.part)]


def length(crystal: Crystal, i: int, j: int) -> float:
    apart = crystal.frac_coords[j] - crystal.frac_coords[i]
    return float(np.linalg.norm((apart - np.rint(apart)) @ crystal.lattice))


@pytest.fixture(scope="module")
def bent() -> Crystal:
    return turned(ROD, TURN)


@pytest.fixture(scope="module")
def straightened(bent: Crystal) -> Crystal:
    return relaxed(clean_sample(ROD), [Start("bent", bent)], usual_chemistry())[0].crystal


def test_ends_that_were_turned_turn_back(bent, straightened):
    assert off(bent, ROD) > 0.2
    assert off(straightened, ROD) < 0.5 * off(bent, ROD)
    assert explained(straightened, ROD) > explained(bent, ROD) + 0.02


def test_single_bonds_keep_their_lengths(bent, straightened):
    axes = axes_of(cut(ROD))
    assert axes
    for i, j in axes:
        assert length(straightened, i, j) == pytest.approx(length(bent, i, j), abs=0.05)


def test_symmetry_stays():
    """All ends turned alike by an operation of the group keep a group; it is not lost on the way back."""
    before = spglib.get_spacegroup((ROD.lattice, ROD.frac_coords, ROD.numbers), symprec=0.05)
    whole = relaxed(clean_sample(ROD), [Start("true", ROD)], usual_chemistry())[0].crystal
    assert spglib.get_spacegroup((whole.lattice, whole.frac_coords, whole.numbers), symprec=0.05) == before


def test_nothing_explains_less_than_before_and_the_best_comes_first(bent):
    starts = [Start("far too bent", turned(ROD, 2 * TURN)), Start("bent", bent), Start("true", ROD)]
    found = relaxed(clean_sample(ROD), starts, usual_chemistry())
    fits = [explained(start.crystal, ROD) for start in found]
    assert fits == sorted(fits, reverse=True)
    before = {start.id: explained(start.crystal, ROD) for start in starts}
    assert all(fit > before[start.id] - 1e-3 for fit, start in zip(fits, found, strict=True))
    assert found[-1].id == "far too bent"


def test_endless_molecules_stay_as_they_are():
    chain = Crystal(
        np.diag([2.5, 8.0, 8.0]), np.array([[0.25, 0.55, 0.5], [0.75, 0.47, 0.5]]), np.array([6, 6]), name="chain"
    )
    assert cut(chain).pieces[0].endless
    found = relaxed(clean_sample(ROD), [Start("chain", chain)], usual_chemistry())[0].crystal
    np.testing.assert_allclose(found.frac_coords, chain.frac_coords)


def test_nothing_to_bend_is_no_trouble():
    assert relaxed(clean_sample(ROD), [], usual_chemistry()) == []
