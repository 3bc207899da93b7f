"""CIF text in and out."""

import contextlib
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from cif_helpers import CELL, COLUMNS, CUBE, LENGTHS, UNTYPED, entry
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, read_cif, write_cif
from xtal.crystals.cif import MAX_ATOMS, MAX_BYTES
from xtal.errors import UserError

CIFS = Path(__file__).parents[3] / "data" / "cifs"


def fixture(name: str) -> Crystal:
    return read_cif((CIFS / f"{name}.cif").read_bytes(), name)


@pytest.mark.parametrize("file", sorted(CIFS.glob("*.cif")), ids=lambda file: file.stem)
def test_agrees_with_pymatgen(file):
    from pymatgen.io.cif import CifParser

    crystal = read_cif(file.read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = CifParser(file).parse_structures(primitive=False)[0]
    assert len(crystal) == sum(len(site.species) for site in structure)
    assert crystal.composition == pytest.approx(structure.composition.get_el_amt_dict())
    assert crystal.volume == pytest.approx(structure.volume)


def test_second_block_uncertainties_and_a_rounded_special_position():
    quartz = fixture("quartz")
    assert quartz.formula == "O6Si3"
    assert quartz.lattice[0] == pytest.approx([4.9134, 0, 0])
    silicon = quartz.frac_coords[quartz.numbers == 14]
    assert np.abs(silicon - [0.4697, 0, 2 / 3]).max(axis=1).min() < 1e-9  # 0.6667 was moved onto the axis


def test_symmetry_from_names_alone():
    assert fixture("halite").formula == "Cl4Na4"  # the number 225 has one setting
    olivine = fixture("olivine")  # P b n m is a setting of number 62 that only the name tells
    assert olivine.composition == pytest.approx({"Fe": 0.8, "Mg": 7.2, "O": 16, "Si": 4})
    hall = entry(head="_space_group_name_Hall 'F 4 2 3'\n", cell=CUBE)
    assert len(read_cif(hall)) == 4


def test_name_is_the_block_unless_given():
    assert read_cif(entry()).name == "test"
    assert read_cif(entry(), "mine").name == "mine"


def test_two_elements_and_two_halves_on_one_site():
    crystal = read_cif(entry("M1 Zn 0 0 0 0.3\nM2 Cd 1 0 0 0.7\nO1 O .5 .5 .5 0.5\nO2 O .5 .5 .5 0.25"))
    assert crystal.numbers.tolist() == [30, 48, 8]
    assert crystal.occupancies == pytest.approx([0.3, 0.7, 0.75])


def test_atom_listed_twice_counts_once_and_order_stays():
    crystal = read_cif(entry("O1 O .2 .2 .2 1\nC1 C 0 0 0 1\nC2 C 1.00001 0 0 1\nN1 N .7 .7 .7 1"))
    assert crystal.numbers.tolist() == [8, 6, 7]


def test_slightly_overfull_site_is_scaled_back():
    crystal = read_cif(entry("M1 Zn 0 0 0 0.51\nM2 Cd 0 0 0 0.51"))
    assert crystal.occupancies == pytest.approx([0.5, 0.5])


def test_near_but_distinct_atoms_are_kept():
    crystal = read_cif(entry("C1 C 0 0 0 1\nC2 C 0.005 0 0 1"))  # 0.05 Å, as in disordered CoRE MOF entries
    assert len(crystal) == 2


def test_images_near_a_mirror():
    mirror = "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-x,y,z\n"
    full = read_cif(entry("C1 C 0.015 0 0 1", mirror))  # 0.3 Å apart: one atom
    split = read_cif(entry("C1 C 0.015 0 0 0.5", mirror))  # two halves of a disordered one
    assert (len(full), len(split)) == (1, 2)
    assert full.frac_coords[0] == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(
    ("label", "element"), [("Wat", "O"), ("Ow1", "O"), ("CaM1", "Ca"), ("C1A", "C"), ("ZN1", "Zn"), ("D2", "H")]
)
def test_elements_from_labels(label, element):
    assert read_cif(entry(f"{label} 0 0 0 1", columns=UNTYPED)).formula == element


def test_label_that_may_be_two_elements():
    text = entry("CA1 0 0 0 1", columns=UNTYPED)
    with pytest.raises(UserError, match=r"label CA1 may mean two elements; the file needs _atom_site_type_symbol"):
        read_cif(text)
    assert (
        read_cif(text.replace("loop_", "_chemical_formula_sum 'Ca C2'\nloop_", 1).replace(" C2", " N2")).formula == "Ca"
    )


def test_missing_occupancies_and_dummies():
    assert read_cif(entry("C1 C 0 0 0 ?\nC2 C .5 0 0 .")).occupancies.tolist() == [1, 1]
    text = entry("C1 C 0 0 0 1 d\nC2 X ? ? ? 1 dum\nC3 C .5 0 0 0 d", columns=COLUMNS + "_atom_site_calc_flag\n")
    with pytest.raises(UserError, match="X names no element"):
        read_cif(text)
    assert len(read_cif(text.replace(" X ", " C "))) == 1


@pytest.mark.parametrize("encoding", ["latin1", "utf-8"])
@pytest.mark.parametrize("head", ["_chemical_formula_sum 'Cé'\n", "_publ\n;é\n;\n", "# é\n"])
def test_accents_anywhere(encoding, head):
    text = entry("'C1é' 0 0 0 1", head, columns=UNTYPED)
    assert len(read_cif(text.encode(encoding))) == 1


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 30), st.binary(max_size=4)), max_size=6))
@settings(max_examples=150)
def test_damage_never_ends_in_anything_but_a_user_error(changes):
    text = (CIFS / "quartz.cif").read_bytes()
    for place, length, insert in changes:
        text = text[:place] + insert + text[place + length :]
    with contextlib.suppress(UserError):
        assert len(read_cif(text)) > 0


