"""Symmetry operations as CIF data blocks give them."""

import re
from functools import lru_cache

import gemmi
import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from xtal.crystals.cif.block import Block
from xtal.crystals.cif.groups import groups_of_number, groups_of_symbol
from xtal.errors import UserError

MAX_OPERATIONS = 768  # 192 is the most a conventional setting needs; supercells list more
METRIC_TOLERANCE = 0.02  # relative change of the cell's metric that an operation may cause; cells are rounded
AS_GOOD = 1e-4  # of the metric: settings that differ by less fit the cell alike

OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
MAGNETIC = ("_space_group_symop_magn_operation_xyz", "_space_group_symop_magn_centering_xyz")
MODULATED = ("_space_group_symop_ssg_operation_algebraic", "_space_group_symop_magn_ssg_operation_algebraic")
MAGNETIC_NAMES = tuple(f"_space_group_magn_{name}" for name in ("number_bns", "name_bns", "number_og", "name_og"))
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
NAMES = (
    "_space_group_name_h-m_alt",
    "_symmetry_space_group_name_h-m",
    "_space_group_name_h-m",
    "_space_group_name_h-m_full",
)
NUMBERS = ("_space_group_it_number", "_symmetry_int_tables_number")
SETTING = ("_space_group_it_coordinate_system_code", "_space_group_it_coordinate_system")

TIME_REVERSAL = re.compile(r",\s*[-+]?1\s*$")
FAR = re.compile(r"(?<![.\d])\d{3,}")  # a shift by hundreds of cells


def read_operations(block: Block, lattice: NDArray) -> list[NDArray[np.float64]]:
    """Return the settings that the block leaves open, nearly always one, as (G, 3, 4) rotations W and translations w.

    The identity comes first and nothing twice. The listed operations count most, then the Hall symbol, the
    Hermann-Mauguin symbol and the number; a name fits several settings when it does not tell their origins apart. A
    file that says nothing about symmetry lists all its atoms, as simulation programs write them.

    Args:
        block: the data block.
        lattice: (3, 3) Å, to check that the operations fit the cell, and to choose between axes.

    Raises:
        UserError: symmetry that is unreadable, ambiguous, or unfit for the cell.
    """
    if texts := _listed(block):
        if len(texts) > MAX_OPERATIONS:
            raise UserError(f"{len(texts)} symmetry operations, more than {MAX_OPERATIONS}")
        matrices = _matrices([_operation(text) for text in texts])
        return [_fitting(_centred(block, matrices), lattice, "the symmetry operations do not fit the cell")]
    hall, name = block.value(*HALL), block.value(*NAMES, *NUMBERS)
    operations = _of_hall(hall, stands_alone=not name) if hall else []
    if operations:
        return [_fitting(_matrices(operations), lattice, f"Hall symbol {hall} does not fit the cell")]
    if not name:
        _check_ordinary(block)
        return [_matrices([])]
    return _of_groups(block, lattice)


def _listed(block: Block) -> list[str]:
    """Return the operations that the block lists; those of magnetic groups without their time reversal."""
    if texts := block.column(MAGNETIC[0]):
        return [TIME_REVERSAL.sub("", cif.as_string(text)) for text in texts]
    return [cif.as_string(text) for text in block.column(*OPERATIONS)]


def _centred(block: Block, matrices: NDArray) -> NDArray[np.float64]:
    """Return the operations with the centring of a magnetic group, which is listed apart from them."""
    texts = block.column(MAGNETIC[1]) if block.column(MAGNETIC[0]) else []
    if len(texts) * len(matrices) > MAX_OPERATIONS:
        raise UserError(f"{len(texts) * len(matrices)} symmetry operations, more than {MAX_OPERATIONS}")
    shifts = [_operation(TIME_REVERSAL.sub("", cif.as_string(text))) for text in texts]
    if not shifts:
        return matrices
    listed = [_as_operation(matrix) for matrix in matrices]
    return _matrices([(shift * operation).wrap() for shift in shifts for operation in listed])


