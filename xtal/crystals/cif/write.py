"""Crystals as CIF text, out."""

import re
from collections.abc import Sequence

import gemmi
import numpy as np

from xtal.crystals.cell import NAMES as CELL_NAMES
from xtal.crystals.cell import cell_parameters
from xtal.crystals.crystal import Crystal
from xtal.crystals.symmetry import wrapped


def write_cif(crystal: Crystal, comments: Sequence[str] = ()) -> str:
    """Write a crystal as a P1 CIF which reads back as the same crystal, up to a rotation in space.

    A left-handed cell is written with all coordinates inverted: ``-frac @ -lattice`` is the same crystal, not its
    mirror image, in a right-handed cell.

    Args:
        crystal: what to write.
        comments: lines for the head of the file, for example where the structure came from.
    """
    lengths, angles = cell_parameters(crystal.lattice)
    frac = wrapped(crystal.frac_coords * np.sign(np.linalg.det(crystal.lattice)))
    lines = [f"# {line}" for comment in comments for line in comment.splitlines()]
    lines += [f"data_{re.sub(r'[^!-~]+', '_', crystal.name) or 'crystal'}"]
    lines += [f"_chemical_formula_sum '{' '.join(f'{s}{n:.6g}' for s, n in crystal.composition.items())}'"]
    lines += [f"_cell_{tag} {value:.8f}" for tag, value in zip(CELL_NAMES, (*lengths, *angles), strict=True)]
    lines += ["_space_group_name_H-M_alt 'P 1'", "_space_group_IT_number 1"]
    lines += ["loop_", "_space_group_symop_operation_xyz", "'x, y, z'", "loop_", "_atom_site_label"]
    lines += [f"_atom_site_{tag}" for tag in ("type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")]
    symbols = [gemmi.Element(int(z)).name for z in crystal.numbers]
    lines += [
        f"{symbol}{i} {symbol} {x:.9f} {y:.9f} {z:.9f} {occupancy:.8g}"
        for i, (symbol, (x, y, z), occupancy) in enumerate(zip(symbols, frac, crystal.occupancies, strict=True), 1)
    ]
    return "\n".join(lines).encode("ascii", "replace").decode() + "\n"
