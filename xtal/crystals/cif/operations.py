"""Symmetry operations as CIF data blocks give them."""

import gemmi
import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from xtal.errors import UserError

MAX_OPERATIONS = 768  # 192 is the most a conventional setting needs; supercells list more
METRIC_TOLERANCE = 0.02  # relative change of the cell's metric that an operation may cause; cells are rounded

OPERATION_TAGS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop.operation_xyz",
)
HALL_TAGS = ("_space_group_name_Hall", "_symmetry_space_group_name_Hall")
NAME_TAGS = ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M", "_space_group_name_H-M_full")
NUMBER_TAGS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")


def read_operations(block: cif.Block, lattice: NDArray) -> NDArray[np.float64]:
    """Return (G, 3, 4) rotations W and translations w, the identity first, without repeats.

    The listed operations count most, then the Hall symbol, the Hermann-Mauguin symbol and the number. A file that says
    nothing about symmetry lists all its atoms, as simulation programs write them.

    Args:
        block: the data block.
        lattice: (3, 3) Å, to check that the operations fit the cell.

    Raises:
        UserError: symmetry that is unreadable, ambiguous, or unfit for the cell.
    """
    texts: list[str] = next((list(column) for t in OPERATION_TAGS if (column := block.find_values(t))), [])
    if len(texts) > MAX_OPERATIONS:
        raise UserError(f"{len(texts)} symmetry operations, more than {MAX_OPERATIONS}")
    operations = [_operation(text) for text in texts] or _group_operations(block)
    unique = {operation.triplet(): operation for operation in [gemmi.Op("x,y,z"), *operations]}
    matrices = np.array([np.column_stack([op.rot, op.tran]) for op in unique.values()]) / gemmi.Op.DEN
    metric, rotations = lattice @ lattice.T, matrices[:, :, :3]
    change = abs(rotations.transpose(0, 2, 1) @ metric @ rotations - metric).max()
    if change > METRIC_TOLERANCE * metric.max():
        raise UserError("the symmetry operations do not fit the cell (they would change its lengths or angles)")
    return matrices


def _operation(text: str) -> gemmi.Op:
    """Return the operation that ``'x+1/2, -y, z'`` means, its translation within one cell."""
    try:
        return gemmi.Op(cif.as_string(text)).wrap()
    except (ValueError, RuntimeError) as error:
        raise UserError(f"unreadable symmetry operation {text}: {error}") from None


def _group_operations(block: cif.Block) -> list[gemmi.Op]:
    """Return the operations of the space group that the block names, none when it names no group."""
    hall, name, number = (_first_value(block, tags) for tags in (HALL_TAGS, NAME_TAGS, NUMBER_TAGS))
    if hall:
        return _hall_operations(hall)
    if not (name or number):
        return []
    alpha, gamma = (cif.as_number(block.find_value(f"_cell_angle_{angle}") or "") for angle in ("alpha", "gamma"))
    group = gemmi.find_spacegroup_by_name(name, alpha, gamma) if name else _only_setting(number)
    if group is None or (group.ext in ("1", "2") and ":" not in name):
        raise UserError(
            f"space group {name or number} is unknown or has several settings, and the file lists no operations; "
            "write the file with them (_space_group_symop_operation_xyz)"
        )
    return list(group.operations())


def _only_setting(number: str) -> gemmi.SpaceGroup | None:
    """Return the space group of a number that has one setting only; a number alone cannot tell settings apart."""
    settings = [group for group in gemmi.spacegroup_table() if str(group.number) == number]
    return settings[0] if len(settings) == 1 else None


def _hall_operations(symbol: str) -> list[gemmi.Op]:
    """Return the operations of a Hall symbol."""
    try:
        return list(gemmi.symops_from_hall(symbol))
    except (ValueError, RuntimeError) as error:
        raise UserError(f"unreadable Hall symbol {symbol}: {error}") from None


def _first_value(block: cif.Block, tags: tuple[str, ...]) -> str:
    """Return the first value that is given under one of the tags, unquoted, or an empty text."""
    texts = (cif.as_string(block.find_value(tag) or "") for tag in tags)  # as_string turns ? and . into nothing
    return next((text for text in texts if text), "")
