"""Which hydrogens of a molecule metals replace, and what is left of it then."""

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdkit.Chem import Mol

MOST_STATES = 6
MOST_KEPT = 2  # hydrogens that stay though others of their kind go
STRONG = (
    "[OX2H1][CX3]=O",  # carboxylic
    "[OX2H1]S(=O)=O",  # sulfonic
    "[OX2H1]P=O",  # phosphonic
    "[nX3H1]1:[c,n]:[nX2]:[c,n]:[c,n]:1",  # imidazole, 1,2,4-triazole, tetrazole
    "[nX3H1]1:[nX2]:[c,n]:[c,n]:[c,n]:1",  # pyrazole, 1,2,3-triazole
    "[OX2H1]C=CC=O",  # squaric acid, hydroxyquinones
)
WEAK = (
    "[OX2H1]c:cC(=O)[O,N]",  # phenol beside a carboxyl group
    "[OX2H1]c:c[OX2H1]",  # catechol
    "[SX2H1]c",  # thiophenol
)
INNER = "[nX3H1]1:c:c:c:c:1~[#6]~[#6]~[#7]"  # pyrrole of a porphyrin


@dataclass(frozen=True)
class Acids:
    """Atoms of a molecule that carry a hydrogen for a metal to replace; all hold rows of atoms.

    Attributes:
        strong: as a rule without it.
        weak: often, not always, without it.
        inner: pyrrole nitrogens of a porphyrin, which lose theirs together to a metal inside.
    """

    strong: tuple[int, ...]
    weak: tuple[int, ...]
    inner: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of such hydrogens."""
        return len(self.strong) + len(self.weak) + len(self.inner)


def find_acids(mol: "Mol") -> Acids:
    """Find the acid hydrogens of a neutral molecule; each match of a pattern begins with their atom."""
    strong = _first_atoms(mol, STRONG)
    weak = _first_atoms(mol, WEAK) - strong
    return Acids(tuple(sorted(strong)), tuple(sorted(weak)), tuple(sorted(_first_atoms(mol, (INNER,)))))


def deprotonated(mol: "Mol") -> list["Mol"]:
    """Return what metals may bind, the likeliest first: all acid hydrogens gone, then some kept.

    Weak acids keep theirs first. Alike choices are made once.
    """
    from rdkit import Chem

    acids = find_acids(mol)
    everything = frozenset((*acids.strong, *acids.weak, *acids.inner))
    inner = [frozenset(acids.inner), frozenset[int]()] if acids.inner else [frozenset[int]()]
    weak = [frozenset[int](), frozenset(acids.weak), *_some(acids.weak)]
    found: dict[str, Mol] = {}
    for choice in [*weak, *_some(acids.strong)]:
        for core in inner:
            # a strong acid keeps its hydrogen only where the weak ones do
            held = core | choice | frozenset(acids.weak if choice & set(acids.strong) else ())
            ion = _ion(mol, everything - held)
            found.setdefault(Chem.MolToSmiles(ion), ion)
    return list(found.values())[:MOST_STATES]


def _some(atoms: tuple[int, ...]) -> list[frozenset[int]]:
    """Sets of one, two, ... `MOST_KEPT` atoms that keep their hydrogen."""
    return [frozenset(chosen) for size in range(1, MOST_KEPT + 1) for chosen in combinations(atoms, size)]


def _ion(mol: "Mol", atoms: frozenset[int]) -> "Mol":
    """Take one hydrogen off each of the atoms."""
    from rdkit import Chem

    ion = Chem.RWMol(mol)
    for index in sorted(atoms):
        atom = ion.GetAtomWithIdx(index)
        atom.SetFormalCharge(atom.GetFormalCharge() - 1)
        atom.SetNumExplicitHs(0)
        atom.SetNoImplicit(atom.GetSymbol() == "N")
    Chem.SanitizeMol(ion)
    return ion.GetMol()


def _first_atoms(mol: "Mol", patterns: tuple[str, ...]) -> set[int]:
    return {match[0] for pattern in patterns for match in mol.GetSubstructMatches(compiled(pattern), uniquify=False)}


@cache
def compiled(pattern: str) -> Any:
    """Return a SMARTS pattern ready for use."""
    from rdkit import Chem

    return Chem.MolFromSmarts(pattern)
