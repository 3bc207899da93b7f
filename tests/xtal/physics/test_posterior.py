"""The posterior of crystals that fit nearly alike, on real entries."""

from dataclasses import replace

import numpy as np
import pytest
from physics_helpers import Q_MAX, SCAN, WAVELENGTH, begun, cubic_crystal, measured, shells

from search.ranking.rerank import Ranking, rerank
from search.ranking.ties import EXPLAINED, MARGIN, STRANGE, settle
from xtal.crystals import Crystal
from xtal.patterns import Pattern
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.physics import reflections
from xtal.physics.fit import PARAMETERS, Fit
from xtal.physics.posterior import PASSES, _same_cell, descend, log_posteriors
from xtal.physics.powder import expected_reflections
from xtal.physics.reflection_profile import Model, State, View, spread
from xtal.physics.shell import MOST_LINES
from xtal.physics.target import Target
from xtal.physics.texture import SPREAD as TEXTURE_SPREAD

ENTRY = "AGUWUV_clean"  # triclinic, with one kind of metal
FINAL = PASSES[-1]


def exchanged(crystal: Crystal, change: int) -> Crystal:
    """The same framework with a metal whose atomic number differs by `change`."""
    metal = int(crystal.numbers.max())
    return replace(crystal, numbers=np.where(crystal.numbers == metal, metal + change, crystal.numbers))


@pytest.fixture(scope="module")
def crystal(engine) -> Crystal:
    return engine.crystal(ENTRY)


@pytest.fixture(scope="module")
def cubic() -> Crystal:
    return cubic_crystal()


