"""From a name, a SMILES or a file to the kinds of parts that a linker or a guest may be in a framework."""

from functools import lru_cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import gemmi
import numpy as np
from numpy.typing import NDArray

from generate.knowledge.conformers import shapes
from generate.knowledge.donors import donor_sets
from generate.knowledge.molecule import FILES, from_xyz_block, read_molecule, read_molecule_file, single
from generate.knowledge.protonation import deprotonated
from generate.parts.library import Kind, Role
from xtal.crystals import read_cif
from xtal.crystals.linkers import CARBON, METALS
from xtal.crystals.parts import Part, charge, cut, part_key, smiles
from xtal.errors import UserError

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from xtal.crystals.parts import Piece

MOST_KINDS = 12


@lru_cache(maxsize=64)
def linker_kinds(text: str) -> tuple[Kind, ...]:
    """Return what a linker may be in a framework, the likeliest first.

    Acids lose their hydrogens (all, then some are kept), and the atoms that bind metals are marked. A kind that a
    crystal holds has the same key. Conformers, up to five, come from distance geometry and a force field.

    Args:
        text: a name such as ``BDC`` or ``terephthalic acid``, a SMILES, or the path of a file: ``.mol``, ``.sdf``,
            ``.xyz``, or the ``.cif`` of a crystal that holds one kind of linker.

    Raises:
        UserError: an unknown name (the nearest are named), nothing that binds metals, several molecules, a metal, more
            than 200 atoms, or a file that cannot be read.
    """
    if text.strip().lower().endswith(".cif"):
        return _of_crystal(Path(text.strip()))
    if text.strip().lower().endswith(FILES):
        mol = read_molecule_file(Path(text.strip()))
    else:
        mol = read_molecule(text, ("linker", "ion"))
    _check_donors(mol, text)
    return _kinds(mol, "linker")


def check_linker(text: str) -> None:
    """Raise UserError unless a text is the name or SMILES of a linker; files are not opened."""
    _check_donors(read_molecule(text, ("linker", "ion")), text)


def check_guest(text: str) -> None:
    """Raise UserError unless a text is the name or SMILES of a solvent, guest or ion; files are not opened."""
    read_molecule(text, ("guest", "ion"))


def plain_linker(text: str) -> str:
    """Return a name or SMILES as it is, and for the path of a file the SMILES of its linker.

    Raises:
        UserError: as `linker_kinds`, or a linker in a crystal that cannot be written as SMILES.
    """
    if not text.strip().lower().endswith((".cif", *FILES)):
        return text.strip()
    found = linker_kinds(text)[0].smiles
    if not found:
        raise UserError(f"the bonds of the linker in {text} cannot be told from its atoms; give a SMILES")
    return found


def _check_donors(mol: "Mol", text: str) -> None:
    """Raise UserError where nothing binds metals."""
    if not donor_sets(deprotonated(mol)[0]):
        raise UserError(
            f"{text!r} has nothing that binds a metal; a linker has acid groups (carboxylic, phosphonic, sulfonic, "
            "azole), pyridine, nitrile or imine nitrogen, or amines. Give it as a guest instead"
        )


@lru_cache(maxsize=64)
def guest_kinds(text: str) -> tuple[Kind, ...]:
    """Return a solvent, guest or counter ion, first free in the pores, then bound to metals where it can be.

    Raises:
        UserError: as `linker_kinds`, but it need not bind metals.
    """
    mol = read_molecule(text, ("guest", "ion"))
    whole, places = shapes(mol)
    role: Role = "organic" if any(a.GetAtomicNum() == CARBON for a in whole.GetAtoms()) else "inorganic"
    sets = [frozenset[int](), *donor_sets(mol)]
    return tuple(_kind(mol, whole, places, donors, role) for donors in sets)


