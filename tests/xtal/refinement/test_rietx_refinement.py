"""Refinement through the real rietx, of patterns whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from gemmi import Element
from refinement_helpers import SCAN, STRAIN, ZERO, measured, mineral, truth

from xtal.crystals.conventional import conventional
from xtal.errors import UserError
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.background import subtract_background
from xtal.patterns.lorentz import lorentz_polarisation
from xtal.physics.artefacts import Artefacts, Scan, apply
from xtal.physics.powder import Reflections, reflections
from xtal.refinement import Choices, Observed, Start, refine
from xtal.refinement.cif import refinement_cif
from xtal.refinement.table import as_data, as_text, profile_csv


@pytest.fixture(scope="module")
def pattern():
    return measured()


@pytest.fixture(scope="module")
def refined(pattern):
    start = Start((truth(strain=STRAIN - 0.001),), zero_shift=0.02, width=0.2, second=1 / 3)
    return refine(pattern, start)


def test_the_cell_comes_back(refined):
    cell, known = refined.phases[0].cell, truth().cell
    for value, true in zip(cell, known, strict=True):
        assert value.value == pytest.approx(true, abs=max(4 * (value.error or 0), 2e-4 * true))
    assert cell[0].error is not None
    assert cell[0].error < 1e-3
    assert cell[0] == cell[1]
    assert [value.error for value in cell[3:]] == [None, None, None]
    if refined.displacement is None:
        assert refined.zero_shift.value == pytest.approx(ZERO, abs=0.01)


def test_it_reaches_the_noise(refined, pattern):
    fit = refined.agreement
    assert refined.finished
    assert fit.gof == pytest.approx(1, abs=0.1)
    assert fit.r_wp == pytest.approx(fit.r_exp * fit.gof, rel=1e-3)
    assert fit.points == len(pattern)
    assert Observed.of(pattern).r_wp(refined.profile.calculated) == pytest.approx(fit.r_wp, rel=1e-3)
    assert refined.phases[0].r_bragg < 0.1
    assert refined.steps[0] == "scale and background"
    assert refined.steps[-1] == "all together"
    assert refined.seconds < 60


def test_what_is_printed_and_kept(refined, pattern):
    text = as_text(refined)
    assert "Rwp: " in text
    assert f"a (Å): {refined.phases[0].cell[0]}" in text
    assert "b (Å)" not in text  # symmetry makes it a
    data = as_data(refined)
    assert data["phases"][0]["cell"]["a"]["value"] == refined.phases[0].cell[0].value
    rows = profile_csv(refined).splitlines()
    assert len(rows) == 1 + len(pattern)
    columns = np.loadtxt(rows[1:], delimiter=",")
    assert columns[:, 0] == pytest.approx(pattern.two_theta, abs=1e-5)
    assert columns[:, 4] == pytest.approx(columns[:, 1] - columns[:, 2], abs=0.02)


def test_two_phases_have_shares():
    mixture = measured("quartz", "halite", weights=(1.0, 0.3))
    start = Start((truth("quartz"), truth("halite")), zero_shift=ZERO, width=0.18, second=1 / 3)
    found = refine(mixture, start, Choices(texture=False))
    first, second = found.phases
    assert first.share.value + second.share.value == pytest.approx(1)
    assert second.share.error > 0
    assert second.share.value == pytest.approx(weight_share(), abs=0.03)
    assert "of the crystalline phases in the model" in " ".join(found.remarks)
    text = refinement_cif(found, mixture, ["file quartz.cif", "file halite.cif"])
    assert text.count("\ndata_") == 3
    assert "_pd_phase_mass_%" in text
    assert "# halite: file halite.cif" in text


def weight_share() -> float:
    """Of halite, from the areas alone: ``W = S Z M V`` (Hill and Howard, 1987), ``area = S Σ m |F|² LP``."""
    weights = []
    for name, weight in (("quartz", 1.0), ("halite", 0.3)):
        alone = measured(name, weights=(weight,))
        whole = truth(name).whole()
        found = reflections(whole, 6.5, wavelength=alone.wavelength)
        angle = two_theta_from_q(2 * np.pi * np.linalg.norm(found.g, axis=1), alone.wavelength)
        seen = (angle > SCAN.first) & (angle < SCAN.last)
        scale = subtract_background(alone).sum() / (found.intensity * lorentz_polarisation(angle))[seen].sum()
        mass = sum(Element(symbol).weight * amount for symbol, amount in whole.composition.items())
        weights.append(scale * mass * whole.volume)
    return weights[1] / sum(weights)


def test_texture_is_found_about_its_axis():
    """Structure factors weighted by March and Dollase about b: what a textured powder shows."""
    known = truth("olivine")
    last = float(q_from_two_theta(SCAN.last, SCAN.wavelength)) * 1.02
    ideal = reflections(known.whole(), last, wavelength=SCAN.wavelength)
    axis = np.linalg.inv(known.lattice)[:, 1]
    cosine = (ideal.g @ axis / np.linalg.norm(ideal.g, axis=1) / np.linalg.norm(axis)) ** 2
    r = 0.7
    weights = (r**2 * cosine + (1 - cosine) / r) ** -1.5
    textured = Reflections(ideal.g, ideal.intensity * weights, ideal.q_range)
    made = Artefacts(np.zeros((3, 3)), 1.0, 0.0, 0.0, 0.18, 0.5, 0.0, 0.05, 0.0, 4000.0)
    sample = apply(made, textured, np.random.default_rng(5), SCAN)
    found = refine(sample, Start((known,), width=0.18, second=1 / 3), Choices(coordinates=False))
    assert found.phases[0].texture is not None
    assert found.phases[0].texture.axis == (0, 1, 0)
    assert found.phases[0].texture.r.value == pytest.approx(r, abs=0.03)


def test_le_bail_needs_no_atoms(pattern):
    start = Start((truth(strain=STRAIN - 0.0005),), zero_shift=0.03, width=0.2, second=1 / 3)
    found = refine(pattern, start, Choices("lebail"))
    assert found.phases[0].cell[0].value == pytest.approx(truth().cell[0], rel=3e-4)
    assert found.phases[0].share is None
    assert found.phases[0].r_bragg is None
    assert any("speaks for the cell, not for the atoms" in remark for remark in found.remarks)


def test_when_the_time_is_up_the_last_good_state_is_given(pattern, monkeypatch):
    from xtal.refinement import rietx_steps

    class Hasty(rietx_steps.Steps):
        """Has time for two steps."""

        def step(self, state, name, *paths, **options):
            if len(state.steps) >= 2:
                raise rietx_steps.OutOfTimeError(name)
            return super().step(state, name, *paths, **options)

    monkeypatch.setattr("xtal.refinement.rietx_plan.Steps", Hasty)
    found = refine(pattern, Start((truth(),), ZERO, 0.18, second=1 / 3))
    assert not found.finished
    assert found.steps == ("scale and background", "cell and zero shift")
    assert "this is the last good state" in found.remarks[0]


def test_no_time_at_all_is_said(pattern):
    with pytest.raises(UserError, match=r"not even the scale could be refined in 1e-06 s .*allow more time"):
        refine(pattern, Start((truth(),), second=1 / 3), Choices(seconds=1e-6))


def test_a_cell_that_runs_away_is_held(pattern):
    wrong = conventional(mineral(), mineral().lattice * 1.06)
    found = refine(pattern, Start((wrong,), width=0.2, second=1 / 3), Choices(texture=False, coordinates=False))
    assert found.phases[0].cell[0].value == pytest.approx(wrong.cell[0], rel=0.03)
    assert found.agreement.r_wp > 0.2
    assert any("leaves much unexplained" in remark for remark in found.remarks)


def test_a_synchrotron_pattern_needs_no_doublet():
    short = measured(scan=Scan(4.0, 25.0, 0.01, wavelength=0.5))
    found = refine(short, Start((truth(),), ZERO, 0.18))
    assert found.wavelengths == (0.5,)
    assert found.displacement is None
    assert found.phases[0].cell[0].value == pytest.approx(truth().cell[0], rel=1e-3)


def test_a_computed_pattern_is_called_so(pattern, refined):
    clean = replace(pattern, intensity=np.asarray(refined.profile.calculated))
    found = refine(clean, Start((truth(),), ZERO, 0.18, second=1 / 3), Choices(texture=False, coordinates=False))
    assert any("nobody measured it" in remark for remark in found.remarks)


def test_an_unknown_program_is_refused(pattern):
    with pytest.raises(UserError, match="rietx, gsas, got 'fullprof'"):
        refine(pattern, Start((truth(),)), program="fullprof")
