"""Small CIFs put together from their parts."""

LENGTHS = "_cell_length_a 10\n_cell_length_b 11\n_cell_length_c 12\n"
CELL = LENGTHS + "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
CUBE = CELL.replace("11", "10").replace("12", "10")
COLUMNS = "".join(f"_atom_site_{t}\n" for t in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy"))
UNTYPED = COLUMNS.replace("_atom_site_type_symbol\n", "")
BARE = COLUMNS.replace("_atom_site_occupancy\n", "")
NACL = "Na Na 0 0 0 1\nCl Cl 0.5 0.5 0.5 1"


def entry(atoms: str = "C1 C 0 0 0 1", head: str = "", cell: str = CELL, columns: str = COLUMNS) -> str:
    return f"data_test\n{cell}{head}loop_\n{columns}{atoms}\n"


def box(a: float, b: float = 0, c: float = 0, alpha: float = 90, beta: float = 90, gamma: float = 90) -> str:
    """The cell's lines; b and c are a unless given."""
    lengths = zip("abc", (a, b or a, c or a), strict=True)
    angles = zip(("alpha", "beta", "gamma"), (alpha, beta, gamma), strict=True)
    lines = [f"_cell_length_{name} {value}\n" for name, value in lengths]
    return "".join([*lines, *(f"_cell_angle_{name} {value}\n" for name, value in angles)])


def named(symbol: str) -> str:
    return f"_symmetry_space_group_name_H-M '{symbol}'\n"


def listing(*operations: str, tag: str = "_symmetry_equiv_pos_as_xyz") -> str:
    return f"loop_\n{tag}\n" + "".join(f"{operation}\n" for operation in operations)


SALT = entry(NACL, named("F m -3 m"), box(5.64))
