"""What people bring: each kind of CIF with the contents of its cell."""

import pytest
from cif_helpers import BARE, COLUMNS, NACL, SALT, UNTYPED, box, entry, listing, named

from xtal.crystals import read_cif
from xtal.errors import UserError

CARTESIAN = BARE.replace("fract", "Cartn")
GENERAL = "C C .1 .2 .3 1"
MAGNETIC = "loop_\n_space_group_symop_magn_operation.id\n_space_group_symop_magn_operation.xyz\n"
CENTRING = "loop_\n_space_group_symop_magn_centering.id\n_space_group_symop_magn_centering.xyz\n"
SALT_2 = "#\\#CIF_2.0\n" + SALT
OTHER_WORDS = "data_test\n_a.table {'x':1 'y':[1 2]}\n_a.matrix [[1 2] [3 4]]\n_a.text '''it's\ntwo'''\n"


def atoms(crystal) -> dict[str, float]:
    return {symbol: round(count, 3) for symbol, count in crystal.composition.items()}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("as it should be", SALT),
        ("upper case", SALT.replace("data_", "DATA_").replace("loop_", "LOOP_").replace("_atom_site", "_ATOM_SITE")),
        ("line ends of Windows", SALT.replace("\n", "\r\n")),
        ("line ends of the old Mac", SALT.replace("\n", "\r")),
        ("blanks in the name of the block", SALT.replace("data_test", "data_Sample 12, (from the lab)")),
        ("no name of the block", SALT.replace("data_test", "data_")),
        ("no heading", SALT.replace("data_test\n", "")),
        ("text before the heading", "{'id': 'x'}\nfrom _somewhere\n" + SALT),
        ("a last word", SALT + "_end\n"),
        ("another last word", SALT + "\nEND\n\n"),
        ("a last word as a comment", SALT + "#END"),
        ("a tag without a value", SALT.replace("loop_", "_publ_section_title\nloop_")),
        ("a value without quotes", SALT.replace("'", "")),
        ("quotes that do not end", SALT.replace("-3 m'", "-3 m")),
        ("a unit behind a length", SALT.replace("5.64", "5.64 A").replace("-3 m'", "-3 m")),
        ("mark of UTF-8", "\ufeff" + SALT),
        ("UTF-16", SALT.encode("utf-16")),
        ("UTF-16 without a mark", SALT.encode("utf-16-le")),
        ("UTF-16 the other way round", SALT.encode("utf-16-be")),
        ("UTF-32", SALT.encode("utf-32")),
        ("a true minus sign", SALT.replace("-3", "−3")),
        ("a dash of Windows", SALT.replace("-3", "–3").encode("cp1252")),
        ("a blank that does not break", SALT.replace(" 0.5", "\u00a00.5")),
        ("CIF 2", SALT_2),
        ("lists and tables of CIF 2", SALT_2.replace("data_test\n", OTHER_WORDS)),
        ("triple quotes", SALT_2.replace("'F m -3 m'", "'''F m -3 m'''")),
        ("tags with dots", SALT.replace("_site_", "_site.").replace("_cell_", "_cell.").replace("y_space", "y.space")),
        ("operations unknown, name known", SALT.replace("loop_", "loop_\n_symmetry_equiv_pos_as_xyz\n?\nloop_")),
        ("one operation unknown, name known", SALT.replace("loop_", "_symmetry_equiv_pos_as_xyz ?\nloop_")),
        ("Hall symbol unreadable, name known", SALT.replace("loop_", "_symmetry_space_group_name_Hall 'x'\nloop_")),
        ("name garbled, number known", SALT.replace("F m -3", "F m X 3") + "_symmetry_Int_Tables_number 225\n"),
    ],
)
def test_salt_in_every_form(words, text):
    assert atoms(read_cif(text, words)) == {"Cl": 4, "Na": 4}


