import re
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.storage import Index
from indexer.storage.contents import Contents, flat_index
from indexer.storage.entries import EntryTable
from search.frameworks.asked import _phases_named
from search.frameworks.described import Describer, linkers_of_atoms
from search.frameworks.entry import EntryId
from search.frameworks.names import (
    _composition,
    common_name,
    find_common,
    named_by_composition,
    nearest_names,
    refcode,
    table,
)
from xtal.crystals import CrystalTable, amounts_of, primitive
from xtal.physics import LineTable, crystal_lines
from xtal.sources import open_source

SAME_FAMILY = 0.12  # of the volume per metal atom: guests and temperature


@pytest.fixture(scope="module")
def records():
    """The entries of CoRE MOF 2019 whose refcodes the table names."""
    families = {code for one in table() for code in one.refcodes}
    source = open_source("coremof2019-asr")
    return [(record.id, source.read(record)) for record in source.records() if refcode(record.id)[:6] in families]


def test_names_of_refcodes_agree_with_the_entries(records):
    assert len(records) > 300
    for entry, crystal in records:
        one = next(one for one in table() if refcode(entry)[:6] in one.refcodes)
        metals, rest, total = _composition(one.formula)
        amounts = crystal.composition
        own = {symbol for symbol in amounts if symbol in metals}
        assert own == set(metals), entry
        assert set(rest) <= set(amounts), entry
        assert set(amounts) <= {*metals, *rest, "H", "N", "O"}, entry  # disorder and guests
        carbon = amounts["C"] / sum(amounts[symbol] for symbol in metals) * total
        assert carbon > 0.99 * rest["C"], entry  # disorder adds some, nothing takes it away
        if one.volume is not None and not one.name.startswith("MIL-53"):  # it breathes
            each = crystal.volume / sum(amounts[symbol] for symbol in metals)
            assert each * total == pytest.approx(one.volume, rel=SAME_FAMILY), entry


def test_every_formula_is_one_and_no_name_stands_for_two_kinds():
    for one in table():
        assert amounts_of(one.formula)
        assert all(len(code) == 6 and code.isupper() for code in one.refcodes)
    codes = [code for one in table() for code in one.refcodes]
    assert len(codes) == len(set(codes))
    spellings = [one.spellings[0] for one in table()]
    assert len(spellings) == len(set(spellings)) >= 190
    assert all(re.fullmatch(r"10\.\d{4,}/\S+", one.source) for one in table())


def index_of(crystals):
    """An index in memory of crystals by id."""
    reduced = [primitive(crystal) for crystal in crystals.values()]
    lines = LineTable.stack([crystal_lines(crystal) for crystal in reduced])
    entries = EntryTable.describe(list(crystals), reduced)
    contents = Contents(entries, CrystalTable.from_crystals(reduced), lines, flat_index(np.eye(len(crystals), 8)))
    return Index(SimpleNamespace(name="few"), contents)


@pytest.fixture(scope="module")
def known():
    """Entries of CoRE MOF 2019 by id."""
    source = open_source("coremof2019-asr")
    by_id = {record.id: record for record in source.records()}
    return lambda entry: source.read(by_id[entry])


def test_composition_and_volume_are_not_enough_where_the_index_knows_the_framework(known):
    """CAU-13 in another state has what MFM-300(Al) has, and MFM-300(In) what MIL-53(In) has."""
    own = {"aluminium": known("TOXNEB_clean"), "cyclohexane": known("JIZWOG_clean"), "indium": known("YAZFOW_clean")}
    entries = {"XUPSAE_clean": known("XUPSAE_clean"), "OTEGUR_clean": known("OTEGUR_clean"), **own}
    describer = Describer(index_of(entries))
    names = dict(zip(entries, map(describer.name, range(len(entries))), strict=True))
    assert names == {
        "XUPSAE_clean": "MFM-300(Al)",
        "OTEGUR_clean": "MFM-300(In)",
        "aluminium": "MFM-300(Al)",
        "cyclohexane": "",
        "indium": "MFM-300(In)",
    }
    assert describer.rows_named({"MFM-300(In)"}).tolist() == [1, 4]
    assert describer.rows_named({"MFM-300"}).tolist() == [0, 1, 2, 4]


def test_another_index_names_what_only_one_framework_can_be(known):
    describer = Describer(index_of({"UiO": known("RUBTAK02_SL"), "either": known("SABVUN_clean_h_min")}))
    assert [describer.name(row) for row in range(2)] == ["UiO-66", "MIL-53(Al)"]
    fitting = {one.framework.name for one in named_by_composition("C8H5InO5", 76, 1480.0)}
    assert fitting == {"MFM-300(In)"}


