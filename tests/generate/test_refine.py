from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import disturbed, small_mofs

from generate.refine import fit_crystals
from xtal.crystals import Crystal, cell_parameters
from xtal.patterns.sample import Sample
from xtal.physics import PAPER_SCAN, LineTable, Sticks, crystal_lines, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.fit import refine
from xtal.physics.target import Target

MOFS = small_mofs()
ZERO_SHIFT, WIDTH = 0.04, 0.2
CLEAN = replace(
    Artefacts.draw(0.0, np.random.default_rng(0)), zero_shift=ZERO_SHIFT, fwhm=WIDTH, eta=0.5, counts=20_000.0
)


def measured(crystal: Crystal) -> Sample:
    """A clean pattern as in the paper, 3 to 30 degrees of Cu Kα."""
    return Sample.of(apply(CLEAN, reflections(crystal, 2.3), np.random.default_rng(1), PAPER_SCAN))


SAMPLES = [measured(crystal) for crystal in MOFS]


def cell_error(found: Crystal, truth: Crystal) -> tuple[float, float]:
    """Largest relative error of an edge, and largest error of an angle in degrees."""
    (lengths, angles), (true_lengths, true_angles) = cell_parameters(found.lattice), cell_parameters(truth.lattice)
    return float(np.abs(lengths / true_lengths - 1).max()), float(np.abs(angles - true_angles).max())


@pytest.mark.parametrize(("scale", "strain"), [(0.95, 0.0), (1.06, 0.0), (1.03, 0.02), (0.97, 0.02), (1.0, 0.03)])
def test_cells_wrong_by_several_per_cent_are_found_again(scale, strain):
    """Atoms are wrong by 0.2 Å on top; four of the five crystals at least."""
    errors = []
    for seed, (sample, crystal) in enumerate(zip(SAMPLES, MOFS, strict=True)):
        wrong = disturbed(crystal, 0.2, strain, seed)
        wrong = replace(wrong, lattice=wrong.lattice * scale)
        assert cell_error(wrong, crystal)[0] > 0.01
        refined = fit_crystals(sample, [wrong])
        errors.append(cell_error(refined.crystals[0], crystal))
        np.testing.assert_allclose(wrong.lattice @ refined.change[0], refined.crystals[0].lattice)
        np.testing.assert_array_equal(refined.crystals[0].frac_coords, wrong.frac_coords)
    good = [length < 0.005 and angle < 0.5 for length, angle in errors]
    assert sum(good) >= len(MOFS) - 1, errors


@pytest.mark.parametrize("row", range(len(MOFS)))
def test_the_right_crystal_keeps_its_cell_and_explains_its_pattern(row):
    refined = fit_crystals(SAMPLES[row], [MOFS[row]])
    assert cell_error(refined.crystals[0], MOFS[row])[0] < 0.002
    assert refined.fit.explained[0] > 0.9
    assert refined.fit.parameters[0, 6] == pytest.approx(ZERO_SHIFT, abs=0.02)
    assert refined.width[0] == pytest.approx(WIDTH, rel=0.1)


def test_the_fitted_crystals_need_no_more_strain():
    """The fit of the search, started from the refined crystals, finds strains of zero."""
    wrong = disturbed(MOFS[3], 0.1, 0.02, 0)
    refined = fit_crystals(SAMPLES[3], [wrong])
    assert not refined.fit.parameters[:, :6].any()
    target = Target.of(SAMPLES[3].pattern, SAMPLES[3].lines, SAMPLES[3].under)
    sticks = Sticks.of(
        LineTable.stack([crystal_lines(c) for c in (*refined.crystals, wrong)]),
        np.array([0, 1]),
        target.wavelength,
        2.3,
    )
    again = refine(target, sticks, 0.0, 2)
    assert np.abs(again.parameters[0, :6]).max() < 2e-3
    assert again.chi_square[0] == pytest.approx(refined.fit.chi_square[0], rel=0.1)
    assert again.chi_square[0] < 0.5 * again.chi_square[1]


def test_many_crystals_are_fitted_as_each_alone():
    crystals = [disturbed(MOFS[1], 0.2, 0.02, seed) for seed in range(3)]
    together = fit_crystals(SAMPLES[1], crystals)
    for row, crystal in enumerate(crystals):
        alone = fit_crystals(SAMPLES[1], [crystal])
        assert alone.fit.chi_square[0] == together.fit.chi_square[row]
        np.testing.assert_array_equal(alone.change[0], together.change[row])
    assert together.fit.parameters.shape == (3, 9)


def test_the_right_atoms_fit_better_than_random_ones():
    rng = np.random.default_rng(2)
    for sample, crystal in zip(SAMPLES, MOFS, strict=True):
        random = [Crystal(crystal.lattice, rng.uniform(size=(len(crystal), 3)), crystal.numbers) for _ in range(3)]
        fit = fit_crystals(sample, [disturbed(crystal, 0.2, 0.02, 5), *random]).fit
        assert fit.chi_square.argmin() == 0
        assert fit.explained.argmax() == 0


def test_a_hopeless_cell_gives_finite_numbers():
    """No line of it lies in the measured range."""
    tiny = Crystal(np.eye(3) * 2.0, np.zeros((1, 3)), [6])
    refined = fit_crystals(SAMPLES[0], [tiny])
    for values in vars(refined.fit).values():
        assert np.isfinite(values).all()
    assert refined.fit.explained[0] == pytest.approx(0, abs=0.05)


def test_no_crystals_no_fits():
    refined = fit_crystals(SAMPLES[0], [])
    assert refined.crystals == ()
    assert refined.change.shape == (0, 3, 3)
    assert len(refined.width) == 0
