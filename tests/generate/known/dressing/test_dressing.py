from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import small_mofs
from numpy.typing import NDArray

import models
from generate.knowledge import linker_kinds
from generate.known import Builder, Gallery
from generate.known.dressing import THOROUGH, Dresser, undressed
from generate.known.dressing.arrange import Arrangement, arranged, scattering
from generate.known.dressing.descent import State, descend
from generate.known.dressing.settle import _dressed
from generate.known.dressing.tables import STRAIN, TWISTS, Tables, _rotors
from generate.known.dressing.undressed import Undressed, Unit
from generate.known.exchange import exchanged, plans
from generate.known.pendants import bare
from generate.known.shelf import lone_linkers
from generate.parts import Library
from generate.refine import fit_crystals
from generate.solving.roots import FLOOR, Roots
from xtal.crystals import Crystal, take_apart
from xtal.patterns.sample import Sample
from xtal.physics import PAPER_SCAN, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.indexing import IndexedCell

HOST = small_mofs()[3]
FLUORINE = 9
HYDROGENS = np.flatnonzero(HOST.numbers == 1)
IDENTITY = np.eye(3, dtype=np.int64)[None]
BIPHENYL = "[O-]C(=O)c1ccc(cc1)c1ccc(cc1)C(=O)[O-]"


def fluorinated(*which: int) -> Crystal:
    """The host with some of its hydrogens exchanged for fluorine, the C-F bonds as short as those of hydrogen."""
    numbers = HOST.numbers.copy()
    numbers[HYDROGENS[list(which)]] = FLUORINE
    return replace(HOST, numbers=numbers, name="fluorinated")


def measured(crystal: Crystal) -> Sample:
    clean = replace(Artefacts.draw(0.0, np.random.default_rng(0)), fwhm=0.15, eta=0.5, counts=20_000.0)
    return Sample.of(apply(clean, reflections(crystal, 2.3), np.random.default_rng(1), PAPER_SCAN))


def stripped(crystal: Crystal) -> Undressed:
    """The crystal with its own linkers in their places, bare, and their groups."""
    framework = take_apart(crystal)
    naked = {row: bare(linker) for row, linker in enumerate(framework.linkers)}
    plan = plans(framework, [((row,), one.linker) for row, one in naked.items()])[0]
    groups = tuple(group for one in naked.values() for group in one.groups)
    built = exchanged(plan, {row: one.linker for row, one in naked.items()})
    found = undressed(plan, naked, groups, built, built.lattice)
    assert found is not None
    return found


def misfit(roots: Roots, frac: NDArray[np.float64], numbers: NDArray[np.integer]) -> float:
    """1 - c² of atoms at places (N, 3), written down plainly."""
    waves = np.exp(2j * np.pi * frac @ roots.hkl.T)
    sums = (roots.factors(np.arange(1, 40))[numbers.astype(np.int64) - 1] * waves).sum(axis=0)
    profile = np.full(len(roots.root), 1e-12)
    for start, shape, strength, total in zip(roots.start, roots.shape, roots.strength, sums, strict=True):
        profile[start : start + len(shape)] += strength * abs(total) ** 2 * shape
    known = roots.trust * (roots.root / roots.high) ** 2
    calc = np.sqrt(profile * (known * (roots.root**2 - FLOOR)).sum() / (known * profile).sum() + FLOOR)
    seen = np.clip(calc, roots.root, roots.high)
    weighted = [(roots.trust * a * b).sum() for a, b in ((calc, seen), (calc, calc), (seen, seen))]
    return float(1 - weighted[0] ** 2 / weighted[1] / weighted[2])


def unit(smiles: str) -> Unit:
    """A linker alone."""
    linker = lone_linkers(linker_kinds(smiles), np.array([1, 6, 7, 8]))[0]
    naked = bare(linker)
    return Unit(naked.linker.position, naked.linker, naked.places)


