"""From what the chemist wrote to one molecule: a SMILES, a name, or a file."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generate.knowledge.names import Role, find_named, unknown_name
from xtal.crystals.linkers import METALS
from xtal.errors import UserError

if TYPE_CHECKING:
    from rdkit.Chem import Mol

LARGEST = 200  # atoms of one molecule
LINKERS: tuple[Role, ...] = ("linker",)
FILES = (".mol", ".sdf", ".xyz")
XYZ_CHARGES = (0, -1, -2, -3, -4, 1)  # tried in this order: a file does not say


def read_molecule(text: str, roles: Collection[Role]) -> "Mol":
    """Return one molecule without metals, hydrogens implied; linkers are neutral.

    Args:
        text: a name or a SMILES. No file is opened: a server may pass on what strangers write.
        roles: whose names are looked up.

    Raises:
        UserError: an unknown name, several fragments, a metal, or too many atoms.
    """
    from rdkit import Chem, rdBase

    stripped = text.strip()
    if not stripped:
        raise UserError("no name was given; write one such as BDC, or a SMILES")
    named = find_named(stripped, roles)
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(named.smiles if named else stripped)
        if mol is None or not mol.GetNumAtoms():
            raise unknown_name(stripped, roles)
        return single(mol, stripped, roles)


def read_molecule_file(path: Path) -> "Mol":
    """Return the linker of a MOL, SDF or XYZ file as `read_molecule` does.

    Raises:
        UserError: no such file, an unreadable one, or one that holds no single molecule without metals.
    """
    from rdkit import rdBase

    with rdBase.BlockLogs():
        return single(_from_file(path), str(path))


def _from_file(path: Path) -> "Mol":
    """Read a MOL, SDF or XYZ file."""
    from rdkit import Chem

    if not path.is_file():
        raise UserError(f"no file at {path}")
    if path.suffix.lower() == ".xyz":
        return _from_xyz(path)
    mols = [mol for mol in Chem.SDMolSupplier(str(path)) if mol is not None]
    if len(mols) != 1:
        raise UserError(f"{path} must hold one readable molecule, got {len(mols)}")
    return mols[0]


def _from_xyz(path: Path) -> "Mol":
    """Read an XYZ file."""
    with suppress(UnicodeDecodeError):
        return from_xyz_block(path.read_text(encoding="utf-8"), str(path))
    raise UserError(f"{path} is no text file")


def from_xyz_block(block: str, origin: str) -> "Mol":
    """Find the bonds of a molecule whose atoms are listed with hydrogens.

    Raises:
        UserError: no such text, a metal, or no bonds that make sense.
    """
    from rdkit import Chem
    from rdkit.Chem import rdDetermineBonds

    raw = Chem.MolFromXYZBlock(block)
    if raw is None or not raw.GetNumAtoms():
        raise UserError(f"{origin} is no XYZ file: a line with the number of atoms, a comment, then symbol x y z in Å")
    _refuse_metals(raw, origin)
    for charge in XYZ_CHARGES:
        mol = Chem.Mol(raw)
        try:
            rdDetermineBonds.DetermineBonds(mol, charge=charge)
        except ValueError:  # no bond orders give this charge
            continue
        return Chem.RemoveHs(mol)
    raise UserError(f"the bonds of {origin} cannot be told from its atoms, with charges {XYZ_CHARGES}; write a SMILES")


def single(mol: "Mol", text: str, roles: Collection[Role] = LINKERS) -> "Mol":
    """Return the molecule; a linker is uncharged where hydrogens can do that."""
    from rdkit import Chem
    from rdkit.Chem.MolStandardize.rdMolStandardize import Uncharger

    _refuse_metals(mol, text)
    fragments = len(Chem.GetMolFrags(mol))
    if fragments > 1:
        raise UserError(f"{text!r} holds {fragments} separate molecules or ions; give them one by one")
    if "linker" in roles:  # states of ions are as they are named
        mol = Uncharger().uncharge(mol)
    mol = Chem.RemoveHs(mol)
    atoms = Chem.AddHs(mol).GetNumAtoms()
    if atoms > LARGEST:
        raise UserError(f"{text!r} has {atoms} atoms; at most {LARGEST} can be used")
    return mol


def _refuse_metals(mol: "Mol", text: str) -> None:
    """Raise UserError where a molecule holds a metal."""
    metals = sorted({a.GetSymbol() for a in mol.GetAtoms() if a.GetAtomicNum() and METALS[a.GetAtomicNum()]})
    if metals:
        raise UserError(f"{text!r} holds {', '.join(metals)}; name metals apart, and the linker without them")
    if any(a.GetAtomicNum() == 0 for a in mol.GetAtoms()):
        raise UserError(f"{text!r} holds an atom of no element; write the whole molecule")
