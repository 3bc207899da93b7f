"""From metals and linkers to the contents of a cell."""

from collections import Counter

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from generate.knowledge import contents, guest_kinds, linker_kinds
from generate.knowledge.learning import Recipes, acid_charge, charge_of, learn
from generate.knowledge.names import table
from generate.knowledge.survey import Recipe, Shape, heavy_graph, lacks_hydrogen, named_graph, recipe_of
from xtal.crystals import primitive
from xtal.errors import UserError
from xtal.sources import open_source


@pytest.fixture(scope="module")
def known():
    """Frameworks of the default source by id."""
    source = open_source("coremof2019-asr")
    records = {record.id: record for record in source.records()}
    return lambda name: primitive(source.read(records[name]))


def formula(found):
    counts = Counter(found.numbers.tolist())
    return {gemmi.Element(z).name: n for z, n in counts.items()}


@pytest.mark.parametrize(
    ("metals", "linkers", "volume", "words"),
    [
        (["Zn"], ["BDC"], 4277, "Zn4O(BDC)3, Z = 2"),  # MOF-5
        (["Zr"], ["BDC"], 2260, "Zr3O2(OH)2(BDC)3, Z = 2"),  # UiO-66
        (["Cu"], ["BTC"], 4570, "Cu3(BTC)2, Z = 4"),  # HKUST-1
        (["Zn"], ["2-mIm"], 2456, "Zn(2-mIm)2, Z = 6"),  # ZIF-8
        (["Zn"], ["DOBDC"], 1310, "Zn2(DOBDC), Z = 3"),  # MOF-74
        (["Al"], ["BDC"], 706, "Al(OH)(BDC), Z = 2"),  # MIL-53
        (["Zn"], ["BDC", "DABCO"], 1150, "Zn2(BDC)2(DABCO), Z = 1"),
    ],
)
def test_well_known_frameworks_are_among_the_first_three(metals, linkers, volume, words):
    found = contents(metals, [linker_kinds(name)[0] for name in linkers], volume=volume)
    assert words in [c.words for c in found[:3]]


def test_the_order_of_linkers_does_not_matter():
    kinds = [linker_kinds(name)[0] for name in ("BDC", "bipy")]
    first, second = (contents(["Zn"], order, volume=800) for order in (kinds, kinds[::-1]))
    assert [c.numbers.tolist() for c in first[:20]] == [c.numbers.tolist() for c in second[:20]]


def test_the_state_of_the_linker_does_not_matter():
    """Acid hydrogens come off wherever a metal takes their place."""
    first, second = (contents(["Zn"], [kind], volume=4277) for kind in linker_kinds("BDC")[:2])
    assert [c.words for c in first] == [c.words for c in second]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["Zn", "Cu", "Zr", "Eu", "Al"]), st.sampled_from(["BDC", "BTC", "2-mIm", "bipy", "TBAPy"]),
       st.floats(300, 8000))  # fmt: skip
def test_contents_are_ordered_different_and_hold_what_was_named(metal, linker, volume):
    kind = linker_kinds(linker)[0]
    found = contents([metal], [kind], volume=volume)
    chances = [c.ln_probability for c in found]
    assert chances == sorted(chances, reverse=True)
    assert len({tuple(c.numbers.tolist()) for c in found}) == len(found)
    for c in found:
        held = formula(c)
        assert held[metal] % c.units == 0
        assert held["C"] >= Counter(kind.numbers.tolist())[6] * c.units
        assert 11 <= volume / (c.numbers != 1).sum() <= 110 + 1e-9


def test_twice_the_volume_holds_twice_as_much():
    kind = linker_kinds("BDC")[0]
    first, second = (contents(["Zn"], [kind], volume=volume)[0] for volume in (4277, 2 * 4277))
    assert (len(second.numbers), second.units) == (2 * len(first.numbers), 2 * first.units)


def test_without_a_volume_units_are_tried():
    assert {c.units for c in contents(["Zn"], [linker_kinds("BDC")[0]])} >= {1, 2, 4}


def test_a_guest_takes_the_place_of_others():
    plain, wet = (
        contents(["Zn"], [linker_kinds("BDC")[0]], guests, volume=1200) for guests in ([], [guest_kinds("DEF")[0]])
    )

    def with_guest(found):
        return np.exp([c.ln_probability for c in found if "(DEF)" in c.words]).sum()

    assert with_guest(wet) > 5 * with_guest(plain)


