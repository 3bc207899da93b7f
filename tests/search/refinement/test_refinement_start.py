"""Starts of refinements from the search's fit, and hits as CIF."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from ui_fakes import FakeEngine, hit, solution

from search.answer import Phase
from search.refinement.hit_cif import entry_cif, hit_cif
from search.refinement.run import Model, matching, model_of, refine_models
from search.refinement.start import fitted, strained
from search.verdict import Verdict
from xtal.crystals import Crystal, read_cif
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.physics.artefacts import Artefacts, Scan, apply
from xtal.physics.powder import reflections
from xtal.refinement import Choices, Observed

SALT = Crystal(
    5.64 * np.eye(3),
    [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0.5]],
    [11] * 4 + [17] * 4,
    name="halite",
)
SYLVITE = replace(SALT, lattice=6.293 * np.eye(3), numbers=np.array([19] * 4 + [17] * 4), name="sylvite")
SCAN = Scan(20.0, 80.0, 0.03, second=1 / 3)


def measured(*crystals: Crystal, strain: float = 0.004, zero: float = 0.03) -> Pattern:
    made = Artefacts(np.eye(3) * strain, 1.0, 0.0, 0.0, 0.2, 0.5, zero, 0.05, 0.0, 5000.0)
    parts = [apply(made, reflections(c, 6.4, wavelength=1.5418), np.random.default_rng(1), SCAN) for c in crystals]
    return replace(parts[0], intensity=np.sum([part.intensity for part in parts], axis=0), source="salt.xy")


def test_the_fit_gives_cell_zero_and_width():
    fit = fitted(measured(SALT), [SALT])
    assert fit.start.phases[0].cell[0] == pytest.approx(5.64 * 1.004, rel=5e-4)
    assert fit.start.zero_shift == pytest.approx(0.03, abs=0.02)
    assert fit.start.width == pytest.approx(0.2, rel=0.3)
    assert fit.start.second > 0
    assert fit.explained > 0.8


def test_a_second_structure_is_fitted_to_what_the_first_leaves():
    pattern = measured(SALT, SYLVITE)
    fit = fitted(pattern, [SALT, SYLVITE])
    assert fit.start.phases[1].cell[0] == pytest.approx(6.293 * 1.004, rel=1e-3)
    alone = fitted(pattern, [SALT])
    observed = Observed.of(pattern)
    assert observed.r_wp(fit.overlay.calculated) < 0.6 * observed.r_wp(alone.overlay.calculated)


def test_refinement_improves_on_the_fit():
    pattern = measured(SALT)
    refined = refine_models(pattern, [Model(SALT, "here")], Choices(texture=False))
    assert refined.found.agreement.r_wp < refined.r_wp_before
    assert refined.found.phases[0].cell[0].value == pytest.approx(5.64 * 1.004, abs=0.002)
    assert "# halite: here" in refined.cif()


def test_what_does_not_fit_is_not_refined():
    other = replace(SALT, lattice=9.1 * np.eye(3), name="other")
    with pytest.raises(UserError, match=r"other explains \d% of the intensity of salt.xy: there is nothing to refine"):
        refine_models(measured(SALT), [Model(other, "")])


def test_noise_is_not_refined():
    rng = np.random.default_rng(0)
    flat = Pattern(np.linspace(10, 60, 800), rng.poisson(100, 800).astype(float), 1.5406, source="flat.xy")
    with pytest.raises(UserError, match=r"no lines above its noise|nothing to refine"):
        refine_models(flat, [Model(SALT, "")])


def test_an_entry_without_an_index_is_no_structure():
    with pytest.raises(UserError, match="'RUBTAK' is no CIF file, and no index is open"):
        model_of("RUBTAK", None)


def test_a_hit_has_the_fitted_cell_unless_the_databases_is_asked_for(engine, answers):
    answer = next(answer for answer in answers if answer.hits and answer.hits[0].parameters)
    hit = answer.hits[0]
    crystal = engine.crystal(hit.id)
    ours = hit_cif(crystal, hit, "index", "file.xy")
    theirs = hit_cif(crystal, hit, "index", "file.xy", fitted=False)
    entry = entry_cif(crystal, hit.id, "index")
    cells = [gemmi.cif.read_string(text).sole_block().find_value("_cell_length_a") for text in (ours, theirs, entry)]
    wanted = [strained(crystal, np.array(p)).cell[0] for p in (hit.parameters, (0.0,) * 9)]
    assert [float(cell) for cell in cells] == pytest.approx([wanted[0], wanted[1], wanted[1]], abs=1e-4)
    assert "cell fitted to the pattern by the search" in ours
    assert "cell as in the database" in theirs
    assert f"data_{hit.id}" in ours
    for text in (ours, theirs, entry):
        assert read_cif(text).reduced_formula == crystal.reduced_formula


def test_all_phases_of_a_mixture_match_and_nothing_does_after_a_miss():
    hits = [hit(1), hit(2, "sylvite")]
    phases = tuple(Phase(one, 0.9, 0.5, 0.5, 1.0) for one in hits)
    made = solution()
    more = Verdict("match_and_more", 0.9, (), 0.5, phases=phases)
    engine = FakeEngine()
    assert [model.crystal.name for model in matching(engine, made.answer, more)] == ["halite", "sylvite"]
    assert [model.origin for model in matching(engine, made.answer, made.verdict)] == ["entry halite of index salts"]
    assert matching(engine, made.answer, Verdict("miss", 0.1, (), 0.1)) == []