@pytest.mark.parametrize(
    ("entry", "formula", "atoms", "volume", "name"),
    [
        ("RUBTAK02_SL", "C24H14O16Zr3", 114, 2231.3, "UiO-66"),
        ("SURLEY_clean", "C24H16O32Zr3", 150, 2232.7, "UiO-66"),  # disorder listed in full: by its refcode
        ("ABCDEF_clean", "C24O16Zr3", 86, 2249.8, "UiO-66"),  # without hydrogen
        ("jz4002345_si_006_clean", "C24H14Hf3O16", 114, 2220.0, "UiO-66 (Hf)"),
        ("theirs", "C24H14CeO16Zr2", 114, 2300.0, "UiO-66 (Ce, Zr)"),
        ("theirs", "C24H14O16Zr3", 114, 1500.0, ""),  # another way to build the same composition
        ("theirs", "C24H14O16U3", 114, 2231.3, ""),  # nobody made it
        ("theirs", "C4HCoO3", 54, 1325.1, "Co-MOF-74"),
        ("theirs", "C8H10N4Zn", 138, 2452.0, "ZIF-8"),
        ("zinc_oxide", "OZn", 4, 47.6, ""),
    ],
)
def test_entries_are_recognised(entry, formula, atoms, volume, name):
    assert common_name(entry, formula, atoms, volume) == name


def test_names_are_found_however_they_are_spelled():
    assert [one.name for one in find_common("uio 66")] == ["UiO-66"]
    assert [one.name for one in find_common("Cu3(BTC)2")] == ["HKUST-1"]
    assert {one.name for one in find_common("MOF-74")} >= {"Zn-MOF-74", "Mg-MOF-74"}
    assert find_common("UiO-6") == ()
    assert "UiO-66" in nearest_names("UoI-66")


@pytest.mark.parametrize(
    ("entry", "stem", "link"),
    [
        ("RUBTAK02_SL", "RUBTAK02", "https://www.ccdc.cam.ac.uk/structures/Search?Ccdcid=RUBTAK02"),
        ("VOGTIV_clean_h", "VOGTIV", "https://www.ccdc.cam.ac.uk/structures/Search?Ccdcid=VOGTIV"),
        ("acs.jpcc.6b08594_UiO66_Ce2Zr4_opt_clean", "acs.jpcc.6b08594_UiO66_Ce2Zr4", "10.1021/acs.jpcc.6b08594"),
        ("jz4002345_si_005_clean", "jz4002345_si_005", "10.1021/jz4002345"),
        ("c5ce02503f_c5ce02503f2_clean", "c5ce02503f_c5ce02503f2", "10.1039/c5ce02503f"),
        ("zinc_oxide_zincite", "zinc_oxide_zincite", ""),
        ("my sample", "my sample", ""),
    ],
)
def test_ids_tell_where_an_entry_comes_from(entry, stem, link):
    found = EntryId.of(entry)
    assert found.stem == stem
    assert found.link.endswith(link)
    assert bool(found.link) == bool(link)


def test_endings_become_badges():
    assert EntryId.of("VOGTIV_clean_h").badges == ("solvent removed by a program", "hydrogen atoms added")
    for prototype in ("Fluorapatite_A5BC12D3_hP42_176_fh_a_2hi_h", "CeCu2_AB2_oI12_74_e_h"):
        assert EntryId.of(prototype).badges == ()  # its last letter is of Wyckoff's
    assert EntryId.of("halite").badges == ()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("RUBTAK02_SL", "RUBTAK02"),
        ("Calcite_ABC3_hR10_167_a_b_e.CaCO3", "Calcite"),
        ("sigma_phase_CrFe_sigma_tP30_136_bf2ij", "sigma phase CrFe"),
        ("zinc_oxide_zincite", "zinc oxide zincite"),
        ("my_sample_7", "my_sample_7"),
        ("acs.jpcc.6b08594_UiO66_Ce2Zr4_opt_clean", "acs.jpcc.6b08594_UiO66_Ce2Zr4"),
    ],
)
def test_entries_are_called_as_people_read_them(entry, words):
    assert EntryId.of(entry).words == words


@pytest.mark.parametrize("text", ["zincite", "Zinc oxide", "zinc_oxide_zincite", "zinc oxide zincite"])
def test_phases_are_found_by_what_they_are_called(text):
    ids = np.array(["zinc_oxide_zincite", "zinc_chromite", "Calcite_ABC3_hR10_167_a_b_e", "zinc"])
    assert _phases_named(text, ids).tolist() == [0]


def test_atoms_of_a_framework_are_of_its_node_or_its_linker(known):
    crystal = primitive(known("RUBTAK02_SL"))
    words = np.array(linkers_of_atoms(crystal))
    assert set(words) == {"", "BDC"}
    assert set(words[crystal.numbers == 40]) == {""}
    assert set(words[crystal.numbers == 6]) == {"BDC"}
    assert (words == "BDC").sum() == 6 * 16  # six C8H4O4
