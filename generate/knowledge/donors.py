"""Which atoms of a molecule or ion bind metals."""

from typing import TYPE_CHECKING

from generate.knowledge.protonation import INNER, compiled

if TYPE_CHECKING:
    from rdkit.Chem import Mol

MOST_SETS = 4
STRONG = (
    "[O;$([O-]C=O),$(O=C[O-])]",  # carboxylate
    "[O;$([O-]C=CC=O),$(O=CC=C[O-]),$(O=CC[O-])]",  # squarate, hydroxyquinones
    "[O;$([O-]P),$(O=P[O-])]",  # phosphonate
    "[O;$([O-]c),$(O=c:c[O-])]",  # phenolate, squarate
    "[S-]c",  # thiolate
    "[n-]",  # azolate
    "[n;H0;X2;+0;!$(n1:c:n:c:n:c:1);!$(n1:n:c:n:n:c:1)]",  # the others of azolates, pyridine; no triazine, no tetrazine
)
SULFONATE = ("[O;$([O-]S(=O)=O),$(O=S(=O)[O-])]",)
WEAK = (  # taken in this order, where nothing above is there
    ("[NX3;!$(N-[#6]=[O,S,N]);!$(N-c);!$([N+])]",),  # amine
    ("[NX1]#C",),  # nitrile
    ("[NX2;+0;!R;$(N=[CX3]);!$(N=C[O,S,N]);!$(N-[O,S,N])]",),  # imine
    ("[NX3;H2;$(Nc)]",),  # aniline
    ("[OX1;$(O=[C,S,P])]", "[OX1-][n+]"),  # amides, sulfoxides, N-oxides
    ("[OX2;H1,H2]",),  # water and alcohols
    ("[OX2;H0]([#6])[#6]",),  # ethers
)
CHARGED = ("[F-]", "[Cl-]", "[Br-]", "[I-]", "[O-]", "[O-2]", "[S-]", "[S-2]", "[N-]", "[C-]#[N,O+]", "N#C[S-,O-,N-]")
PYRROLE = "[#7]1~[#6]~[#6]~[#6]~[#6]~1"
CHELATING = ("[NX3;$(NCC(=O)[O-]);!$(N-C=O)]", "[OX2H;$(OCC(=O)[O-])]")
SPARED = ("[n;$(n1:c:n:n:c:1)]", "[n;$(n1:n:n:n:c:1)]")
LONE = ("[NX3;H3]", "[OX2;H2]")


def donor_sets(mol: "Mol") -> list[frozenset[int]]:
    """Return sets of rows of atoms that may bind metals, the likeliest first; none where nothing can.

    First all of the best donors. Then, where they are there: without sulfonates; with the amines and hydroxyl groups
    that close a ring with a carboxylate; without the lone nitrogen of a 1,2,4-triazolate or the outer ones of
    tetrazolates; by one oxygen of each carboxylate.
    """
    strong, sulfonate = _matched(mol, STRONG), _matched(mol, SULFONATE)
    if _matched(mol, (INNER,)):  # a porphyrin with hydrogens inside has no room for a metal
        strong -= _matched(mol, (PYRROLE,))
    if strong:
        every = strong | sulfonate
        others = (
            strong,
            every | _matched(mol, CHELATING),
            every - _matched(mol, SPARED),
            every - _matched(mol, ("[O;$(O=C[O-])]",)),
        )
        return list(dict.fromkeys([every, *(chosen for chosen in others if chosen)]))[:MOST_SETS]
    for patterns in (SULFONATE, CHARGED, *WEAK, LONE):
        if found := _matched(mol, patterns):
            return [found]
    return []


def _matched(mol: "Mol", patterns: tuple[str, ...]) -> frozenset[int]:
    """Rows of the first atoms of all matches."""
    return frozenset(
        match[0] for pattern in patterns for match in mol.GetSubstructMatches(compiled(pattern), uniquify=False)
    )
