"""The profile of one crystal, reflection by reflection: its derivatives, and the equations made of them."""

from dataclasses import replace

import numpy as np
import pytest
from physics_helpers import Q_MAX, WAVELENGTH, bare_target, begun, cubic_crystal, measured, shells

from xtal.crystals import Crystal
from xtal.physics import Shell, Sticks
from xtal.physics.fit import PARAMETERS, profiles
from xtal.physics.posterior import PASSES, log_posteriors
from xtal.physics.reflection_profile import SINGLE, Model, Pass, State, View

ENTRY = "AGUWUV_clean"  # triclinic, with one kind of metal
FINAL = PASSES[-1]


@pytest.fixture(scope="module")
def crystal(engine) -> Crystal:
    return engine.crystal(ENTRY)


def test_the_profile_without_texture_and_errors_is_that_of_the_lines(engine, crystal):
    target = measured(crystal)
    shell = shells(crystal)[0]
    view, model = View(target, Pass(0.0, 0.05, 0)), Model(shell)
    nine = np.array([0.002, -0.001, 0.001, 0.0, 0.001, 0.0, 0.03, 0.1, 0.1])
    drawn = view.project(model.derivatives(view, State.start(model.lines, nine, 7.0, WAVELENGTH))[-1])
    sticks = Sticks.of(engine.index.lines, np.array([engine.index.row_of(ENTRY)]), WAVELENGTH, Q_MAX)
    expected = 7.0 * profiles(target, sticks, nine[None], target.fwhm, 0.0, False)[0, 0]
    difference = drawn - view.project(expected * view.root)
    assert np.linalg.norm(difference) < 0.04 * np.linalg.norm(view.project(expected * view.root))


@pytest.mark.parametrize("axis", [None, 2])
def test_derivatives_are_those_of_the_profile(axis):
    fine = np.linspace(4, 32, 5601)  # on a coarse grid the places of lines are not smooth enough to be differentiated
    target = bare_target(fine, 1.0, 0.25, WAVELENGTH)
    view, model = View(target, Pass(0.0, 0.05, 0)), Model(Shell.of(cubic_crystal(), WAVELENGTH, 1.9))
    rng = np.random.default_rng(1)
    extra = 6 if axis is None else 1
    unknowns = rng.normal(0, 0.4, model.lines + PARAMETERS + extra)
    unknowns[-extra - 1] = 0.3  # share
    state = State(unknowns, 3.0, axis)
    exact = model.derivatives(view, state).astype(float)
    step = 3e-2
    for number in range(len(unknowns)):
        move = np.zeros(len(unknowns))
        move[number] = step
        high, low = (
            model.derivatives(view, replace(state, unknowns=unknowns + sign * move))[-1].astype(float)
            for sign in (1, -1)
        )
        misfit = np.linalg.norm((high - low) / (2 * step) - exact[number])
        assert misfit <= 0.03 * np.linalg.norm(exact[number]) + 1e-3 * np.linalg.norm(exact[-1]), number


def test_the_equations_are_those_of_derivatives_without_background(crystal):
    target = measured(crystal)
    view, model = View(target, FINAL), Model(shells(crystal)[0])
    residual, normal, downhill = model.equations(view, State.start(model.lines, np.zeros(PARAMETERS), 5.0, WAVELENGTH))
    curves = model.derivatives(view, State.start(model.lines, np.zeros(PARAMETERS), 5.0, WAVELENGTH))
    rows = view.project(curves)
    assert np.linalg.norm(rows) < 0.99 * np.linalg.norm(curves)
    np.testing.assert_allclose(residual, view.data - rows[-1], atol=1e-9 * np.abs(view.data).max())
    few = slice(model.lines, None)
    for chosen, tolerance in ((slice(None), 1e-6), (few, 1e-9)):  # what lines share is not rounded
        expected = rows[chosen] @ rows[chosen].T
        np.testing.assert_allclose(normal[chosen, chosen], expected, atol=tolerance * normal.max())
        np.testing.assert_allclose(downhill[chosen], rows[chosen] @ residual, atol=tolerance * np.abs(downhill).max())


def test_large_curves_are_multiplied_in_double_precision(crystal):
    target = measured(crystal)
    view, model = View(target, Pass(0.0, 1e-6, 0)), Model(shells(crystal)[0])  # what nobody measures so well
    state = State.start(model.lines, np.zeros(PARAMETERS), 1e7, WAVELENGTH)
    _, normal, _ = model.equations(view, state)
    rows = view.project(model.derivatives(view, state))
    assert normal.max() > SINGLE
    np.testing.assert_allclose(normal, rows @ rows.T, atol=1e-9 * normal.max())


@pytest.mark.parametrize("axis", [None, 1])
def test_the_misfit_is_what_the_equations_hold(crystal, axis):
    target = measured(crystal)
    model = Model(shells(crystal)[0])
    unknowns = np.random.default_rng(1).normal(0, 0.3, model.lines + PARAMETERS + (6 if axis is None else 1))
    state = State(unknowns, 4.0, axis)
    for stage in PASSES:
        view = View(target, stage)
        residual = model.equations(view, state)[0]
        assert model.misfit(view, state) == pytest.approx(0.5 * (residual @ residual + unknowns @ unknowns), rel=1e-5)


def test_posteriors_are_those_of_double_precision(crystal, monkeypatch):
    target, several = (
        measured(crystal, texture=0.8),
        shells(crystal, replace(crystal, numbers=np.where(crystal.numbers > 20, crystal.numbers + 2, crystal.numbers))),
    )
    found = log_posteriors(target, several, begun(target, len(several)))
    monkeypatch.setattr("xtal.physics.reflection_profile.SINGLE", 0.0)
    np.testing.assert_allclose(found, log_posteriors(target, several, begun(target, len(several))), atol=0.05)