def _kinds(mol: "Mol", role: Role) -> tuple[Kind, ...]:
    """Every state with every set of donors."""
    base: tuple[Mol, list[NDArray[np.float64]]] | None = None
    found: dict[str, Kind] = {}
    ways: list[list[Kind]] = []
    for ion in deprotonated(mol):
        base = base or shapes(ion)
        whole, places = _with_hydrogens(ion, *base)
        ways.append([_kind(ion, whole, places, donors, role) for donors in donor_sets(ion)])
    for turn in zip_longest(*ways):  # every state by its best donors, before the next best ones of any
        for kind in filter(None, turn):
            found.setdefault(kind.key, kind)
    return tuple(islice(found.values(), MOST_KINDS))


def _kind(mol: "Mol", whole: "Mol", places: list[NDArray[np.float64]], donors: frozenset[int], role: Role) -> Kind:
    """Describe one state that binds by certain atoms."""
    from rdkit import Chem

    numbers = np.array([atom.GetAtomicNum() for atom in whole.GetAtoms()])
    bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in whole.GetBonds()]).reshape(-1, 2)
    binds = np.isin(np.arange(len(numbers)), list(donors))
    key = part_key(numbers, bonds, binds)
    parts = tuple(Part(numbers, place, bonds, binds, key) for place in places)
    return Kind(
        key=key,
        conformers=parts,
        count=0,
        charge=Chem.GetFormalCharge(mol),
        smiles=Chem.MolToSmiles(mol),
        role=role,
        ties=float(len(donors)),
        shapes=len(parts),
    )


def _with_hydrogens(
    ion: "Mol", base: "Mol", places: list[NDArray[np.float64]]
) -> tuple["Mol", list[NDArray[np.float64]]]:
    """Give a state the shapes (n, 3) Å of the fully deprotonated molecule `base`, and place the hydrogens it kept."""
    from rdkit import Chem

    heavy = ion.GetNumAtoms()
    whole, found = Chem.AddHs(ion), []
    if whole.GetNumAtoms() == base.GetNumAtoms():
        return base, places
    for place in places:
        bare = Chem.Mol(ion)
        conformer = Chem.Conformer(heavy)
        for atom, xyz in enumerate(place[:heavy].tolist()):
            conformer.SetAtomPosition(atom, xyz)
        bare.AddConformer(conformer)
        found.append(np.array(Chem.AddHs(bare, addCoords=True).GetConformer().GetPositions()))
    return whole, found


def _of_crystal(path: Path) -> tuple[Kind, ...]:
    """Return the one linker of a crystal, in the shape and with the donors that it has there."""
    if not path.is_file():
        raise UserError(f"no file at {path}")
    crystal = read_cif(path.read_bytes(), path.name)
    organic = [p for p in cut(crystal).pieces if (p.part.numbers == CARBON).any() and not p.endless]
    metals = METALS[crystal.numbers].any()
    pieces = {p.part.key: p for p in organic if p.part.donors.any() or not metals}
    formulas = sorted(key.partition("-")[0] for key in pieces)
    if len(formulas) != 1:
        kinds = f"{len(formulas)} kinds of them ({', '.join(formulas)})" if formulas else "none"
        raise UserError(f"{path} must hold one kind of linker, got {kinds}; give a SMILES, or a file of the linker")
    piece = next(iter(pieces.values()))
    if not metals:
        return _kinds(single(from_xyz_block(_xyz(piece), str(path)), str(path)), "linker")
    part = piece.part
    ties = float(part.donors.sum())
    return (Kind(part.key, (part,), 1, charge(part), smiles(part), "linker", ties, shapes=1),)


def _xyz(piece: "Piece") -> str:
    """Write a piece as the text of an XYZ file."""
    rows = zip(piece.part.numbers.tolist(), piece.part.position.tolist(), strict=True)
    lines = [f"{gemmi.Element(z).name} {x:.5f} {y:.5f} {w:.5f}" for z, (x, y, w) in rows]
    return "\n".join([str(len(lines)), "", *lines, ""])