def _as_operation(matrix: NDArray) -> gemmi.Op:
    """Return a (3, 4) matrix as an operation."""
    whole = np.round(matrix * gemmi.Op.DEN).astype(int)
    operation = gemmi.Op("x,y,z")
    operation.rot, operation.tran = whole[:, :3].tolist(), whole[:, 3].tolist()
    return operation


def _matrices(operations: list[gemmi.Op]) -> NDArray[np.float64]:
    """Return (G, 3, 4) operations, the identity first and each once."""
    unique = {operation.triplet(): operation for operation in [gemmi.Op("x,y,z"), *operations]}
    rotations = np.array([operation.rot for operation in unique.values()])  # (G, 3, 3)
    shifts = np.array([operation.tran for operation in unique.values()])  # (G, 3)
    return np.concatenate([rotations, shifts[:, :, None]], axis=2) / gemmi.Op.DEN


def _misfit(matrices: NDArray, lattice: NDArray) -> float:
    """Return the largest change of the metric by the operations, as a share of its largest element."""
    metric, rotations = lattice @ lattice.T, matrices[:, :, :3]
    return float(abs(rotations.transpose(0, 2, 1) @ metric @ rotations - metric).max() / metric.max())


def _fitting(matrices: NDArray, lattice: NDArray, complaint: str) -> NDArray[np.float64]:
    """Return operations that leave the cell as it is."""
    if _misfit(matrices, lattice) > METRIC_TOLERANCE:
        raise UserError(f"{complaint} (they would change its lengths or angles)")
    return matrices


@lru_cache(4096)
def _operation(text: str) -> gemmi.Op:
    """Return the operation that ``x+1/2, -y, z`` means, its translation within one cell."""
    try:
        if FAR.search(text):
            raise ValueError("a shift by hundreds of cells")
        return gemmi.Op(text).wrap()
    except (ValueError, RuntimeError) as error:
        raise UserError(f"unreadable symmetry operation {text}: {error}") from None


def _of_hall(symbol: str, stands_alone: bool) -> list[gemmi.Op]:
    """Return the operations of a Hall symbol; none for an unreadable one when the group is named otherwise too."""
    try:
        return list(gemmi.symops_from_hall(symbol[:100]))
    except (ValueError, RuntimeError) as error:
        if stands_alone:
            raise UserError(f"unreadable Hall symbol {symbol}: {error}") from None
        return []


def unknown_setting(block: Block) -> UserError:
    """Return the error of a space group whose operations cannot be told."""
    return UserError(
        f"space group {block.value(*NAMES, *NUMBERS)} is unknown or has several settings, and the file lists no "
        "operations; write the file with them (_space_group_symop_operation_xyz)"
    )


def _of_groups(block: Block, lattice: NDArray) -> list[NDArray[np.float64]]:
    """Return the settings of a named group that fit the cell best."""
    name, number, code = (block.value(*tags) for tags in (NAMES, NUMBERS, SETTING))
    named = groups_of_symbol(name, code) if name else []
    groups = named or groups_of_number(number, code)
    said = f"space group {name or number}"
    if not groups:
        raise unknown_setting(block)
    settings = [_matrices(list(group.operations())) for group in groups]
    misfits = np.array([_misfit(matrices, lattice) for matrices in settings])
    if misfits.min() > METRIC_TOLERANCE:
        raise UserError(f"{said} does not fit the cell (its operations would change the lengths or angles)")
    best = np.flatnonzero(misfits <= misfits.min() + AS_GOOD)
    if named:  # of axes that fit alike, those that the symbol means first
        best = best[[groups[i].hm == groups[best[0]].hm for i in best]]
    elif len({groups[i].hm for i in best}) > 1:
        raise unknown_setting(block)
    return [settings[i] for i in best]


def _check_ordinary(block: Block) -> None:
    """Raise UserError when the symmetry is of a kind whose operations must be listed, and they are not."""
    if block.column(*MODULATED):
        raise UserError("the structure is modulated (its operations have more than three dimensions); give its average")
    if block.value(*MAGNETIC_NAMES):
        raise UserError(
            "a magnetic space group is named but its operations are not listed; "
            "write the file with them (_space_group_symop_magn_operation.xyz)"
        )
