"""What is said of a refinement, and what is not."""

from dataclasses import replace

import numpy as np
import pytest
from refinement_helpers import CIFS, measured, mineral, phase, refinement

from xtal.crystals import read_cif
from xtal.physics.artefacts import Scan
from xtal.refinement import Observed
from xtal.refinement.refined import Texture, Value
from xtal.refinement.remarks import remarks_on
from xtal.refinement.voids import is_organic, is_porous

FRAMEWORK = "DONNAW01_SL"


@pytest.fixture(scope="module")
def pattern():
    return measured()


def said(found, pattern) -> str:
    return " | ".join(remarks_on(found, Observed.of(pattern)))


def test_a_good_fit_is_not_talked_down(pattern):
    words = said(refinement(pattern, phase("quartz")), pattern)
    assert words == "the points are counts, and were weighted by counting statistics"


@pytest.mark.parametrize(("gof", "word"), [(0.6, "below 1"), (7.0, "leaves much unexplained")])
def test_goodness_of_fit_is_judged(pattern, gof, word):
    found = refinement(pattern, phase("quartz"))
    assert word in said(replace(found, agreement=replace(found.agreement, gof=gof)), pattern)


def test_overparametrised_bounds_and_correlations_are_named(pattern):
    found = refinement(pattern, phase("quartz"))
    pairs = tuple((f"p{i}", "zero shift", 0.97) for i in range(6))
    found = replace(
        found,
        agreement=replace(found.agreement, parameters=50),
        at_bounds=("line width X",),
        correlations=pairs,
    )
    words = said(found, pattern)
    assert "50 parameters were refined" in words
    assert "more parameters than reflections" in words
    assert "at the end of what is possible, so not measured: line width X" in words
    assert "p0 with zero shift (+0.97)" in words
    assert "and 2 more" in words


def test_pores_texture_and_weak_shares_are_named(pattern):
    plates = Texture((0, 0, 1), Value(0.3, 0.01))
    phases = (
        phase("quartz", porous=True, texture=plates, share=Value(0.98, 0.01)),
        phase("halite", share=Value(0.02, 0.01)),
    )
    words = said(refinement(pattern, *phases), pattern)
    assert "quartz has pores" in words
    assert "strong texture in quartz (r = 0.30)" in words
    assert "the share of halite is not significant: 2.0% ± 1.0%" in words
    assert "amorphous parts" in words


def test_missing_intensity_at_low_angles_is_counted():
    wide = measured(scan=Scan(5.0, 40.0, 0.03, second=1 / 3))
    found = refinement(wide, phase("quartz", porous=True))
    profile = found.profile
    low = 2 * np.sin(np.radians(profile.two_theta / 2)) / 1.540593 < 0.15
    level = np.zeros(len(low))
    short = replace(profile, observed=profile.calculated + np.where(low, 400.0, 0.0), background=level)
    assert "too little)" in said(replace(found, profile=short), wide)
    same = replace(profile, observed=profile.calculated, background=level)
    assert "too little)" not in said(replace(found, profile=same), wide)


def test_frameworks_are_porous_and_organic_and_minerals_neither():
    framework = read_cif((CIFS / f"{FRAMEWORK}.cif").read_bytes())
    assert is_porous(framework)
    assert is_organic(framework)
    for name in ("quartz", "halite", "olivine"):
        assert not is_porous(mineral(name))
        assert not is_organic(mineral(name))
