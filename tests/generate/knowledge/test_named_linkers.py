"""Kinds of parts from names, SMILES and files."""

import numpy as np
import pytest
from rdkit import Chem

from generate.knowledge import guest_kinds, linker_kinds
from xtal.crystals import Crystal, read_cif, write_cif
from xtal.crystals.parts import cut, part_key
from xtal.errors import UserError
from xtal.sources import open_source

BDC = "OC(=O)c1ccc(cc1)C(=O)O"
METHYLIMIDAZOLE = "Cc1ncc[nH]1"


@pytest.fixture(scope="module")
def known():
    """Frameworks of the default source by id."""
    source = open_source("coremof2019-asr")
    records = {record.id: record for record in source.records()}
    return lambda name: source.read(records[name])


def organic(crystal):
    return {piece.part.key: piece for piece in cut(crystal).pieces if (piece.part.numbers == 6).any()}


def test_acids_lose_their_hydrogens_first_all_then_some():
    kinds = linker_kinds("BDC")
    assert [kind.charge for kind in kinds][:3] == [-2, -1, 0]
    assert kinds[0].smiles == "O=C([O-])c1ccc(C(=O)[O-])cc1"
    assert [int(kind.conformers[0].donors.sum()) for kind in kinds][:2] == [4, 2]
    assert {kind.role for kind in kinds} == {"linker"}


def test_phenols_beside_carboxylates_go_first_or_stay_together():
    assert [kind.charge for kind in linker_kinds("DOBDC")][:2] == [-4, -2]
    assert [kind.charge for kind in linker_kinds("5-hydroxyisophthalic acid")][:3] == [-2, -1, 0]


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("2-mIm", "NN"), ("BTC", "OOOOOO"), ("isonicotinic acid", "NOO"), ("BDC-NH2", "OOOO"), ("DABCO", "NN"),
        ("ethylenediamine", "NN"), ("IPA-CN", "OOOO"), ("1,4-dicyanobenzene", "NN"), ("TPT", "NNN"), ("HMTA", "NNNN"),
        ("1,4-phenylenediphosphonic acid", "OOOOOO"), ("BTT", "N" * 12), ("DHBQ", "OOOO"), ("TCPP", "O" * 8),
    ],
)  # fmt: skip
def test_donors_are_what_metals_bind(text, elements):
    part = linker_kinds(text)[0].conformers[0]
    symbols = sorted(Chem.GetPeriodicTable().GetElementSymbol(int(z)) for z in part.numbers[part.donors])
    assert "".join(symbols) == elements


def test_conformers_are_whole_molecules_without_clashes():
    for text in ("BPDC", "TBAPy", "DABCO", "camphoric acid", "HMTA"):
        kind = linker_kinds(text)[0]
        assert 1 <= len(kind.conformers) <= 5
        for part in kind.conformers:
            length = np.linalg.norm(part.position[part.bonds[:, 0]] - part.position[part.bonds[:, 1]], axis=1)
            assert length.min() > 0.9
            assert length.max() < 1.7
            apart = np.linalg.norm(part.position[:, None] - part.position, axis=-1) + 9 * np.eye(len(part))
            assert apart.min() > 0.9


def test_one_name_gives_the_same_conformers_again():
    first = linker_kinds("NDC")
    linker_kinds.cache_clear()
    again = linker_kinds("NDC")
    assert all((a.conformers[0].position == b.conformers[0].position).all() for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("EDUSIF_clean", "BDC"),
        ("CEGFAW_clean", "2-mIm"),
        ("FIQCEN_clean", "BTC"),
        ("VAMQAE_clean", "DOBDC"),
    ],
)
def test_keys_are_those_of_crystals(known, entry, name):
    crystal = known(entry)
    assert organic(crystal).keys() >= {linker_kinds(name)[0].key}


def test_a_linker_out_of_a_crystal_has_its_shape_there(tmp_path, known):
    crystal = known("EDUSIF_clean")
    path = tmp_path / "MOF-5.cif"
    path.write_text(write_cif(crystal))
    kind = linker_kinds(str(path))[0]
    assert kind.key == linker_kinds("BDC")[0].key
    assert kind.conformers[0].donors.sum() == 4


def test_a_molecular_crystal_is_deprotonated(tmp_path):
    """Also when its molecule is listed with hydrogens far from any metal."""
    mol = linker_kinds("BDC")[2].conformers[0]  # the acid itself
    box = 20 * np.eye(3)
    path = tmp_path / "acid.cif"
    path.write_text(write_cif(Crystal(box, mol.position / 20 + 0.5, mol.numbers)))
    assert read_cif(path.read_text()).formula == "C8H6O4"
    assert linker_kinds(str(path))[0].smiles == linker_kinds("BDC")[0].smiles


@pytest.mark.parametrize("suffix", [".mol", ".sdf", ".xyz"])
def test_files_of_molecules(tmp_path, suffix):
    from rdkit.Chem import rdDistGeom

    mol = Chem.AddHs(Chem.MolFromSmiles(METHYLIMIDAZOLE))
    rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    path = tmp_path / f"linker{suffix}"
    path.write_text(Chem.MolToXYZBlock(mol) if suffix == ".xyz" else Chem.MolToMolBlock(mol))
    assert [kind.key for kind in linker_kinds(str(path))] == [kind.key for kind in linker_kinds("2-mIm")]


def test_broken_files_are_refused(tmp_path):
    path = tmp_path / "linker.xyz"
    path.write_text("no molecule")
    with pytest.raises(UserError, match="is no XYZ file"):
        linker_kinds(str(path))
    with pytest.raises(UserError, match=r"no file at missing\.mol"):
        linker_kinds("missing.mol")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is no text file"):
        linker_kinds(str(path))


@pytest.mark.parametrize("text", ["c1ccccc1", "CCC"])
def test_what_binds_no_metal_is_no_linker(text):
    with pytest.raises(UserError, match="nothing that binds a metal"):
        linker_kinds(text)


def test_guests_are_free_or_bound():
    free, bound = guest_kinds("DMF")
    assert not free.conformers[0].donors.any()
    assert bound.conformers[0].numbers[bound.conformers[0].donors].tolist() == [8]
    assert guest_kinds("BF4")[0].charge == -1
    assert guest_kinds("DMA+")[0].charge == 1
    assert guest_kinds("water")[0].role == "inorganic"
    assert len(guest_kinds("benzene")) == 1


def test_keys_do_not_depend_on_the_order_of_atoms():
    part = linker_kinds("2-mIm")[0].conformers[0]
    order = np.random.default_rng(0).permutation(len(part))
    row = np.argsort(order)
    assert part_key(part.numbers[order], row[part.bonds], part.donors[order]) == part.key