def test_old_and_foreign_habits_are_mended():
    text = entry(head="_symmetry_space_group_name_H-M   P 1\n_publ_author_name Müller\n")
    assert len(read_cif("\ufeff" + text)) == 1
    assert len(read_cif(text.encode("latin1"))) == 1
    assert len(read_cif(text.replace("\n", "\r\n").encode())) == 1


BAD_OPERATION = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no atom sites in fractional coordinates"),
        ("data_x\n_cell_length_a 3\n", "no atom sites in fractional coordinates"),
        ("hello", "not a readable CIF"),
        (b"\x00\xff\x1f\x8b" * 50, "not a readable CIF"),
        (entry(cell=""), "cell_length_a must lie in 1 to 1000, got nan"),
        (entry(cell=CELL.replace("11", "?")), "cell_length_b must lie in 1 to 1000, got nan"),
        (entry(cell=CELL.replace("11", "0")), "cell_length_b must lie"),
        (entry(cell=CELL.replace("gamma 90", "gamma 180")), "cell_angle_gamma must lie in 10 to 170"),
        (
            entry(cell=LENGTHS + "_cell_angle_alpha 20\n_cell_angle_beta 20\n_cell_angle_gamma 90\n"),
            "enclose no volume",
        ),
        (entry("C1 C 0 ? 0 1\nC2 C . . . 1"), "atom C1 has no coordinates; 2 of 2 atoms lack them"),
        (entry("C1 C 0 nan 0 1"), "atom C1 has no coordinates"),
        (entry("Q1 Q 0 0 0 1"), "Q names no element from H to Cf"),
        (entry("E1 Es 0 0 0 1"), "Es names no element from H to Cf"),
        (entry("C1 C 0 0 0 0"), "no atom site with an occupancy above 0"),
        (entry("C1 C 0 0 0 1.2"), "occupancies must lie in 0 to 1, got 1.2"),
        (entry("C1 C 0 0 0 -0.5"), "occupancies must lie in 0 to 1, got -0.5"),
        (entry("C1 C 0 0 0 lots"), "occupancies must lie in 0 to 1, got lots"),
        (entry("Z1 Zn 0 0 0 1\nZ2 Cd 0 0 0 0.5"), r"filled more than once \(Zn 1, Cd 0.5\)"),
        (entry(head="_space_group_name_H-M_alt 'Z 7 7'\n"), "space group Z 7 7 is unknown"),
        (
            entry(head="_space_group_name_H-M_alt 'F d -3 m'\n", cell=CUBE),
            "F d -3 m is unknown or has several settings",
        ),
        (entry(head="_space_group_IT_number 14\n"), "space group 14 is unknown or has several settings"),
        (entry(head="_space_group_name_Hall nonsense\n"), "unreadable Hall symbol nonsense"),
        (entry(head=BAD_OPERATION + "x,y\n"), "unreadable symmetry operation x,y"),
        (entry(head=BAD_OPERATION + "z,x,y\n"), "do not fit the cell"),
        (entry(head=BAD_OPERATION + "x,x,x\n"), "do not fit the cell"),
        (entry(head=BAD_OPERATION + "x-x,y,z\n"), "do not fit the cell"),
        (
            entry(head=BAD_OPERATION + "".join(f"x+{n % 24}/24,y,z\n" for n in range(800))),
            "801 symmetry operations, more than 768",
        ),
    ],
)
def test_refusals_name_the_entry(text, message):
    with pytest.raises(UserError, match=message) as caught:
        read_cif(text, "ENTRY")
    assert str(caught.value).startswith("ENTRY: ")


