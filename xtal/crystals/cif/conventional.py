"""A crystal as a CIF in its conventional setting, with no more digits than mean something."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version

import gemmi
import numpy as np
from gemmi import cif

from xtal.crystals.cell import NAMES as CELL_NAMES
from xtal.crystals.conventional import Conventional
from xtal.crystals.crystal import format_formula, reduced

COORDINATE_DIGITS, LENGTH_DIGITS, ANGLE_DIGITS = 5, 4, 3
CREATOR = f"Xtalscout {version('xtalscout')}"


def write_conventional(
    crystal: Conventional, comments: Sequence[str] = (), items: Mapping[str, str] | None = None, day: date | None = None
) -> str:
    """Write a crystal as a CIF of its independent sites with the operations of its space group.

    Args:
        crystal: what to write.
        comments: lines for the head of the file, for example where the structure came from.
        items: further data names with their values.
        day: of writing, by default today (UTC).
    """
    cell = [f"{v:.{LENGTH_DIGITS if i < 3 else ANGLE_DIGITS}f}" for i, v in enumerate(crystal.cell)]
    places = [[f"{x:.{COORDINATE_DIGITS}f}" for x in row] for row in crystal.frac_coords]
    lines = [f"# {line}" for comment in comments for line in comment.splitlines()]
    lines += [f"data_{block_name(crystal.name)}"]
    lines += [pair("_audit_creation_date", (day or datetime.now(UTC).date()).isoformat())]
    lines += [pair("_audit_creation_method", f"symmetrised by spglib, written by {CREATOR}")]
    lines += [pair(name, value) for name, value in (items or {}).items()]
    lines += structure_lines(crystal, cell, f"{abs(np.linalg.det(crystal.lattice)):.2f}", places)
    return "\n".join(lines).encode("ascii", "replace").decode() + "\n"


def structure_lines(
    crystal: Conventional,
    cell: Sequence[str],
    volume: str,
    places: Sequence[Sequence[str]],
    displacement: Sequence[str] = (),
) -> list[str]:
    """Return the lines for contents, cell, space group and sites, with the numbers as they are to be written.

    Args:
        crystal: contents and symmetry.
        cell: six numbers.
        volume: Å³.
        places: three numbers for each site.
        displacement: U_iso in Å² of each site; none where nothing is known of them.
    """
    group, units = crystal.group, crystal.formula_units
    amounts = reduced(crystal.composition)
    weight = sum(gemmi.Element(symbol).weight * amount for symbol, amount in amounts.items())
    lines = [
        pair("_chemical_formula_sum", " ".join(format_formula({s: n}) for s, n in amounts.items())),
        pair("_chemical_formula_weight", f"{weight:.2f}"),
        pair("_cell_formula_units_Z", str(units)),
        *(pair(f"_cell_{name}", value) for name, value in zip(CELL_NAMES, cell, strict=True)),
        pair("_cell_volume", volume),
        pair("_space_group_name_H-M_alt", group.xhm()),
        pair("_space_group_name_Hall", group.hall),
        pair("_space_group_IT_number", str(group.number)),
        pair("_space_group_crystal_system", group.crystal_system_str()),
        "loop_",
        "_space_group_symop_id",
        "_space_group_symop_operation_xyz",
        *(f"{i} '{operation.triplet()}'" for i, operation in enumerate(group.operations(), 1)),
        "loop_",
        "_atom_site_label",
        *(f"_atom_site_{tag}" for tag in ("type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")),
        "_atom_site_site_symmetry_multiplicity",
        *(("_atom_site_U_iso_or_equiv", "_atom_site_adp_type") if displacement else ()),
    ]
    for i, label in enumerate(site_labels(crystal)):
        row = [label, gemmi.Element(int(crystal.numbers[i])).name, *places[i], f"{crystal.occupancies[i]:.4g}"]
        row += [str(crystal.multiplicity[i]), *((displacement[i], "Uiso") if displacement else ())]
        lines.append(" ".join(row))
    return lines


def site_labels(crystal: Conventional) -> list[str]:
    """Return a label for each site: its element, numbered."""
    seen: Counter[str] = Counter()
    labels = []
    for number in crystal.numbers:
        symbol = gemmi.Element(int(number)).name
        seen[symbol] += 1
        labels.append(f"{symbol}{seen[symbol]}")
    return labels


def block_name(text: str) -> str:
    """Return a name that a data block may have."""
    return re.sub(r"[^!-~]+", "_", text) or "crystal"


def pair(name: str, value: str) -> str:
    """Write a data item."""
    text = quoted(value)
    return name + ("\n" if text.startswith(";") else " ") + text


def quoted(value: str) -> str:
    """Write a value; CIF is ASCII, and a text in semicolons, the last resort, starts its line."""
    return str(cif.quote(" ".join(value.encode("ascii", "replace").decode().split())))
