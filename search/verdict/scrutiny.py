"""What it takes to make the first hit fit: a texture, errors of single lines, strain; and what is left then.

The profile is fitted once more, reflection by reflection (`xtal.physics`). With residuals r, the data d as weighted
there, and all unknowns u in units of their usual spread, what cannot be explained is

    residue = ln((|r|² + |u|²) / |d|²)

A wrong structure mostly can be bent until it fits, but only with lines that are wrong by more than samples are.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from search.answer import Answer, Hit
from search.ranking import STRAIN_MARGIN
from search.ranking.prepared import prepared
from search.verdict.residual import Residual
from xtal.crystals import Crystal
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.physics import Shell
from xtal.physics.posterior import PASSES, descend
from xtal.physics.powder import expected_reflections
from xtal.physics.reflection_profile import Model, State, View
from xtal.physics.target import Target

MOST_WAVES = 3e6  # reflections times atoms, some hundredths of a second: beyond, the scan is looked at from its start
SHOWS = 1.0  # weighted square of what a usual error of a line changes: below, noise hides it
LEAST = 1e-9  # logarithms stay finite


@dataclass(frozen=True)
class Scrutiny:
    """What a structure needs to fit; amplitudes are root mean squares in units of what is usual in a sample.

    Attributes:
        residue: see the module's text; 0 when nothing is explained.
        line_errors: of the lines that show.
        texture: of the six components of a tensor.
        strain: of the six components.
        residual: what of the misfit is put down to what.
    """

    residue: float
    line_errors: float
    texture: float
    strain: float
    residual: Residual

    @property
    def accounted(self) -> float:
        """Share of the weighted squares that is accounted for when all that samples do is allowed for, 0 to 1."""
        return max(0.0, 1 - float(np.exp(self.residue)))

    @classmethod
    def of(cls, answer: Answer, hit: Hit, index: Index) -> Self:
        """Fit one fitted hit of an index once more."""
        target = prepared(answer.pattern, answer.lines).grown(hit.growth)
        return cls.of_crystal(target, index.crystal(hit.row), np.array(hit.parameters), hit.second)

    @classmethod
    def of_crystal(cls, target: Target, crystal: Crystal, parameters: NDArray[np.float64], second: float) -> Self:
        """Fit a crystal once more, from the `parameters` (9,) of a fit, in a beam with a share `second` of Kα2."""
        target = _shortened(target, crystal)
        end = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
        model = Model(Shell.of(crystal, target.wavelength, end, second))
        scale = max(float(target.net.sum()) * target.step, LEAST)
        state = State.start(model.lines, parameters, scale, target.wavelength)
        for stage in PASSES:
            view = View(target, stage)
            try:
                state = descend(view, model, state, stage.steps, stage is PASSES[-1])
            except np.linalg.LinAlgError:  # it ran away: what it had before has to do
                state = _weighed(view, model, state)
                break
        return cls.read(view, model, state)

    @classmethod
    def read(cls, view: View, model: Model, state: State) -> Self:
        """Sum up where a fit stands, as `descend` left it in this view."""
        errors, nine, texture = state.split(model.lines)
        shows = np.diag(state.normal)[: model.lines] - 1 > SHOWS  # without the prior's share, 1
        return cls(
            residue=float(np.log(max(2 * state.cost, LEAST) / max(view.data @ view.data, LEAST))),
            line_errors=_rms(errors[shows]),
            texture=_rms(texture),
            strain=_rms(nine[:6]),
            residual=Residual.of(view, model, state, shows),
        )


def _weighed(view: View, model: Model, state: State) -> State:
    """Return a state of another view with its cost and second derivatives in this one."""
    residual, normal, _ = model.equations(view, state)
    cost = 0.5 * float(residual @ residual + state.unknowns @ state.unknowns)
    return replace(state, cost=cost, normal=normal + np.eye(len(normal)))


def _rms(values: NDArray[np.float64]) -> float:
    """Return the root mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(values**2))) if len(values) else 0.0


def _shortened(target: Target, crystal: Crystal) -> Target:
    """Return the first part of a target, where a crystal has no more than `MOST_WAVES`."""
    end = float(q_from_two_theta(target.two_theta[-1], target.wavelength))
    waves = expected_reflections(crystal, end * STRAIN_MARGIN) * len(crystal.numbers)
    if waves <= MOST_WAVES:
        return target
    last = two_theta_from_q(end * (MOST_WAVES / waves) ** (1 / 3), target.wavelength)  # reflections grow as q³
    return target.shortened(max(2, int(np.searchsorted(target.two_theta, last))))