def test_cell_in_nanometres_is_refused():
    cell = CELL.replace("_a 10", "_a 1.0").replace("_b 11", "_b 1.1").replace("_c 12", "_c 1.2")
    atoms = "\n".join(f"C{n} C {n / 7:.4f} 0 0 1" for n in range(7))
    with pytest.raises(UserError, match=r"0.19 Å³ of cell per atom.*is the cell in Å"):
        read_cif(entry(atoms, cell=cell))


def test_hostile_files_are_refused_quickly():
    many = entry("C1 C 0 0 0 1\n" * (MAX_ATOMS + 1))
    heap = entry("".join(f"C1 C {n * 1e-7:.7f} 0 0 1\n" for n in range(MAX_ATOMS)))
    cubic = entry("C1 C .1 .2 .3 1\n" * 1500, "_space_group_name_H-M_alt 'F m -3 m'\n", CUBE)
    points = np.random.default_rng(0).random((400, 3)).tolist()
    rows = "".join(f"C1 C {x} {y} {z} 1\n" for x, y, z in points)
    spread = entry(rows, "_space_group_name_H-M_alt 'F m -3 m'\n", CUBE.replace("10", "95"))
    start = time.perf_counter()
    for text, message in [
        ("data_x\n" + "#" * MAX_BYTES, "more than 16,777,216"),
        (many, "20,001 atom sites, more than 20,000"),
        (heap, "the coordinates are broken"),
        (cubic, "1500 sites x 192 operations exceed 200,000 positions"),
        (spread, r"7\d,\d{3} atoms in the cell, more than 20,000"),
        (entry(head=f"_space_group_name_H-M_alt '{'x' * 1000}'\n"), "space group x{280}[^ ]*$"),
        ("\n" * 8_000_000 + "_ a", "not a readable CIF"),
        ("".join(f"data_{n}\n" for n in range(200_000)), "200,000 data blocks, more than 2,000"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match=message):
            read_cif(text)
    assert time.perf_counter() - start < 10


@st.composite
def crystals(draw) -> Crystal:
    """Atoms on distinct points of a grid, one of them a site of two elements, in a cell of either handedness."""
    points = draw(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=12, unique=True))
    shift = np.array(draw(st.tuples(*[st.floats(0, 0.09)] * 3)))
    frac = np.array([*points, points[0]]) / 10 + shift
    numbers = draw(st.lists(st.integers(1, 97), min_size=len(points), max_size=len(points)))
    share = draw(st.floats(0.01, 0.99))
    lattice = np.diag(draw(st.tuples(*[st.floats(32, 60)] * 3))) + np.tril(
        np.array(draw(st.lists(st.floats(-1.5, 1.5), min_size=9, max_size=9))).reshape(3, 3), -1
    )
    lattice[2] *= draw(st.sampled_from([1, -1]))
    occupancies = [
        share,
        *draw(st.lists(st.floats(0.1, 1), min_size=len(points) - 1, max_size=len(points) - 1)),
        1 - share,
    ]
    return Crystal(lattice, frac, [*numbers, numbers[0] % 97 + 1], occupancies, draw(st.text(max_size=8)))


@given(crystals())
@settings(max_examples=60)
def test_written_cif_reads_back(crystal):
    text = write_cif(crystal, ["from Å\nsomewhere"])
    back = read_cif(text)
    assert text.isascii()
    assert text.startswith("# from ?\n# somewhere\n")
    assert back.numbers.tolist() == crystal.numbers.tolist()
    assert back.occupancies == pytest.approx(crystal.occupancies, abs=1e-7)
    assert abs(back.volume - crystal.volume) < 1e-4
    if np.linalg.det(crystal.lattice) > 0:
        assert (np.abs((back.frac_coords - crystal.frac_coords + 0.5) % 1 - 0.5) < 1e-8).all()


def test_handedness_survives():
    rng = np.random.default_rng(0)
    lattice = np.diag([7.0, 8.0, -9.0])  # left-handed
    crystal = Crystal(lattice, rng.uniform(-0.4, 0, (5, 3)), [6, 7, 8, 9, 15])
    back = read_cif(write_cif(crystal))
    shifts = [c.frac_coords[1:] - c.frac_coords[0] for c in (crystal, back)]
    volumes = [np.linalg.det(((s - np.round(s)) @ c.lattice)[:3]) for s, c in zip(shifts, (crystal, back), strict=True)]
    assert volumes[1] == pytest.approx(volumes[0], rel=1e-6)