def indexed(lattice: NDArray[np.float64]) -> IndexedCell:
    """A cell as indexing gives it."""
    volume = float(np.linalg.det(lattice))
    return IndexedCell(lattice, lattice, "P", "tetragonal", volume, 0.0, 20.0, 20, 0.1, 0.0, 0.5)


def test_more_work_gives_several_arrangements_none_worse():
    truth = fluorinated(1, 2, 6)
    attempt = Dresser(measured(truth), np.random.default_rng(0)).attempt(stripped(truth), 0.0)
    assert attempt is not None
    chemistry = Library.load().chemistry
    brief = attempt.settled(chemistry, np.random.default_rng(1))
    found = [one.misfit for one in attempt.settled(chemistry, np.random.default_rng(1), THOROUGH)]
    assert len(brief) == 1
    assert 1 < len(found) <= THOROUGH.kept
    assert found == sorted(found)
    assert np.diff(found).min() > 0
    assert found[0] < brief[0].misfit + 1e-4


def test_rings_lie_in_the_plane_of_a_carboxylate_or_across_it():
    strain = next(_rotors(0, unit("[O-]C(=O)c1ccc(cc1)C(=O)[O-]"))).strain
    assert len(strain) == TWISTS
    assert strain[[0, TWISTS // 4, TWISTS // 2]] == pytest.approx(0, abs=0.05 * STRAIN)
    assert strain[TWISTS // 8] == pytest.approx(STRAIN, rel=0.05)
    bare_alkane = next(_rotors(0, unit("[O-]C(=O)C12CCC(CC1)(CC2)C(=O)[O-]")))
    assert (bare_alkane.strain == 0).all()  # no ring that is flat


def test_a_single_atom_beside_the_axis_of_a_linker_is_no_ring():
    straight = unit("[O-]C(=O)C#CC(=O)[O-]")
    assert straight.axis is not None
    middle = straight.linker.core & ~straight.linker.bound
    bent = straight.position.copy()
    bent[np.flatnonzero(middle)[0]] += 0.4 * np.cross(straight.axis.along, [0.6, 0.8, 0.0])
    (rotor,) = _rotors(0, replace(straight, position=bent))
    assert len(rotor.atoms) == 1
    assert (rotor.strain == 0).all()


@pytest.mark.parametrize(
    ("smiles", "rings"),
    [
        ("[O-]C(=O)c1ccc(cc1)C(=O)[O-]", 1),
        (BIPHENYL, 2),
        ("[O-]C(=O)c1ccc(cc1)C#Cc1ccc(cc1)C(=O)[O-]", 2),
        ("n1ccc(cc1)c1ccncc1", 2),
        ("[O-]C(=O)c1cccc(c1)C(=O)[O-]", 0),
        ("[O-]C(=O)c1cc(cc(c1)C(=O)[O-])C(=O)[O-]", 0),
    ],
)
def test_rings_of_straight_linkers_turn_by_themselves(smiles, rings):
    found = unit(smiles)
    assert len(found.rotors) == rings
    assert (found.axis is None) == (rings == 0)
    for rotor in found.rotors:
        assert not (rotor & found.linker.bound & (found.linker.numbers == 8)).any()
    assert np.sum(found.rotors, axis=0, initial=0).max() <= 1


def test_tables_are_those_of_the_dressed_crystal():
    """Any arrangement has the misfit of the crystal that it stands for."""
    framework = stripped(fluorinated(0, 3))
    kinds = framework.groups[:1]
    roots = Roots.of(measured(HOST), framework.lattice, IDENTITY)
    tables = Tables.of(framework, kinds, roots)
    rng = np.random.default_rng(3)
    group = np.full(len(tables.owner), -1, np.int64)
    group[rng.permutation(len(group))[:2]] = 0
    one = Arrangement(np.inf, rng.integers(tables.twists).astype(np.int64), group, np.zeros_like(group))
    bodies = [*framework.nodes, *(_dressed(framework, kinds, tables, one, k) for k in range(len(framework.units)))]
    frac = np.concatenate([place for _, place in bodies]) @ np.linalg.inv(framework.lattice)
    numbers = np.concatenate([part.numbers for part, _ in bodies])
    expected = misfit(roots, frac, numbers)
    found = descend(scattering(tables, roots), State(one.twist, one.group, one.turn), np.empty(0, np.int64))
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("which", [(0, 3), (1, 2, 6)])
def test_the_pattern_says_where_groups_are(which):
    truth = fluorinated(*which)
    sample, framework = measured(truth), stripped(truth)
    attempt = Dresser(sample, np.random.default_rng(0)).attempt(framework, 0.0)
    assert attempt is not None
    own = misfit(attempt.roots, truth.frac_coords, truth.numbers)
    assert attempt.misfit < own + 0.001  # another arrangement may do as well
    found = attempt.settled(Library.load().chemistry, np.random.default_rng(1))[0]
    assert found.misfit < 2 * own + 0.001
    assert found.crystal.formula == truth.formula


def test_each_indexed_cell_has_the_line_shape_that_fits_there():
    """In a wrong cell, which was tried first, another line fits best."""
    truth = fluorinated(0, 3)
    sample, framework, rng = measured(truth), stripped(truth), np.random.default_rng(0)
    cells = [indexed(1.04 * framework.lattice), indexed(framework.lattice)]
    wrong, right = (Roots.of(sample, cell.lattice, IDENTITY).line for cell in cells)
    assert wrong != right
    attempt = Dresser(sample, rng, cells).attempt(framework, 0.0, 1, 0)
    assert attempt is not None
    assert attempt.roots.line == right
    elsewhere = Dresser(sample, rng, cells).attempt(framework.in_cell(0.97 * framework.lattice), 0.0, 1, 0)
    assert elsewhere is not None
    assert elsewhere.roots.line == wrong  # that of the likeliest


def test_more_groups_than_places_cannot_be_put_on():
    framework = stripped(fluorinated(0))
    many = replace(framework, groups=framework.groups * (framework.places + 1))
    assert Dresser(measured(HOST), np.random.default_rng(0)).attempt(many, 0.0) is None


def test_arrangements_repeat_with_their_seed():
    framework = stripped(fluorinated(0, 3))
    roots = Roots.of(measured(fluorinated(0, 3)), framework.lattice, IDENTITY)
    tables, wanted = Tables.of(framework, framework.groups[:1], roots), np.zeros(2, np.int64)
    runs = [arranged(tables, wanted, roots, np.random.default_rng(5), begins=4, kicks=4) for _ in range(2)]
    assert [one.misfit for one in runs[0]] == [one.misfit for one in runs[1]]
    assert all((one.group >= 0).sum() == 2 for one in runs[0])


def test_a_builder_with_a_library_puts_groups_where_no_donor_has_them(monkeypatch):
    monkeypatch.setattr("generate.known.starts.SETTLED", 2)
    truth, donor = fluorinated(0, 3), replace(fluorinated(1, 2), name="donor")
    embedder, sample = models.load("profile"), measured(truth)
    vector = embedder.embed_patterns([sample.lines])[0]
    near = Gallery.of_crystals([donor, *small_mofs()], embedder).nearest(vector, 6)
    numbers = np.sort(truth.numbers).astype(np.int64)
    chemistry_alone = replace(Library.load(), kinds=())
    found = Builder(embedder, sample, vector, near, library=chemistry_alone).build(numbers, 3)
    assert {start.crystal.formula for start in found} == {truth.formula}
    plain = Builder(embedder, sample, vector, near).build(numbers, 3)
    best, before = (fit_crystals(sample, [s.crystal for s in starts]).fit.explained.max() for starts in (found, plain))
    assert best > before + 0.02
