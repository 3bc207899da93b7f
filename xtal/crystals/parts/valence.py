"""Bond orders and charges of a molecule, from which atoms are bonded; and its SMILES."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import HIGHEST_NUMBER
from xtal.crystals.linkers import CARBON, METALS
from xtal.crystals.parts.matching import neighbours
from xtal.crystals.parts.part import Part

H, B, N, O = 1, 5, 7, 8  # noqa: E741
VALENCES = {
    **dict.fromkeys((1,), (1, 1)),
    **dict.fromkeys((5,), (3, 3)),
    **dict.fromkeys((6, 14, 32), (4, 4)),
    **dict.fromkeys((7,), (3, 3)),
    **dict.fromkeys((8,), (2, 2)),
    **dict.fromkeys((9,), (1, 1)),
    **dict.fromkeys((15, 33, 51), (3, 5)),
    **dict.fromkeys((16, 34, 52), (2, 6)),
    **dict.fromkeys((17, 35, 53), (1, 7)),
}  # lowest and highest; between them ``2 bonds - lowest``, when all bonds more than usual are to oxygen and the like
COMPLEXES = (5, 14, 15, 32, 33, 51)  # elements that bind more than their valence as anions, such as BF4 and SiF6
MUST, MAY, RATHER_NOT = 100.0, {7: 30.0, 8: 10.0, 16: 10.0}, -40.0  # worth of a double bond to an atom, see `bonding`
CLOSENESS = 20.0  # the same for each Å by which a bond is shorter than a single one
IONS = {"N3": -1, "I3": -1, "I5": -1, "Br3": -1, "O2": -2, "S2": -2}  # chains that valences alone do not explain


@dataclass(frozen=True, eq=False)
class Bonding:
    """What holds a molecule together.

    Attributes:
        orders: (B,) 1, 2 or 3, of the part's bonds.
        charges: (n,) formal charges.
    """

    orders: NDArray[np.int64]
    charges: NDArray[np.int64]


def bonding(part: Part) -> Bonding:
    """Give each atom its usual valence: a weighted matching of those that lack bonds (Edmonds, 1965).

    Carbon goes first; oxygen, nitrogen and sulfur that are left over are anions. Carbon that is left over has lost a
    hydrogen, as in many database entries, and is not charged. Where only that helps, nitrogen with three bonds takes
    part as a cation.
    """
    import networkx

    near = neighbours(part)
    lacking, charges, worth = _lacking(part, near)
    graph, radius = networkx.Graph(), _radii()
    for i, j in part.bonds.tolist():
        short = radius[part.numbers[[i, j]]].sum() - np.linalg.norm(part.position[i] - part.position[j])
        weight = max(worth[i] + worth[j] + CLOSENESS * float(short), 0.1)
        graph.add_edges_from(
            (((i, a), (j, b)) for a in range(lacking[i]) for b in range(lacking[j])), weight=round(100 * weight)
        )
    orders, left = np.ones(len(part.bonds), dtype=np.int64), lacking.copy()
    bond = {frozenset(pair): row for row, pair in enumerate(part.bonds.tolist())}
    for (i, _), (j, _) in networkx.max_weight_matching(graph):
        orders[bond[frozenset((i, j))]] += 1
        left[[i, j]] -= 1
        charges[[k for k in (i, j) if worth[k] == RATHER_NOT]] += 1
    for atom, around in enumerate(near):
        charges[atom] += _charge_left(int(part.numbers[atom]), len(around), int(left[atom]), worth[atom])
        if part.numbers[atom] == CARBON and len(around) == 1 and 3 in orders[(part.bonds == atom).any(axis=1)]:
            charges[atom] = -1  # cyanide and acetylide
    return Bonding(orders, charges)


def charge(part: Part) -> int | None:
    """Return the charge of a molecule or ion in electrons; None of what holds metals."""
    if METALS[part.numbers].any():
        return None
    formula = part.key.partition("-")[0]
    return IONS[formula] if formula in IONS else int(bonding(part).charges.sum())


def smiles(part: Part) -> str:
    """Return the canonical SMILES of a molecule without metals, "" where none can be made."""
    if METALS[part.numbers].any():
        return ""
    from rdkit import Chem, rdBase

    found = bonding(part)
    molecule = Chem.RWMol()
    for number, charged in zip(part.numbers.tolist(), found.charges.tolist(), strict=True):
        atom = Chem.Atom(number)
        atom.SetFormalCharge(charged)
        molecule.AddAtom(atom)
    kinds = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
    for (i, j), order in zip(part.bonds.tolist(), found.orders.tolist(), strict=True):
        molecule.AddBond(i, j, kinds.get(order, Chem.BondType.SINGLE))
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(molecule)
            return str(Chem.MolToSmiles(Chem.RemoveHs(molecule)))
    except (ValueError, RuntimeError):
        return ""


def _lacking(part: Part, near: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[float]]:
    """Return (n,) bonds that each atom lacks, (n,) charges apart from those, and what filling one is worth."""
    lacking, charges = np.zeros((2, len(part)), dtype=np.int64)
    worth = [MUST] * len(part)
    ends = [sum(part.numbers[k] == O and len(near[k]) == 1 for k in around) for around in near]
    for atom, (number, around) in enumerate(zip(part.numbers.tolist(), near, strict=True)):
        bonds = len(around)
        lowest, highest = VALENCES.get(number, (bonds, bonds))
        valence = min(max(lowest, 2 * bonds - lowest), highest)
        if not bonds:
            charges[atom] = 0 if number == CARBON else -lowest
            continue
        lacking[atom] = min(max(valence - bonds, 0), 2 if number == CARBON else 3)
        if bonds > valence:
            charges[atom] = bonds - valence if number in (N, O) else (valence - bonds) * (number in COMPLEXES)
        if number == N and bonds == 3:
            lacking[atom], charges[atom], worth[atom] = (1, 1, MUST) if ends[atom] > 1 else (1, 0, RATHER_NOT)
        elif bonds < lowest:
            worth[atom] = MAY.get(number, MUST)
    return lacking, charges, worth


def _charge_left(number: int, bonds: int, left: int, worth: float) -> int:
    """Return the charge of an atom that lacks `left` bonds."""
    if not left or worth == RATHER_NOT or number in (H, B, CARBON) or (number == N and bonds == 1):
        return 0  # carbon, amines and imines without their hydrogens
    return left if bonds >= VALENCES[number][0] else -left


def _radii() -> NDArray[np.float64]:
    """Return covalent radii in Å by atomic number."""
    import gemmi

    return np.array([gemmi.Element(z).covalent_r for z in range(HIGHEST_NUMBER + 1)])
