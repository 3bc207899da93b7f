"""Weight fractions from areas."""

from types import SimpleNamespace

import numpy as np
import pytest

from search.phases.shares import share_of_area, weight_shares
from xtal.crystals import Crystal, primitive
from xtal.physics import LineTable, crystal_lines
from xtal.sources import open_source

LAST, WAVELENGTH = 6.0, 1.5418
CORUNDUM = "aluminium_oxide_corundum"


@pytest.fixture(scope="module")
def crystals():
    source = open_source("lab")
    return {record.id: primitive(source.read(record)) for record in source.records()}


def table(*crystals: Crystal):
    return SimpleNamespace(crystal=crystals.__getitem__, lines=LineTable.stack([crystal_lines(c) for c in crystals]))


@pytest.mark.parametrize(
    ("name", "ratio"),
    [
        ("zinc_oxide_zincite", 5.4),
        ("titanium_oxide_rutile", 3.4),
        ("chromium_oxide_eskolaite", 2.1),
        ("sodium_chloride_halite", 4.4),
        ("silicon", 4.7),
    ],
)
def test_strongest_lines_compare_as_reference_intensity_ratios_do(crystals, name, ratio):
    """I / I_corundum of equal weights (Hubbard and Snyder, 1988); displacements are not known here."""
    index = table(crystals[name], crystals[CORUNDUM])
    strongest = []
    for row in (0, 1):
        lines = index.lines[row]
        q = lines.q[lines.q < LAST * 0.999]
        area = lines.intensity[: len(q)] / _ratio(q)
        strongest.append(float(area.max() / area.sum()) / share_of_area(index, row, LAST, WAVELENGTH))
    assert strongest[0] / strongest[1] == pytest.approx(ratio, rel=0.15)


def _ratio(q):
    from xtal.patterns.lorentz import lorentz_polarisation_ratio

    return lorentz_polarisation_ratio(q, WAVELENGTH)


def test_a_supercell_is_the_same_phase(crystals):
    one = crystals["sodium_chloride_halite"]
    double = Crystal(
        one.lattice * np.array([[2], [1], [1]]),
        np.concatenate([one.frac_coords / [2, 1, 1], one.frac_coords / [2, 1, 1] + [0.5, 0, 0]]),
        np.tile(one.numbers, 2),
    )
    shares = weight_shares(table(one, double), [0, 1], np.array([1.0, 1.0]), LAST, WAVELENGTH)
    assert shares == pytest.approx([0.5, 0.5], abs=0.01)