@pytest.mark.parametrize(
    ("metals", "count", "words"),
    [
        (["C"], 1, "'C' is no metal"),
        (["zinc"], 1, "'zinc' is no metal; write symbols such as Zn"),
        ([], 1, "one or two metals with the linkers, got 0"),
        (["Zn", "Cu", "Co"], 1, "one or two metals with the linkers, got 3"),
        (["Zn"], 0, "one to three linkers with the metals, got 0"),
        (["Zn"], 4, "one to three linkers with the metals, got 4"),
    ],
)
def test_what_cannot_be_used_is_refused(metals, count, words):
    with pytest.raises(UserError, match=words):
        contents(metals, [linker_kinds("BDC")[0]] * count)


def test_a_crystal_is_read_as_a_recipe(known):
    recipe = recipe_of(known("EDUSIF_clean"))  # MOF-5
    assert (recipe.metals, recipe.words, recipe.units) == ((30,), ("cx2",), 2)
    assert recipe.shape == Shape((4,), (((0, 3),),), (("O", 1),))
    assert np.exp(recipe.room) == pytest.approx(52, abs=3)


def test_crystals_without_linkers_have_no_recipe(known):
    crystal = known("EDUSIF_clean")
    metals = np.flatnonzero(crystal.numbers == 30)
    from xtal.crystals import Crystal

    assert recipe_of(Crystal(crystal.lattice, crystal.frac_coords[metals], crystal.numbers[metals])) is None


def test_recipes_survive_a_file(tmp_path):
    shape = Shape((1, 2), (((0, 1), (1, 2)), ((0, 4),)), (("H2O", 2), ("O", 1)))
    recipe = Recipe((29, 30), ("C8O4-a", "C10N2-b"), ("cx2", "nx2"), shape, 4, 3.25)
    bare = Recipe((30,), ("C8O4-a",), ("",), Shape((1,), (((0, 1),),), ()), 1, 2.5)
    path = tmp_path / "recipes.tsv.gz"
    learn([recipe, None, bare]).save(path)
    assert Recipes.load(path).recipes == (recipe, bare)


def test_an_unseen_linker_gets_units_whose_charges_add_up():
    """Nothing but Zn4O(BDC)3 is known; a linker with three carboxylates takes Zn4O twice."""
    known = Recipe((30,), ("C8O4-a",), ("cx2",), Shape((4,), (((0, 3),),), (("O", 1),)), 1, 4.0)
    shapes = learn([known]).shapes((30,), ["C9O6-b"], ["cx3"])
    assert max(shapes, key=shapes.get) == Shape((4,), (((0, 2),),), (("O", 1),))
    assert acid_charge("cx3") * 2 == 4 * 2 + charge_of([("O", 1)])


def test_probabilities_add_up_to_one_at_most():
    recipes = Recipes.load()
    for metals, words in (((30,), ["cx2"]), ((29,), ["cx3"]), ((30,), ["cx2", "nx2"]), ((21, 30), ["px2"])):
        assert sum(recipes.shapes(metals, ["?"] * len(words), words).values()) <= 1 + 1e-9


def test_what_has_a_name_is_found_by_its_graph_the_first_of_those_that_share_one():
    assert named_graph("C8O4-0000000000000000") is None
    bare = heavy_graph([6, 7], [[0, 1]])
    assert named_graph(bare).names[0] == named_graph(bare, "CH5N").names[0] == "methylamine"
    assert named_graph(bare, "CN").names[0] == "cyanide"
    terephthalate = "OC(=O)c1ccc(cc1)C(=O)O"
    mol = Chem.MolFromSmiles(terephthalate)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    assert named_graph(heavy_graph([atom.GetAtomicNum() for atom in mol.GetAtoms()], bonds)).smiles == terephthalate


def test_the_recipes_that_come_with_the_package_name_linkers_as_they_are_named_today():
    """The graphs in the file are digests: another digest would make every linker unknown, and nothing else tell."""
    graphs = {graph for recipe in Recipes.load().recipes for graph in recipe.graphs}
    linkers = [entry for entry in table() if entry.role == "linker"]
    known = {entry for graph in graphs if (entry := named_graph(graph)) and entry.role == "linker"}
    assert len(known) > 0.8 * len(linkers)


@pytest.mark.parametrize(
    ("formula", "name", "lacks"),
    [("C6H8O4", "adipic acid", False), ("C6H4O4", "muconic acid", False), ("C6O4", "muconic acid", True)],
)
def test_hydrogens_tell_acids_of_one_skeleton_apart(formula, name, lacks):
    chain = [8, 6, 8, 6, 6, 6, 6, 6, 8, 8]
    bonds = [(0, 1), (1, 2), (1, 3), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (7, 9)]
    found = named_graph(heavy_graph(chain, bonds), formula)
    assert found.names[0] == name
    assert lacks_hydrogen(found, formula) == lacks
