"""Which of a few crystals that fit nearly alike is likeliest: every error of the intensities has its price.

Each is fitted reflection by reflection (`Model`). All unknowns but the scale have normal priors and move by
Gauss-Newton steps; a texture is as likely a tensor's as one about an axis. Laplace's method integrates over them:

    -ln p = ½ |residual|² + ½ |unknowns in units of their spread|² + ½ ln det(J Jᵀ + 1) + const

with J the derivatives of the weighted profile by these unknowns. `fit` takes the errors of lines for noise of
neighbouring points instead: fast enough for many candidates, but blind to what few parameters can explain.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs

from xtal.crystals.lattices import strain_onto
from xtal.physics.fit import PARAMETERS, Fit, step_limit
from xtal.physics.reflection_profile import Model, Pass, State, View, spread
from xtal.physics.shell import VOIGT, Shell
from xtal.physics.target import Target
from xtal.physics.texture import TENSOR_SPREAD, nearest_axis

SAME_CELL = 0.04  # cells that differ by less than this in every direction may be those of one framework
STUCK = 3.0  # worse than the best by this (in ln p), a candidate tries the best one's cell and texture
HOPELESS = 100.0  # worse by this, it is left as it is
SETTLED = 0.1  # a step that lowers the cost by less is not made
FREE = 1e-9  # prior precision of ln scale
PASSES = (Pass(0.025, 0.1, 3), Pass(0.010, 0.1, 3), Pass(0.0, 0.05, 6))
LAST_STEPS = 4


def log_posteriors(target: Target, shells: Sequence[Shell], fit: Fit) -> NDArray[np.float64]:
    """Return (C,) the log posteriors of C crystals, equally likely before, up to a number they share.

    Args:
        target: the measured pattern.
        shells: reflections of each crystal, at the wavelength of the target and a little beyond its range.
        fit: of the crystals to the target; the search starts from its parameters.
    """
    models = [Model(shell) for shell in shells]
    least = 1e-9 * max(float(target.net.max()), 1e-30)
    begun = zip(models, fit.parameters, np.maximum(fit.scale, least), strict=True)
    states = [State.start(model.lines, nine, scale, target.wavelength) for model, nine, scale in begun]
    for stage in PASSES:
        view, last = View(target, stage), stage is PASSES[-1]
        states = [descend(view, m, state, stage.steps, last) for m, state in zip(models, states, strict=True)]
        states = _follow_the_best(view, models, states, stage.steps + 1, last)
    best = min(state.cost for state in states)
    return np.array([_either_texture(view, *each, best) for each in zip(models, states, strict=True)])


def _either_texture(view: View, model: Model, state: State, best: float) -> float:
    """Log posterior when a texture is as likely a tensor's as one about an axis.

    Only a few axes are tried, and a texture about another one is better a tensor's, even where it is strong.
    """
    score = -state.cost - state.ln_root
    if state.cost > best + HOPELESS or not len(model.shell.axes):
        return score
    about = descend(view, model, _about_an_axis(model.shell, state), LAST_STEPS)
    return float(np.logaddexp(score, -about.cost - about.ln_root))


def descend(view: View, model: Model, state: State, steps: int, curved: bool = True) -> State:
    """Make at most `steps` Gauss-Newton steps, while they promise anything; return the best state on the way.

    Without `curved` its second derivatives are not asked for, and may be those of another state.
    """
    best = replace(state, cost=np.inf)  # of another pass
    for step in range(steps + 1):
        if step == steps and not curved:  # no step follows
            cost = model.misfit(view, state)
            return replace(state, cost=cost) if cost < best.cost else best
        residual, normal, downhill = model.equations(view, state)
        unknowns = np.append(state.unknowns, 0.0)
        diagonal = normal.reshape(-1)[:: len(normal) + 1]
        diagonal[:-1] += 1
        diagonal[-1] += FREE
        root, failed = dpotrf(normal.T)  # cho_factor does the same and looks at its arguments for longer
        if failed:
            raise np.linalg.LinAlgError("the second derivatives are not those of a minimum")
        cost = 0.5 * (float(residual @ residual) + float(unknowns @ unknowns))
        if cost < best.cost:
            best = replace(state, cost=cost, normal=normal, ln_root=float(np.log(np.diag(root)).sum()))
        downhill -= unknowns
        move = dpotrs(root, downhill)[0]
        if downhill @ move < 2 * SETTLED:
            break
        state = _moved(view, model, state, move)
    return best


def _moved(view: View, model: Model, state: State, move: NDArray) -> State:
    """Move a state, no farther than the model is linear."""
    errors, nine = move[: model.lines], move[model.lines : model.lines + PARAMETERS]
    wavelength = view.target.wavelength
    far = np.abs(spread(wavelength) @ nine / step_limit(wavelength)).max()
    reach = max(1.0, far, np.abs(model.spread * errors).max(initial=0))
    ln_scale = state.ln_scale + min(1.0, max(-1.0, float(move[-1] / reach)))
    return replace(state, unknowns=state.unknowns + move[:-1] / reach, ln_scale=ln_scale)


def _follow_the_best(view: View, models: list[Model], states: list[State], steps: int, curved: bool) -> list[State]:
    """Let stuck candidates start again from the best one's cell and texture; they keep what is better.

    Candidates that tie are mostly one framework with different metals: what is true of one is nearly so of the next.
    """
    first = int(np.argmin([state.cost for state in states]))
    best, shell = states[first], models[first].shell
    _, own, texture = best.split(models[first].lines)
    units = spread(view.target.wavelength)
    tried = []
    for model, state in zip(models, states, strict=True):
        if state.cost > best.cost + STUCK:
            errors = best.unknowns[: model.lines] if model.lines == models[first].lines else np.zeros(model.lines)
            nine, turned = _same_cell(units @ own, texture, shell.lattice, model.shell.lattice)
            unknowns = np.concatenate([errors, np.linalg.solve(units, nine), turned])
            again = replace(state, unknowns=unknowns, ln_scale=best.ln_scale)
            tried.append(min(state, descend(view, model, again, steps, curved), key=lambda s: s.cost))
        else:
            tried.append(state)
    return tried


def _same_cell(
    nine: NDArray[np.float64], texture: NDArray[np.float64], fitted: NDArray[np.float64], lattice: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return parameters (9,) and texture (6,) that make of `lattice` what `nine` and `texture` make of `fitted`.

    Textures are in units of their spread. Both lattices may be given in any setting and frame; too unlike cells get the
    numbers as they are.
    """
    same = strain_onto(lattice, fitted @ (np.eye(3) + _tensor(nine[:6])), SAME_CELL)
    if same is None:
        return nine, texture
    strain, rotation = same
    turned = rotation @ _tensor(TENSOR_SPREAD * texture) @ rotation.T  # n T n stays the same for n' = n Rᵀ
    return np.concatenate([strain[VOIGT], nine[6:]]), turned[VOIGT] / TENSOR_SPREAD


def _tensor(six: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) symmetric, of xx, yy, zz, yz, xz, xy."""
    tensor = np.empty((3, 3))
    tensor[VOIGT] = tensor[VOIGT[::-1]] = six
    return tensor


def _about_an_axis(shell: Shell, state: State) -> State:
    """Replace the tensor of a texture by the likeliest axis."""
    texture = state.unknowns[-6:]
    precision = np.linalg.inv(np.linalg.inv(state.normal)[-7:-1, -7:-1])  # the other unknowns integrated out
    axis, ln_ratio = nearest_axis(shell.axes, texture, precision)
    return replace(state, unknowns=np.append(state.unknowns[:-6], ln_ratio), axis=axis)