@pytest.mark.parametrize(
    ("words", "text", "contents"),
    [
        ("two of a magnetic cell", entry(GENERAL, MAGNETIC + "1 x,y,z,+1\n2 -x,-y,-z,-1\n"), {"C": 2}),
        (
            "magnetic centring",
            entry(GENERAL, MAGNETIC + "1 x,y,z,+1\n2 '-x, -y, -z, -1'\n" + CENTRING + "1 x,y,z,+1\n2 x,y,z+1/2,-1\n"),
            {"C": 4},
        ),
        (
            "older magnetic tags",
            entry(GENERAL, listing("x,y,z,+1", "-x,-y,-z,-1", tag="_space_group_symop.magn_operation_xyz")),
            {"C": 2},
        ),
        ("operations without quotes", entry(GENERAL, listing("x, y, z", "-x, -y, -z")), {"C": 2}),
        (
            "the same with numbers",
            entry(GENERAL, "loop_\n_symmetry_equiv_pos_site_id\n_symmetry_equiv_pos_as_xyz\n1 x, y, z\n2 -x, -y, -z\n"),
            {"C": 2},
        ),
        ("operations in capitals", entry(GENERAL, listing("X,Y,Z", "1/2-X,1/2+Y,1/2-Z")), {"C": 2}),
        ("operations with true minus signs", entry(GENERAL, listing("x,y,z", "−x,−y,−z")), {"C": 2}),
        (
            "thirds with three digits",
            entry(
                "Bi Bi 0 0 .4 1",
                listing("x,y,z", "x+0.667,y+.333,z+0.333", "x+0.333,y+0.667,z+.667"),
                box(4.4, 4.4, 30.4, gamma=120),
            ),
            {"Bi": 3},
        ),
        ("atoms at thirds", entry("Zn Zn .333 .667 .25 1", named("P 63/m m c"), box(3, 3, 5, gamma=120)), {"Zn": 2}),
        (
            "dots for zeros",
            entry("F F1- .5 . . 1.\nK K1+ .5 .5 .5 1.\nMn Mn2+ . . . 1.", named("P m -3 m"), box(4.19)),
            {"F": 3, "K": 1, "Mn": 1},
        ),
        (
            "dots beside spelled numbers",
            entry("F F 0.5 . . 1\nK K 0.5 0.5 0.5 1\nMn Mn . . . 1", named("P m -3 m"), box(4.19)),
            {"F": 3, "K": 1, "Mn": 1},
        ),
        ("an axis of dots", entry("C C .1 . .5 1\nC C .3 . .7 1"), {"C": 2}),
        (
            "decimal commas",
            entry("C C 0,25 0 -0,1(2) 1,0\nO O 0,3 0,3 0,3 0,5", cell=box(8).replace("8\n", "8,5\n")),
            {"C": 1, "O": 0.5},
        ),
        ("fractions, quotes, old exponents", entry("C C 1/3 '0.25' 1.0D-1 1"), {"C": 1}),
        (
            "Cartesian coordinates",
            entry("Na Na 0 0 0\nCl Cl 2.82 2.82 2.82", cell=box(5.64), columns=CARTESIAN),
            {"Cl": 1, "Na": 1},
        ),
        (
            "charges",
            entry("A Fe+3 0 0 0 1\nB O-2 .3 .3 .3 1\nC N3- .6 .6 .6 1\nD Cu2+ .8 .2 .2 1"),
            {"Cu": 1, "Fe": 1, "N": 1, "O": 1},
        ),
        ("deuterium", entry("D1 D 0 0 0 1\nO1 OD .3 .3 .3 1"), {"H": 1, "O": 1}),
        ("water", entry("A OH 0 0 0 1\nB H2O .3 .3 .3 1\nC Wat .6 .6 .6 1\nE OH2 .3 0 0 1\nF H3O+ .6 0 0 1"), {"O": 5}),
        ("groups of atoms", entry("A NH4 0 0 0 1\nB CH3 .3 .3 .3 1\nC HOH .6 .6 .6 1"), {"C": 1, "N": 1, "O": 1}),
        (
            "types of UFF",
            entry("A C_R 0 0 0 1\nB Zn3+2 .3 .3 .3 1\nC O_3_z .6 .6 .6 1\nD H_ .8 .1 .1 1\nE Zr8f4 .3 0 0 1"),
            {"C": 1, "H": 1, "O": 1, "Zn": 1, "Zr": 1},
        ),
        ("types of Sybyl", entry("A C.ar 0 0 0 1\nB O.co2 .3 .3 .3 1"), {"C": 1, "O": 1}),
        (
            "labels of RASPA",
            entry("Mof_Zn1 0 0 0 1\nMof_O1 .3 .3 .3 1\nMOF_ZN2 .6 .6 .6 1\nCO2_C .5 0 0 1", columns=UNTYPED),
            {"C": 1, "O": 1, "Zn": 2},
        ),
        ("types of RASPA", entry("A Mof_Zn 0 0 0 1\nB Framework_C .3 .3 .3 1"), {"C": 1, "Zn": 1}),
        ("numbers for labels", entry("1 C 0 0 0 1\n2 O .3 .3 .3 1"), {"C": 1, "O": 1}),
        ("numbers for types", entry("C1 1 0 0 0 1\nO1 2 .3 .3 .3 1"), {"C": 1, "O": 1}),
        (
            "labels that the formula tells apart",
            entry("Caro1 0 0 0 1\nHo1 .3 .3 .3 1", "_chemical_formula_sum 'C6 H6 O'\n", columns=UNTYPED),
            {"C": 1, "H": 1},
        ),
        ("mixed site", entry("T1 '0.75Si + 0.25Al' 0 0 0 1"), {"Al": 0.25, "Si": 0.75}),
        ("mixed site, run together", entry("T1 Si0.75Al0.25 0 0 0 1"), {"Al": 0.25, "Si": 0.75}),
        ("mixed site with charges", entry("M '0.5Fe3+ + 0.5Mg2+' 0 0 0 0.5"), {"Fe": 0.25, "Mg": 0.25}),
        ("mixed site with uncertainties", entry("Al,Cu '0.615(5)Cu + 0.385(5)Al' 0 0 0 1"), {"Al": 0.385, "Cu": 0.615}),
        ("mixed site of groups", entry("A '0.5(OH) + 0.5F' 0 0 0 1"), {"F": 0.5, "O": 0.5}),
        ("mixed site with a vacancy", entry("M '0.5Fe + 0.5Va' 0 0 0 1"), {"Fe": 0.5}),
        ("shares and their sum", entry("M '0.5Fe + 0.25Mn' 0 0 0 0.75"), {"Fe": 0.5, "Mn": 0.25}),
        ("a guest that is not there", entry("C C .25 0 0 1\nO O .3 .3 .3 0.0\nO O .7 .3 .3 ?"), {"C": 1, "O": 1}),
        ("an atom twice", entry("C1 C .25 0 0 1\nC2 C .25 0 0 1"), {"C": 1}),
        (
            "a whole molecule and its symmetry",
            entry("C C .1 .2 .3 1\nC C -.1 -.2 -.3 1", listing("x,y,z", "-x,-y,-z")),
            {"C": 2},
        ),
        (
            "the first of two structures",
            SALT + SALT.replace("data_test", "data_second").replace("Cl", "F"),
            {"Cl": 4, "Na": 4},
        ),
    ],
)
def test_contents_of_the_cell(words, text, contents):
    assert atoms(read_cif(text, words)) == contents


