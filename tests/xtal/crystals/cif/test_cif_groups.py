"""Space groups by the names that files give them, without operations."""

import gemmi
import numpy as np
import pytest
from cif_helpers import NACL, box, entry, named

from xtal.crystals import read_cif
from xtal.errors import UserError

FIRST, SECOND = "Si Si 0 0 0 1", "Si Si .125 .125 .125 1"  # silicon from the first and second origin of F d -3 m
SILICON, HEXAGONAL, RHOMBOHEDRAL = box(5.431), box(4.99, 4.99, 17.06, gamma=120), box(6.375, 0, 0, 46.07, 46.07, 46.07)
CALCITE = "Ca Ca 0 0 0 1\nC C 0 0 .25 1\nO O .257 0 .25 1"
CALCITE_R = "Ca Ca 0 0 0 1\nC C .25 .25 .25 1\nO O .507 -.007 .25 1"
SPINEL = "Mg Mg .125 .125 .125 1\nAl Al .5 .5 .5 1\nO O .2625 .2625 .2625 1"
SPINEL_1 = "Mg Mg 0 0 0 1\nAl Al .625 .625 .625 1\nO O .3875 .3875 .3875 1"

PLACE = [0.0713, 0.1931, 0.3347]  # on no symmetry element


def formula(atoms: str, head: str, cell: str) -> str:
    return read_cif(entry(atoms, head, cell)).formula


def images(head: str, cell: str) -> np.ndarray:
    """Where a general position goes, sorted."""
    frac = read_cif(entry("C C {} {} {} 1".format(*PLACE), head, cell)).frac_coords.round(6)
    return frac[np.lexsort(frac.T)]


@pytest.mark.parametrize(
    "symbol",
    [
        "F m -3 m",
        "Fm-3m",
        "FM-3M",
        "fm-3m",
        "F m 3 m",
        "Fm3m",
        "F 4/m -3 2/m",
        "F m \\bar{3} m",
        "F m 3bar m",
        "F_m_-3_m",
        "F m 3\u0305 m",
        "Fm-3m (225)",
        "F m -3 m (No. 225)",
        "F m -3 m #225",
    ],
)
def test_salt_by_every_symbol(symbol):
    assert formula(NACL, named(symbol), box(5.64)) == "Cl4Na4"


@pytest.mark.parametrize(
    ("symbol", "atoms"),
    [
        *((symbol, FIRST) for symbol in ("F d -3 m S", "F d -3 m :1", "Fd-3mO1", "F d 3 m S", "F d -3 m origin 1")),
        *((symbol, SECOND) for symbol in ("F d -3 m Z", "Fd-3m:2", "Fd-3mO2", "Fd3mZ", "F d -3 m (origin choice 2)")),
        *(("F 41/d -3 2/m", atoms) for atoms in (FIRST, SECOND)),  # told apart by the distances
        *(("F d 3 m", atoms) for atoms in (FIRST, SECOND)),
    ],
)
def test_origins_of_silicon(symbol, atoms):
    assert formula(atoms, named(symbol), SILICON) == "Si8"


def test_origin_by_code_formula_or_atoms_on_top_of_each_other():
    for code, atoms in (("1", FIRST), ("2", SECOND)):
        assert formula(atoms, named("F d -3 m") + f"_space_group.IT_coordinate_system_code {code}\n", SILICON) == "Si8"
        number = f"_space_group_IT_number 227\n_space_group_IT_coordinate_system_code {code}\n"
        assert formula(atoms, number, SILICON) == "Si8"
    formulas = named("F d -3 m") + "_chemical_formula_sum 'Al2 Mg O4'\n"
    assert formula(SPINEL, formulas, box(8.08)) == "Al16Mg8O32"
    assert formula(SPINEL_1, named("F d -3 m"), box(8.08)) == "Al16Mg8O32"
    with pytest.raises(UserError, match="space group F d -3 m is unknown or has several settings, and the file lists"):
        formula(SPINEL, named("F d -3 m"), box(8.08))


@pytest.mark.parametrize("symbol", ["R -3 c H", "R-3cH", "R -3 c HR", "R -3 c :H", "R -3 c (hexagonal axes)", "H -3 c"])
def test_calcite_on_hexagonal_axes(symbol):
    assert formula(CALCITE, named(symbol), HEXAGONAL) == "C6Ca6O18"


