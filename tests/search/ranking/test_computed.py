"""Patterns that programs compute: the structure that reproduces them comes first, whatever was left out of |F|²."""

import numpy as np
import pytest

from search.ranking import reproduce, rerank
from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.sample import Sample
from xtal.physics import reflections
from xtal.physics.profile import render
from xtal.physics.target import Target

ANGLES = np.linspace(3, 50, 2351)
WAVELENGTH = 1.54184


def computed(crystal, anomalous: bool, u_iso: float) -> Pattern:
    """A pattern without noise, as a program that draws structures exports it."""
    found = reflections(crystal, 3.6, wavelength=WAVELENGTH, anomalous=anomalous, u_iso=u_iso)
    q = 2 * np.pi * np.linalg.norm(found.g, axis=1)
    area = found.intensity / q**2 / lorentz_polarisation_ratio(q, WAVELENGTH)
    curve = render(ANGLES, two_theta_from_q(q, WAVELENGTH), area, 0.12, 0.5)
    return Pattern(ANGLES, np.clip(100 * curve / curve.max(), 0, None), WAVELENGTH)


@pytest.mark.parametrize(("anomalous", "u_iso"), [(True, 0.01), (False, 0.0), (False, 0.03)])
def test_whatever_a_program_leaves_out_its_structure_comes_first(engine, wanted, anomalous, u_iso):
    group = engine.index.entries.group
    for row in wanted[:6]:
        (answer,) = engine.query([computed(engine.index.crystal(int(row)), anomalous, u_iso)])
        assert answer.hits[0].group == group[row]
        assert answer.hits[0].fit > 0.8


def test_what_fits_no_hit_keeps_its_order(engine, wanted):
    """A computed pattern of a structure that is not there."""
    pattern = computed(engine.index.crystal(int(wanted[0])), True, 0.01)
    sample = Sample.of(pattern)
    target = Target.of(pattern, sample.lines, sample.under)
    assert target.computed
    group = engine.index.entries.group
    rows = np.flatnonzero(group != group[wanted[0]])[:30]
    ranking = rerank(target, engine.index.lines, rows)
    assert reproduce(ranking, engine.index, rows) is ranking


def test_a_measurement_is_not_computed(patterns):
    for pattern in patterns[:5]:
        sample = Sample.of(pattern)
        assert not Target.of(pattern, sample.lines, sample.under).computed
