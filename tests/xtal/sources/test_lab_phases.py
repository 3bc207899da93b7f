"""The lab: phases that any sample may hold."""

import gemmi
import numpy as np
import pytest

from indexer.storage.entries import mass_density
from xtal.crystals import primitive
from xtal.errors import UserError
from xtal.sources import open_source
from xtal.sources.lab.phases import parse
from xtal.sources.lab.source import PHASES

NEAREST, FARTHEST = 0.70, 1.35  # of the sum of covalent radii: what neighbours in sound crystals keep to
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
}  # fmt: skip


@pytest.fixture(scope="module")
def phases():
    return {phase.id: phase for phase in parse(PHASES.read_text(encoding="utf-8"))}


def nearest(crystal):
    """The least distance between atoms over the sum of their covalent radii; disordered atoms have no say."""
    whole = crystal.occupancies == 1
    frac, numbers = crystal.frac_coords[whole], crystal.numbers[whole]
    images = np.array(list(np.ndindex(3, 3, 3))) - 1
    apart = np.linalg.norm((frac[:, None, None] - frac[None, :, None] + images) @ crystal.lattice, axis=-1)
    apart[apart < 1e-6] = np.inf
    radius = np.array([gemmi.Element(int(z)).covalent_r for z in numbers])
    return float((apart.min(axis=2) / np.add.outer(radius, radius)).min())


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


def test_the_list_says_what_is_wrong_with_it():
    with pytest.raises(UserError, match="line 1: unknown space group 'X y z'"):
        list(parse("= odd | X y z | nobody"))
    with pytest.raises(UserError, match="line 1 of the list of phases says nothing"):
        list(parse("A 0 0 0"))
    with pytest.raises(UserError, match="a cubic cell takes 1 numbers, got 2"):
        next(parse("= salt | F m -3 m | W\nA 0 0 0\nNa | 5.6 5.6 | halite")).crystal()