@pytest.mark.parametrize("symbol", ["R -3 c R", "R -3 c :R", "R-3c (rhombohedral setting)"])
def test_calcite_on_rhombohedral_axes(symbol):
    assert formula(CALCITE_R, named(symbol), RHOMBOHEDRAL) == "C2Ca2O6"
    with pytest.raises(UserError, match="does not fit the cell"):
        formula(CALCITE_R, named(symbol), HEXAGONAL)


@pytest.mark.parametrize("head", [named("R -3 c"), named("R -3 2/c"), named("R 3 c"), "_space_group_IT_number 167\n"])
def test_the_cell_tells_the_axes(head):
    if "R 3 c" not in head:
        assert formula(CALCITE_R, head, RHOMBOHEDRAL) == "C2Ca2O6"
    assert formula(CALCITE, head, HEXAGONAL) == "C6Ca6O18"


@pytest.mark.parametrize(
    ("symbol", "angles", "full"),
    [
        ("P 2/m", {"gamma": 100}, "P 1 1 2/m"),
        ("P 2/m", {"beta": 100}, "P 1 2/m 1"),
        ("P2/m", {"alpha": 100}, "P 2/m 1 1"),
        ("P 2/m", {}, "P 1 2/m 1"),  # by convention
        ("P2(1)/c", {"beta": 100}, "P 1 21/c 1"),
        ("P 2_1/n", {"beta": 100}, "P 1 21/n 1"),
        ("P 2_{1}/a", {"beta": 91}, "P 1 21/a 1"),
        ("P2₁/c", {"beta": 100}, "P 1 21/c 1"),
        ("P 21/b", {"gamma": 91}, "P 1 1 21/b"),
        ("B 2/b", {"gamma": 100}, "B 1 1 2/b"),
        ("I 2/a", {"beta": 100}, "I 1 2/a 1"),
        ("P 21/n 21/m 21/a", {}, "P n m a"),
        ("P bnm", {}, "P b n m"),
        ("P 2/m 2/m 2/m", {}, "P m m m"),
        ("C m c e", {}, "C m c a"),
        ("A e m 2", {}, "A b m 2"),
        ("P212121", {}, "P 21 21 21"),
    ],
)
def test_symbols_short_old_and_in_full(symbol, angles, full):
    cell = box(9, 10, 11, **angles)
    group = gemmi.find_spacegroup_by_name(full)
    frac = [operation.apply_to_xyz(PLACE) for operation in group.operations()]
    goal = (np.array(frac) % 1).round(6)
    assert images(named(symbol), cell) == pytest.approx(goal[np.lexsort(goal.T)])


@pytest.mark.parametrize(
    ("number", "code", "angles", "full"),
    [
        (14, "b2", {"beta": 100}, "P 1 21/n 1"),
        (14, "c1", {"gamma": 100}, "P 1 1 21/a"),
        (62, "cab", {}, "P b n m"),
        (62, "abc", {}, "P n m a"),
        (3, "", {"gamma": 100}, "P 1 1 2"),
        (50, "2cab", {}, "P n c b :2"),
    ],
)
def test_numbers_with_a_coordinate_system(number, code, angles, full):
    cell = box(9, 10, 11, **angles)
    head = f"_space_group_IT_number {number}\n"
    if code:
        head += f"_space_group_IT_coordinate_system_code {code}\n"
    assert images(head, cell) == pytest.approx(images(named(full), cell))


@pytest.mark.parametrize("number", [0, 14, 62, 231])
def test_numbers_that_leave_the_axes_open_are_refused(number):
    with pytest.raises(UserError, match=f"space group {number} is unknown or has several settings"):
        images(f"_space_group_IT_number {number}\n", box(9, 10, 11))


def test_every_tabulated_symbol_is_its_own_group():
    """Whatever the blanks; a cell of equal edges and right or hexagonal angles decides nothing else."""
    for group in gemmi.spacegroup_table():
        rhombohedral, hexagonal = group.ext == "R", 143 <= group.number <= 194 and group.ext != "R"
        cell = box(30, 0, 0, 60, 60, 60) if rhombohedral else box(30, gamma=120 if hexagonal else 90)
        end = f" :{group.ext}" if group.ext.strip("\0 ") else ""
        for symbol in {group.hm, group.hm.replace(" ", "")}:
            found = images(named(symbol + end), cell)
            frac = (np.array([o.apply_to_xyz(PLACE) for o in group.operations()]) % 1).round(6)
            assert len(found) == len(frac), (symbol, end)
            assert found == pytest.approx(frac[np.lexsort(frac.T)]), (symbol, end)