def test_a_textured_pattern_is_explained_by_texture(crystal):
    """About the right axis the fit finds the ratio, and the errors of the lines stay small."""
    target = measured(crystal, texture=0.7)
    shell = shells(crystal)[0]
    model, view = Model(shell), View(target, FINAL)
    plain = State.start(model.lines, np.zeros(PARAMETERS), begun(target, 1).scale[0], WAVELENGTH)
    found = [
        descend(view, model, replace(plain, unknowns=np.append(plain.unknowns[:-6], 0.0), axis=axis), 12)
        for axis in range(shell.cosine.shape[1])
    ]
    best = min(found, key=lambda state: state.cost)
    assert np.exp(TEXTURE_SPREAD * best.unknowns[-1]) == pytest.approx(0.7, abs=0.05)
    assert np.abs(best.unknowns[: model.lines]).max() < 1.0
    assert best.cost < sorted(state.cost for state in found)[len(found) // 2] - 5


def test_without_texture_none_is_found(crystal):
    target = measured(crystal)
    model, view = Model(shells(crystal)[0]), View(target, FINAL)
    state = descend(
        view, model, State.start(model.lines, np.zeros(PARAMETERS), begun(target, 1).scale[0], WAVELENGTH), 12
    )
    errors, nine, texture = state.split(model.lines)
    assert np.abs(texture).max() < 0.4
    assert np.abs(errors).max() < 1.0
    assert np.abs(nine[:6]).max() < 0.5


def test_a_line_of_high_symmetry_splits_under_strain(cubic):
    """Few unknowns explain what no average strain of whole lines does."""
    strain = np.diag([0.008, -0.004, -0.004])
    target = measured(cubic, strain=strain, fwhm=0.1)
    model = Model(shells(cubic)[0])
    state = State.start(model.lines, np.zeros(PARAMETERS), begun(target, 1).scale[0], WAVELENGTH)
    for stage in PASSES:
        view = View(target, stage)
        state = descend(view, model, state, stage.steps)
    drawn = view.project(model.derivatives(view, state)[-1])
    assert np.linalg.norm(view.data - drawn) < 0.3 * np.linalg.norm(view.data)
    nine = spread(WAVELENGTH) @ state.split(model.lines)[1]
    assert np.sort(nine[:3])[-1] - np.sort(nine[:3])[0] == pytest.approx(0.012, abs=0.002)


@pytest.mark.parametrize("change", [-2, 2])
@pytest.mark.parametrize("texture", [0.75, 1.0, 1.3])
def test_the_right_metal_is_likelier(crystal, change, texture):
    """Whatever the texture, as long as the errors of single lines are small."""
    target = measured(crystal, texture=texture, line_error=0.01)
    found = log_posteriors(target, shells(crystal, exchanged(crystal, change)), begun(target, 2))
    assert found[0] > found[1] + 1


def test_candidates_of_one_lattice_do_not_depend_on_their_order(crystal):
    target = measured(crystal, line_error=0.05, strain=np.diag([0.002, 0.001, -0.001]))
    three = shells(crystal, exchanged(crystal, 1), exchanged(crystal, 4))
    once = log_posteriors(target, three, begun(target, 3))
    again = log_posteriors(target, three[::-1], begun(target, 3))
    np.testing.assert_allclose(once, again[::-1], atol=1.5)


NINE = np.array([0.003, -0.002, 0.001, 0.001, -0.001, 0.002, 0.05, 0.2, 0.1])
TENSOR = np.array([0.5, -0.3, 0.1, 0.2, -0.4, 0.3])


def test_a_copy_of_the_best_cell_is_the_best_cell(crystal):
    nine, texture = _same_cell(NINE, TENSOR, crystal.lattice, crystal.lattice)
    np.testing.assert_allclose(nine, NINE, atol=1e-12)
    np.testing.assert_allclose(texture, TENSOR, atol=1e-12)
    larger, _ = _same_cell(NINE, TENSOR, crystal.lattice * 1.01, crystal.lattice)
    np.testing.assert_allclose(larger[:3], NINE[:3] * 1.01 + 0.01, atol=1e-9)
    unlike, texture = _same_cell(NINE, TENSOR, crystal.lattice * 1.5, crystal.lattice)
    np.testing.assert_array_equal(unlike, NINE)
    np.testing.assert_array_equal(texture, TENSOR)


def test_a_cell_in_another_setting_and_frame_gives_the_same_profile(crystal):
    """Entries of one framework come with their axes in any order and frame."""
    order, turn = [2, 0, 1], np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    other = replace(crystal, lattice=crystal.lattice[order] @ turn, frac_coords=crystal.frac_coords[:, order])
    nine, texture = _same_cell(NINE, TENSOR, crystal.lattice, other.lattice)
    view, drawn = View(measured(crystal), FINAL), []
    for each, own, tensor in ((crystal, NINE, TENSOR), (other, nine, texture)):
        model = Model(shells(each)[0])
        unknowns = np.concatenate([np.zeros(model.lines), np.linalg.solve(spread(WAVELENGTH), own), tensor])
        drawn.append(model.derivatives(view, State(unknowns, 5.0))[-1])
    np.testing.assert_allclose(drawn[1], drawn[0], atol=1e-3 * drawn[0].max())


def test_a_texture_about_none_of_the_axes_is_a_tensors(crystal):
    """Only some axes are tried: where the right one is missing, the others must not count against the crystal."""
    target, shell = measured(crystal, texture=0.5), shells(crystal)[0]
    each = [slice(axis, axis + 1) for axis in range(shell.cosine.shape[1])]
    alone = [replace(shell, cosine=shell.cosine[:, axis], axes=shell.axes[axis]) for axis in each]
    found = np.sort([log_posteriors(target, [one], begun(target, 1))[0] for one in alone])
    assert found[-1] > found[-2] + 10  # the axis about which the grains lie
    assert found[-2] - found[0] < 3
    assert found[-1] - found[0] < 100


def test_a_shell_is_the_crystals_lines(crystal, cubic):
    for shell, kind in zip(shells(crystal, cubic), (crystal, cubic), strict=True):
        lines = reflections(kind, Q_MAX, wavelength=WAVELENGTH).lines()
        assert shell.area.sum() == pytest.approx(1)
        assert len(shell.line_q) <= MOST_LINES
        strongest = lines.q[np.argmax(lines.intensity)]
        assert np.abs(shell.line_q - strongest).min() < 1e-3
        np.testing.assert_allclose(shell.direction[:, :3].sum(axis=1), 1)  # of a unit vector
        assert ((shell.cosine >= 0) & (shell.cosine <= 1 + 1e-12)).all()


def test_flat_and_short_patterns_give_finite_numbers(crystal):
    flat = Pattern(SCAN.two_theta, np.append(np.full(len(SCAN.two_theta) - 1, 100.0), 101.0), WAVELENGTH)
    short = Pattern(np.linspace(10, 11, 10), np.arange(10.0), WAVELENGTH)
    for pattern in (flat, short):
        target = Target.of(pattern, find_lines(pattern), background(pattern))
        found = log_posteriors(target, shells(crystal, exchanged(crystal, 2)), begun(target, 2))
        assert np.isfinite(found).all()


def test_ties_are_settled_and_nothing_else_moves(engine, patterns):
    group = engine.index.entries.group
    for pattern in patterns[:6]:
        target = Target.of(pattern, find_lines(pattern), background(pattern))
        rows = np.arange(40)
        ranking = rerank(target, engine.index.lines, rows)
        settled = settle(ranking, engine.index, rows)
        assert sorted(settled.order) == sorted(ranking.order)
        by_row = dict(zip(ranking.order, ranking.fit.chi_square, strict=True))
        assert [by_row[place] for place in settled.order] == settled.fit.chi_square.tolist()
        assert settled.fit.chi_square[0] <= MARGIN * ranking.fit.chi_square[0]
        clear = ranking.fit.chi_square > MARGIN * ranking.fit.chi_square[0]
        np.testing.assert_array_equal(settled.order[clear], ranking.order[clear])
        if len(np.unique(group[rows[ranking.order[~clear]]])) < 2:
            assert settled is ranking


def test_tied_crystals_are_told_apart(engine, crystal):
    """Two entries made to tie: the order follows the posterior, whichever stood first."""
    other = engine.index.row_of("AGESIP_clean")
    row = engine.index.row_of(ENTRY)
    target = measured(crystal, line_error=0.05)
    for rows in (np.array([row, other]), np.array([other, row])):
        fit = replace(begun(target, 2), chi_square=len(target.net) * np.array([1.0, 1.01]))
        settled = settle(Ranking(np.arange(2), fit, target), engine.index, rows)
        assert rows[settled.order[0]] == row


def test_short_waves_on_large_cells_are_not_waited_for(engine, crystal):
    rows = np.array([engine.index.row_of("AGESIP_clean"), engine.index.row_of(ENTRY)])
    hard = replace(measured(crystal), wavelength=0.08)
    ranking = Ranking(np.arange(2), replace(begun(measured(crystal), 2), chi_square=np.full(2, 1500.0)), hard)
    assert settle(ranking, engine.index, rows) is ranking
    count = len(reflections(crystal, Q_MAX, wavelength=WAVELENGTH).g)
    assert expected_reflections(crystal, Q_MAX) == pytest.approx(count, rel=0.1)


@pytest.mark.parametrize("misfit", [0.99 * EXPLAINED, 1.01 * STRANGE])
def test_a_fit_as_good_as_the_noise_and_one_that_is_none_are_left_alone(engine, crystal, misfit):
    rows = np.array([engine.index.row_of("AGESIP_clean"), engine.index.row_of(ENTRY)])
    target = measured(crystal, line_error=0.05)
    fit = replace(begun(target, 2), chi_square=misfit * len(target.net) * np.ones(2))
    ranking = Ranking(np.arange(2), fit, target)
    assert settle(ranking, engine.index, rows) is ranking


def test_an_empty_ranking_stays_empty(engine, crystal):
    ranking = Ranking(np.arange(0), Fit.start(0), measured(crystal))
    assert settle(ranking, engine.index, np.arange(0)) is ranking
