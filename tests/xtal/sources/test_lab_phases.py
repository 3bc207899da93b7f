"""The lab: phases that any sample may hold."""

import gemmi
import numpy as np
import pytest

from indexer.storage.entries import mass_density
from xtal.crystals import CrystalTable, primitive
from xtal.errors import UserError
from xtal.sources import open_source
from xtal.sources.lab.phases import parse
from xtal.sources.lab.source import PHASES, PROTOTYPES

NEAREST, FARTHEST = 0.70, 1.35  # of the sum of covalent radii: what neighbours in sound crystals keep to
NEVER = 0.62  # of it: what no neighbours are but hydrogen
SPLIT = {"hydroxyapatite", "ammonium_chloride", "ammonium_bromide", "ice_Ih"}  # disordered
DENSITIES = {  # g/cm³, of handbooks
    "sodium_chloride_halite": 2.165, "potassium_chloride_sylvite": 1.988, "calcium_fluoride_fluorite": 3.18,
    "titanium_oxide_rutile": 4.23, "titanium_oxide_anatase": 3.90, "titanium_oxide_brookite": 4.13,
    "zinc_oxide_zincite": 5.61, "copper_oxide_cuprite": 6.0, "copper_oxide_tenorite": 6.45,
    "aluminium_oxide_corundum": 3.98, "iron_oxide_haematite": 5.25, "iron_oxide_magnetite": 5.18,
    "zirconium_oxide_baddeleyite": 5.83, "cerium_oxide_cerianite": 7.22, "calcium_carbonate_calcite": 2.71,
    "calcium_carbonate_aragonite": 2.93, "magnesium_hydroxide_brucite": 2.37, "calcium_hydroxide_portlandite": 2.24,
    "silicon_oxide_quartz": 2.65, "silicon_oxide_cristobalite": 2.33, "vanadium_pentoxide_shcherbinaite": 3.36,
    "molybdenum_trioxide_molybdite": 4.70, "tungsten_oxide": 7.27, "bismuth_oxide_bismite": 9.35,
    "copper": 8.96, "silicon": 2.33, "aluminium": 2.70, "iron_ferrite_steel": 7.87, "graphite": 2.26,
    "potassium_nitrate_niter": 2.11, "sodium_nitrate_nitratine": 2.26, "ammonium_chloride": 1.53,
    "iron_disulfide_pyrite": 5.01, "molybdenum_disulfide_molybdenite": 5.0, "strontium_titanate": 5.11,
    "indium_oxide": 7.18, "yttrium_oxide": 5.03, "lanthanum_oxide": 6.57, "nickel_oxide_bunsenite": 6.8,
    "calcium_sulfate_anhydrite": 2.96, "ice_Ih": 0.92, "polytetrafluoroethylene_PTFE": 2.30, "fluorapatite": 3.2,
    "lithium_iron_phosphate": 3.6, "zirconium_silicate_zircon": 4.66, "calcium_tungstate_scheelite": 6.1,
    "barium_sulfate_barite": 4.48, "strontium_sulfate_celestine": 3.96, "lead_sulfate_anglesite": 6.32,
    "potassium_sulfate_arcanite": 2.66, "sodium_sulfate_thenardite": 2.67, "ammonium_sulfate_mascagnite": 1.77,
    "potassium_permanganate": 2.70, "potassium_perchlorate": 2.53, "potassium_chromate_tarapacaite": 2.73,
    "barium_nitrate_nitrobarite": 3.24, "lead_nitrate": 4.53, "barium_chloride": 3.9, "lithium_hydroxide": 1.46,
    "lithium_carbonate_zabuyelite": 2.1, "sodium_carbonate_natrite": 2.54, "calcium_carbonate_vaterite": 2.65,
    "magnesium_sulfate_heptahydrate_epsomite": 1.68, "magnesium_sulfate_monohydrate_kieserite": 2.57,
    "aluminium_hydroxide_gibbsite": 2.42, "aluminium_hydroxide_oxide_boehmite": 3.07,
    "aluminium_hydroxide_oxide_diaspore": 3.38, "iron_hydroxide_oxide_goethite": 4.27, "aluminium_oxide_gamma": 3.66,
    "copper_hydroxide_spertiniite": 3.95, "iron_oxide_maghemite": 4.88, "lead_oxide_minium": 8.9, "mullite": 3.15,
    "lead_oxide_massicot": 9.64, "nickel_chloride_hexahydrate": 1.93, "aluminium_chloride": 2.48, "urea": 1.33,
    "iron_trichloride_molysite": 2.90, "bismuth_telluride_tellurobismuthite": 7.86, "potassium_bromate": 3.27,
    "magnesium_aluminium_hydroxide_carbonate_hydrotalcite": 2.1, "silver_sulfate": 5.45, "zinc_chloride_alpha": 3.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def phases():
    return {phase.id: phase for phase in parse(PHASES.read_text(encoding="utf-8"))}


def nearest(crystal, lightest=1):
    """The least distance between atoms over the sum of their covalent radii; disordered atoms have no say."""
    whole = (crystal.occupancies == 1) & (crystal.numbers >= lightest)
    frac, numbers = crystal.frac_coords[whole], crystal.numbers[whole]
    images = np.array(list(np.ndindex(3, 3, 3))) - 1
    apart = np.linalg.norm((frac[:, None, None] - frac[None, :, None] + images) @ crystal.lattice, axis=-1)
    apart[apart < 1e-6] = np.inf
    radius = np.array([gemmi.Element(int(z)).covalent_r for z in numbers])
    return float((apart.min(axis=2) / np.add.outer(radius, radius)).min(initial=np.inf))


def test_atoms_are_neither_too_near_nor_too_far(phases):
    wrong = {
        name: round(value, 2)
        for name, phase in phases.items()
        if name not in SPLIT and not NEAREST <= (value := nearest(phase.crystal())) <= FARTHEST
    }
    assert wrong == {}


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_those_of_handbooks(phases, name):
    assert mass_density(phases[name].crystal()) == pytest.approx(DENSITIES[name], rel=0.04)


def test_the_lab_holds_what_it_promises():
    source = open_source("lab")
    records = list(source.records())
    ids = [record.id for record in records]
    assert len(ids) == len(set(ids)) >= 1500
    halite = primitive(source.read(next(r for r in records if r.id == "sodium_chloride_halite")))
    assert (halite.formula, len(halite)) == ("ClNa", 2)
    quartz = source.read(next(r for r in records if r.id == "silicon_oxide_quartz"))
    assert quartz.reduced_formula == "O2Si"
    assert source.source_id == open_source("lab").source_id


def test_no_prototype_has_atoms_on_top_of_each_other():
    table = CrystalTable.load(PROTOTYPES)
    small = [table[row] for row in np.flatnonzero(table.n_atoms <= 60)]
    assert [one.name for one in small if nearest(one, lightest=2) < NEVER] == []


@pytest.mark.parametrize(
    ("name", "formula"),
    [("Andalusite", "Al2O5Si"), ("Kesterite", "Cu2FeS4Sn"), ("Diaspore", "AlHO2"), ("GaMo4S8_AB4C8_hR13", "GaMo4S8")],
)
def test_prototypes_hold_what_they_are_named_after(name, formula):
    table = CrystalTable.load(PROTOTYPES)
    row = next(row for row, id_ in enumerate(table.names.tolist()) if id_.startswith(name))
    assert table[row].reduced_formula == formula


def test_the_list_says_what_is_wrong_with_it():
    with pytest.raises(UserError, match="line 1: unknown space group 'X y z'"):
        list(parse("= odd | X y z | nobody"))
    with pytest.raises(UserError, match="line 1 of the list of phases says nothing"):
        list(parse("A 0 0 0"))
    with pytest.raises(UserError, match="a cubic cell takes 1 numbers, got 2"):
        next(parse("= salt | F m -3 m | W\nA 0 0 0\nNa | 5.6 5.6 | halite")).crystal()