def test_cartesian_coordinates_in_an_oblique_cell():
    cell = box(8, 9, 10, 80, 85, 95)
    fractions = read_cif(entry("C C 0.1 0.2 0.3 1", cell=cell))
    x, y, z = (fractions.frac_coords @ fractions.lattice)[0]
    columns = CARTESIAN + "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    for text in (
        entry(f"C C {x} {y} {z}", cell=cell, columns=CARTESIAN),
        entry(f"C C {x} {y} {z} ? ? ?", cell=cell, columns=columns),
    ):
        assert read_cif(text).frac_coords == pytest.approx(fractions.frac_coords)
    turned = "".join(
        f"_atom_sites_Cartn_tran_matrix_{row + 1}{column + 1} {value}\n"
        for row, values in enumerate(fractions.lattice.T[[1, 2, 0]])
        for column, value in enumerate(values)
    )
    assert read_cif(entry(f"C C {y} {z} {x}", turned, cell, CARTESIAN)).frac_coords == pytest.approx(
        fractions.frac_coords
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry("Cs Cs . . . 1\nCl Cl 0.5 0.5 0.5 1"), "atom Cs has no coordinates; 1 of 2"),
        (entry("C1 C 1e17 0 0 1"), r"atom C1 lies 1e\+17 cells away, more than 1000"),
        (entry("C1 C 0 1e300 0 1"), r"atom C1 lies 1e\+300 cells away"),
        (entry("C1 C 0 0 -1001 1"), "cells away"),
        (entry(GENERAL, listing("x,y,z", "x+999999999999999999999999,y,z")), "a shift by hundreds of cells"),
        (entry("A 'Fe,Mg' 0 0 0 1"), "names several elements without a share for each"),
        (entry("A Fe/Mg 0 0 0 1"), "names several elements without a share for each"),
        (entry("A '0.9Si + 0.9Al' 0 0 0 1"), "sum to 1.8; they may sum to 1"),
        (entry("A Carbon 0 0 0 1"), "Carbon names no element"),
        (entry("1 0 0 0 1", columns=UNTYPED), "1 names no element"),
        (entry(GENERAL, '_space_group_magn.name_BNS "P-1"\n'), "a magnetic space group is named but its operations"),
        (
            entry(GENERAL, listing("x1,x2,x3,x4", tag="_space_group_symop_ssg_operation_algebraic")),
            "the structure is modulated",
        ),
        (entry(NACL, named("F m -3 m"), box(5, 6, 7)), "space group F m -3 m does not fit the cell"),
        (entry(columns=COLUMNS.replace("fract", "frac")), "no atom sites in fractional coordinates"),
    ],
)
def test_nonsense_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        read_cif(text, "ENTRY")
