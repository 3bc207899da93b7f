from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from library_helpers import frameworks, small_library
from part_helpers import part_of, shuffled

from generate.parts import Chemistry, Kind, Library
from generate.parts.build import build, role_of
from generate.parts.conformers import conformers, mirrored
from generate.parts.library import with_images
from xtal.crystals.linkers import METALS
from xtal.crystals.parts import cut, graph_of, part_key
from xtal.errors import UserError


def truth(crystal) -> Counter:
    return Counter(graph_of(piece.part.key) for piece in cut(crystal).pieces)


def test_kinds_are_counted_by_crystals():
    library = small_library()
    held = Counter(key for crystal in frameworks() for key in truth(crystal))
    assert {kind.key: kind.count for kind in library.kinds} == dict(held)
    assert [kind.count for kind in library.kinds] == sorted(held.values(), reverse=True)


def test_a_crystal_holds_its_parts():
    library = small_library()
    for row, crystal in enumerate(frameworks()):
        at = slice(library.offsets[row], library.offsets[row + 1])
        names = [library.kinds[k].key for k in library.held[at]]
        assert dict(zip(names, library.number[at].tolist(), strict=True)) == truth(crystal)


def test_metals_get_the_charge_that_balances_linkers():
    charges = {kind.key.partition("-")[0]: kind.charge for kind in small_library().kinds}
    assert (charges["Zn"], charges["Cu"], charges["Cr"]) == (2, 2, 3)


def test_a_library_comes_back_from_its_file(tmp_path):
    library = small_library()
    kinds = (replace(library.kinds[0], charge=528), *library.kinds[1:])  # that of a ring of a hundred metals
    library = replace(library, kinds=kinds)
    library.save(tmp_path / "parts.npz")
    back = Library.load(tmp_path / "parts.npz")
    for one, other in zip(library.kinds, back.kinds, strict=True):
        assert (one.key, one.count, one.charge, one.smiles, one.role, one.shapes) == (
            other.key,
            other.count,
            other.charge,
            other.smiles,
            other.role,
            other.shapes,
        )
        for part, read in zip(one.conformers, other.conformers, strict=True):
            assert read.position == pytest.approx(part.position, abs=2e-3)
            assert np.array_equal(read.donors, part.donors)
            assert read.key == part_key(read.numbers, read.bonds, read.donors)
    for name in ("offsets", "held", "number"):
        assert np.array_equal(getattr(library, name), getattr(back, name))
    for field in fields(Chemistry):
        assert getattr(back.chemistry, field.name) == pytest.approx(getattr(library.chemistry, field.name), rel=1e-6)


def test_what_is_no_library_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no library of parts at .*; build one"):
        Library.load(tmp_path / "nothing.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="is no library of parts"):
        Library.load(tmp_path / "other.npz")


def test_crystals_of_a_formula_are_taken_out_with_what_only_they_hold():
    library, crystal = small_library(), frameworks()[-1]
    left = library.without(np.tile(crystal.numbers, 2))
    assert len(left) == len(library) - sum(c.reduced_formula == crystal.reduced_formula for c in frameworks())
    others = Counter(k for c in frameworks() if c.reduced_formula != crystal.reduced_formula for k in truth(c))
    assert {kind.key: kind.count for kind in left.kinds} == dict(others)
    names = [left.kinds[row].key for row in left.held]
    assert Counter(names) == others


def test_conformers_are_few_and_in_one_order():
    chair, planar = part_of("[O-]C(=O)CCCCC(=O)[O-]", seed=1), part_of("[O-]C(=O)CCCCC(=O)[O-]", seed=4)
    found = conformers([shuffled(part, seed) for seed, part in enumerate([chair] * 4 + [planar])])
    assert 1 < len(found) <= 2
    assert all(np.array_equal(part.numbers, found[0].numbers) for part in found)
    lengths = [np.linalg.norm(np.diff(part.position[part.bonds], axis=1)[:, 0], axis=1) for part in found]
    assert lengths[0] == pytest.approx(lengths[1], abs=0.2)  # C-O and C=O may change places


def test_mirror_images_are_kept_of_chiral_shapes_alone():
    chiral, flat = part_of("C[C@H](N)C(=O)[O-]"), part_of("[O-]C(=O)c1ccc(cc1)C(=O)[O-]")
    assert mirrored(chiral) is not None
    assert mirrored(flat) is None
    both = with_images([chiral, flat], [True, False])
    assert len(both) == 3
    assert both[2].position == pytest.approx(-both[0].position)


def test_a_kind_by_hand_has_a_bond_for_each_donor():
    part = part_of("[O-]C(=O)c1ccc(cc1)C(=O)[O-]")
    kind = Kind(graph_of(part.key), (part,), 0, -2, "", "linker")
    assert (kind.ties, kind.shapes) == (4.0, 1)
    assert np.array_equal(kind.numbers, part.numbers)


def test_roles():
    library = small_library()
    for kind in library.kinds:
        has_metal = METALS[kind.numbers].any()
        assert (kind.role in ("metal", "node")) == has_metal
        assert (kind.smiles == "") >= has_metal
    water = part_of("O")
    assert role_of(water, 1.0) == "inorganic"
    assert role_of(part_of("CN(C)C=O"), 0.0) == "organic"
    assert role_of(part_of("CN(C)C=O"), 1.0) == "linker"


def test_chemistry_is_symmetric_and_knows_zinc():
    chemistry = small_library().chemistry
    for table in (chemistry.bond, chemistry.spread, chemistry.contact):
        assert np.array_equal(table, table.T)
    assert chemistry.bond[30, 8] == pytest.approx(2.0, abs=0.1)
    assert chemistry.bond[6, 6] == 0
    assert chemistry.bond[59, 8] == pytest.approx(2.69, abs=0.01)  # praseodymium was not met: covalent radii
    assert 3 < chemistry.coordination[30] < 6.5
    assert chemistry.coordination[6] == 0
    assert 2.2 < chemistry.contact[6, 8] < 3.4


def test_a_source_is_built_with_workers_and_split(tmp_path):
    from xtal.crystals import CrystalTable

    table = CrystalTable.from_crystals(list(frameworks())[:6])
    table.save(tmp_path / "few.npz")
    whole = build([f"packed:{tmp_path / 'few.npz'}"], workers=1)
    assert len(whole) == sum(survey_of(crystal) for crystal in frameworks()[:6])
    parts = [0]
    for split in ("train", "val", "test"):
        try:
            parts.append(len(build([f"packed:{tmp_path / 'few.npz'}"], split, workers=1)))
        except UserError as error:
            assert "no ordered crystal" in str(error)  # noqa: PT017
    assert sum(parts) == len(whole)


def survey_of(crystal) -> bool:
    return not any(piece.endless for piece in cut(crystal).pieces)


def test_the_library_that_comes_with_this():
    library = Library.load()
    assert len(library) > 10_000
    assert "CC BY 4.0" in library.about
    linkers = {kind.smiles: kind for kind in library.kinds if kind.role == "linker"}
    terephthalate = linkers["O=C([O-])c1ccc(C(=O)[O-])cc1"]
    assert terephthalate.charge == -2
    assert terephthalate.count > 100
    assert library.chemistry.bond[30, 8] == pytest.approx(2.0, abs=0.05)
    assert max(kind.shapes for kind in library.kinds) == 5
