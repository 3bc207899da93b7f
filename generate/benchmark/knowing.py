"""What a chemist would know of a held-out framework: its metals, and its linkers as SMILES."""

from collections.abc import Iterator
from dataclasses import dataclass

import gemmi
import numpy as np

from generate.knowledge import linker_kinds
from generate.knowledge.groups import HYDROGEN
from generate.knowledge.survey import heavy_graph, is_guest, is_light
from xtal.crystals import Crystal
from xtal.crystals.linkers import CARBON, METALS
from xtal.crystals.parts import Part, cut, graph_of, smiles
from xtal.errors import UserError

MOST_LINKERS = 2


@dataclass(frozen=True)
class Known:
    """Metals as symbols, and linkers as SMILES."""

    metals: tuple[str, ...]
    linkers: tuple[str, ...]


def known_of(crystal: Crystal) -> Known | None:
    """Return the metals and linkers of a framework.

    None where it has no linker or more than `MOST_LINKERS`, or one that a SMILES does not lead back to: for want of
    hydrogens in a database, say.
    """
    found: dict[str, str] = {}
    for graph, part in linker_parts(crystal):
        text = smiles(part)
        if not text or not _leads_back(text, graph_of(part.key)):
            return None
        found.setdefault(graph, text)
    metals = tuple(gemmi.Element(int(z)).name for z in np.unique(crystal.numbers[METALS[crystal.numbers]]))
    return Known(metals, tuple(found.values())) if metals and 1 <= len(found) <= MOST_LINKERS else None


def linker_parts(crystal: Crystal) -> Iterator[tuple[str, Part]]:
    """Yield the molecules with carbon that bind metals and are no guests, with their graphs without hydrogen."""
    for piece in cut(crystal).pieces:
        graph = heavy_graph(piece.part.numbers, piece.part.bonds)
        if _is_linker(piece.part, graph):
            yield graph, piece.part


def framework_of(crystal: Crystal) -> Crystal:
    """Return metals, linkers, bridging oxygen and heavy ions alone: no solvent, no light ion, no hydrogen."""
    kept = crystal.numbers != HYDROGEN
    for piece in cut(crystal).pieces:
        part = piece.part
        if is_light(part.key.partition("-")[0]) and not _is_linker(part, heavy_graph(part.numbers, part.bonds)):
            kept[piece.atoms] = False
    return Crystal(crystal.lattice, crystal.frac_coords[kept], crystal.numbers[kept], crystal.occupancies[kept])


def _is_linker(part: Part, graph: str) -> bool:
    """Whether a part, of this graph without hydrogen, is a molecule with carbon that binds metals and is no guest."""
    bound = bool((part.numbers == CARBON).any() and part.donors.any())
    return bound and not METALS[part.numbers].any() and not is_guest(graph)


def _leads_back(text: str, graph: str) -> bool:
    """Whether a linker is among the kinds that its SMILES gives."""
    try:
        return any(graph_of(kind.key) == graph for kind in linker_kinds(text))
    except UserError:
        return False
