"""Which of a few crystals that fit nearly alike is likeliest: every error of the intensities has its price.

    net(x) ≈ scale · Σ_r A_r W_r exp(s_l u_l) φ(x - x_r; w, η) + background correction

over the reflections r of the lines l. Strain and texture act on each reflection, so that a line of high symmetry splits
and changes in parts. Each line has an error of its own, u_l, of spread s_l. The texture W is that of a tensor,
``exp(n · T n)`` for a reflection along n, which any texture is when it is weak, or a March-Dollase function about one
of the axes of the crystal; either is as likely. All unknowns but the scale have normal priors and move by Gauss-Newton
steps; Laplace's method integrates over them:

    -ln p = ½ |residual|² + ½ |unknowns in units of their spread|² + ½ ln det(J Jᵀ + 1) + const

with J the derivatives of the weighted profile by these unknowns. `xtal.fit` takes the errors of lines for noise of
neighbouring points instead: fast enough for many candidates, but blind to what few parameters can explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg.lapack import dpotrs

from xtal.fit import PARAMETERS, STEP_LIMIT, Fit, hats, line_shape, prior_precision
from xtal.lattices import strain_onto
from xtal.shell import VOIGT, Shell
from xtal.target import Target
from xtal.texture import SPREAD as TEXTURE_SPREAD
from xtal.texture import TENSOR_SPREAD, march_dollase, nearest_axis

LINE_ERROR, GUEST_ERROR, GUEST_REACH = 0.15, 0.375, 0.15  # of ln intensity; the same at g = 0, its decay in Å⁻¹
SPREAD = np.linalg.cholesky(np.linalg.inv(prior_precision()))  # from units of the prior to the parameters of a fit
SAME_CELL = 0.04  # cells that differ by less than this in every direction may be those of one framework
STUCK = 3.0  # worse than the best by this (in ln p), a candidate tries the best one's cell and texture
HOPELESS = 100.0  # worse by this, it is left as it is
SETTLED = 0.1  # a step that lowers the cost by less is not made
FREE = 1e-9  # prior precision of ln scale
NUDGE = 1e-6 * np.array([3, -1, -2, 1, 2, -3, 0, 0, 0])  # off the saddle that a symmetric cell without strain may be


@dataclass(frozen=True)
class Pass:
    """Fit with `blur` Å⁻¹ of extra line width and errors of `profile` times the intensity, by `steps` steps."""

    blur: float
    profile: float
    steps: int


PASSES = (Pass(0.025, 0.1, 3), Pass(0.010, 0.1, 3), Pass(0.0, 0.05, 6))
LAST_STEPS = 4


@dataclass(frozen=True, eq=False)
class State:
    """Where the fit of one candidate stands.

    Attributes:
        unknowns: (L + 9 + T,) in units of their prior's spread: errors of L lines, nine of `Fit`, texture: the six of a
            tensor (xx, yy, zz, yz, xz, xy), or one, ln r, about an axis.
        ln_scale: of the area of all lines.
        axis: of the texture; None for a tensor.
        cost: -ln of the density of data and unknowns, without what is the same for all candidates.
        normal: (P, P) its second derivatives by unknowns and ln scale.
        ln_root: ½ ln det of `normal`.
    """

    unknowns: NDArray[np.float64]
    ln_scale: float
    axis: int | None = None
    cost: float = np.inf
    normal: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    ln_root: float = np.inf

    @classmethod
    def start(cls, lines: int, parameters: NDArray[np.float64], scale: float) -> Self:
        """Start from the nine parameters and the scale of a fit."""
        own = np.linalg.solve(SPREAD, parameters) + NUDGE
        return cls(np.concatenate([np.zeros(lines), own, np.zeros(6)]), float(np.log(scale)))

    def split(self, lines: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the errors of the lines (L,), the nine and the texture."""
        errors, nine, texture = np.split(self.unknowns, [lines, lines + PARAMETERS])
        return errors, nine, texture


class View:
    """A target as one pass sees it, in units of the standard deviation, without what the background may take up."""

    def __init__(self, target: Target, stage: Pass) -> None:
        """Blur and weigh `target`."""
        self.sharp, self.blur = target.fwhm, float(np.degrees(stage.blur * target.wavelength / (2 * np.pi)))
        self.target = seen = target.blurred(self.blur)
        level = np.clip(seen.net, 0, None)
        root = 1 / np.sqrt(seen.variance + (stage.profile * level) ** 2 + 1e-12 * (level.max() ** 2 + 1e-12))
        self.root = root
        self.basis = np.linalg.qr(hats(seen.two_theta) * root[:, None])[0]
        # with the background, for it was estimated from this very pattern and holds feet of lines
        self.data = self.project((seen.net + seen.under) * self.root)
        self.size = len(seen.net)
        self.length = next_fast_len(self.size + int(4 * seen.fwhm / seen.step) + 8, real=True)
        self.omega = (2 * np.pi * np.fft.rfftfreq(self.length, seen.step)).astype(np.float32)

    def project(self, weighted: NDArray) -> NDArray:
        """Remove the background's share of (..., M) curves."""
        return weighted - (weighted @ self.basis) @ self.basis.T


class Model:
    """The calculated profile of one crystal."""

    def __init__(self, shell: Shell) -> None:
        """Give each line the spread of its error."""
        self.shell = shell
        g = shell.line_q / (2 * np.pi)
        self.spread = np.sqrt(LINE_ERROR**2 + GUEST_ERROR**2 * np.exp(-2 * g / GUEST_REACH))
        self.by_tensor = shell.direction * TENSOR_SPREAD  # (R, 6) derivatives of ln W
        self.lines = len(g)

    def derivatives(self, view: View, state: State) -> NDArray[np.float64]:
        """Return (P, M) derivatives of the weighted profile by unknowns and, last, by ln scale: the profile itself.

        They hold what the background may take up, see `equations`.
        """
        shell, lines = self.shell, self.lines
        errors, own, texture = state.split(lines)
        nine = SPREAD @ own
        place, slope = self._positions(view, nine)
        ln_weight, by_texture = self._texture(state.axis, texture)
        logs = state.ln_scale + np.clip(ln_weight + (self.spread * errors)[shell.line], -20, 20)
        none = np.zeros((2, len(place)))
        channels = np.concatenate([slope.T, np.ones((1, len(place))), none, by_texture.T])
        grid = _deposit(view, place, shell.area * np.exp(logs), shell.line, lines, channels)
        curves = _broadened(view, grid, lines, nine)
        curves = curves * view.root
        curves[:lines] *= self.spread[:, None]
        curves[lines : lines + PARAMETERS] = SPREAD.T @ curves[lines : lines + PARAMETERS]
        return curves

    def equations(
        self, view: View, state: State
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the residual r (M,), ``J Jᵀ`` (P, P) and ``J r`` (P,) of the derivatives J without background.

        With curves C and the background's orthonormal basis Q the first product is ``C Cᵀ - (C Q)(C Q)ᵀ``: so few
        numbers need not be projected. It stays positive only in double precision.
        """
        curves = self.derivatives(view, state)
        share = curves @ view.basis  # (P, K)
        residual = view.data - (curves[-1] - view.basis @ share[-1])
        return residual, curves @ curves.T - share @ share.T, curves @ residual

    def _positions(self, view: View, nine: NDArray) -> tuple[NDArray, NDArray]:
        """(R,) places in steps of the grid, and (R, 6) derivatives of 2θ in degrees by the strains."""
        seen = view.target
        q = self.shell.q * (1 - self.shell.direction @ nine[:6])
        theta = np.arcsin(np.clip(q * seen.wavelength / (4 * np.pi), 0, 0.9999))
        place = (np.degrees(2 * theta) + nine[6] - seen.two_theta[0]) / seen.step
        return place, -self.shell.direction * np.degrees(2 * np.tan(theta))[:, None]

    def _texture(self, axis: int | None, texture: NDArray) -> tuple[NDArray, NDArray]:
        """(R,) ln W and its derivatives (R, T)."""
        if axis is None:
            return self.by_tensor @ texture, self.by_tensor
        ln_weight, slope = march_dollase(self.shell.cosine[:, axis], float(np.exp(TEXTURE_SPREAD * texture[0])))
        return ln_weight, TEXTURE_SPREAD * slope[:, None]


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
    states = [State.start(model.lines, nine, scale) for model, nine, scale in begun]
    for stage in PASSES:
        view = View(target, stage)
        states = [descend(view, m, state, stage.steps) for m, state in zip(models, states, strict=True)]
        states = _follow_the_best(view, models, states, stage.steps + 1)
    best = min(state.cost for state in states)
    return np.array([_either_texture(view, *each, best) for each in zip(models, states, strict=True)])


def _either_texture(view: View, model: Model, state: State, best: float) -> float:
    """Log posterior when a texture is as likely a tensor's as one about an axis.

    Only a few axes are tried, and a texture about another one is better a tensor's, even where it is strong.
    """
    score = -state.cost - state.ln_root
    if state.cost > best + HOPELESS:
        return score
    about = descend(view, model, _about_an_axis(model.shell, state), LAST_STEPS)
    return float(np.logaddexp(score, -about.cost - about.ln_root))


def descend(view: View, model: Model, state: State, steps: int) -> State:
    """Make at most `steps` Gauss-Newton steps, while they promise anything; return the best state on the way."""
    best = replace(state, cost=np.inf)  # of another pass
    for _ in range(steps + 1):
        residual, normal, downhill = model.equations(view, state)
        unknowns = np.append(state.unknowns, 0.0)
        normal.flat[:: len(normal) + 1] += np.append(np.ones(len(unknowns) - 1), FREE)
        root = np.linalg.cholesky(normal)
        cost = 0.5 * (float(residual @ residual) + float(unknowns @ unknowns))
        if cost < best.cost:
            best = replace(state, cost=cost, normal=normal, ln_root=float(np.log(np.diag(root)).sum()))
        downhill -= unknowns
        move = dpotrs(root.T, downhill)[0]  # cho_solve does the same and looks at its arguments for longer
        if downhill @ move < 2 * SETTLED:
            break
        state = _moved(model, state, move)
    return best


def _moved(model: Model, state: State, move: NDArray) -> State:
    """Move a state, no farther than the model is linear."""
    errors, nine, _ = replace(state, unknowns=move[:-1]).split(model.lines)
    reach = max(1.0, np.abs(SPREAD @ nine / STEP_LIMIT).max(), np.abs(model.spread * errors).max(initial=0))
    ln_scale = state.ln_scale + float(np.clip(move[-1] / reach, -1, 1))
    return replace(state, unknowns=state.unknowns + move[:-1] / reach, ln_scale=ln_scale)


def _follow_the_best(view: View, models: list[Model], states: list[State], steps: int) -> list[State]:
    """Let stuck candidates start again from the best one's cell and texture; they keep what is better.

    Candidates that tie are mostly one framework with different metals: what is true of one is nearly so of the next.
    """
    first = int(np.argmin([state.cost for state in states]))
    best, shell = states[first], models[first].shell
    _, own, texture = best.split(models[first].lines)
    tried = []
    for model, state in zip(models, states, strict=True):
        if state.cost > best.cost + STUCK:
            errors = best.unknowns[: model.lines] if model.lines == models[first].lines else np.zeros(model.lines)
            nine, turned = _same_cell(SPREAD @ own, texture, shell.lattice, model.shell.lattice)
            unknowns = np.concatenate([errors, np.linalg.solve(SPREAD, nine), turned])
            again = replace(state, unknowns=unknowns, ln_scale=best.ln_scale)
            tried.append(min(state, descend(view, model, again, steps), key=lambda s: s.cost))
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


def _deposit(
    view: View, place: NDArray, area: NDArray, line: NDArray, lines: int, channels: NDArray
) -> NDArray[np.float32]:
    """(L + C + 1, length) of areas (R,) laid at `place`, each line in a row, then all of them times `channels` (C, R).

    The last row is empty. An area is shared by the three nearest points such that their centre and variance are those
    of one at `place`.
    """
    near = np.rint(place).astype(np.int64)
    inside = (near >= 1) & (near < view.size - 1)
    near, off, area, line = near[inside], (place - near)[inside], area[inside], line[inside]
    shares = area * np.stack([off * (off - 1) / 2, 1 - off**2, off * (off + 1) / 2])
    at = near + np.array([[-1], [0], [1]])
    rows = lines + len(channels) + 1
    row = np.concatenate([line[None], np.repeat(np.arange(lines, rows - 1)[:, None], len(line), axis=1)])
    weights = np.concatenate([np.ones((1, len(line))), channels[:, inside]])
    places, values = at[:, None] + row * view.length, shares[:, None] * weights  # (3, 1 + C, R)
    total = np.bincount(places.ravel(), values.ravel(), rows * view.length)
    return total.reshape(rows, view.length).astype(np.float32)


def _broadened(view: View, grid: NDArray, lines: int, nine: NDArray) -> NDArray[np.float32]:
    """(P, M) curves: lines, strains, zero shift, width and share, texture, and the whole profile."""
    step = np.float32(view.target.step)
    shapes = line_shape(view.omega, nine[None], view.sharp, view.blur)
    shape, by_width, by_share = (part[0] / step for part in shapes)
    spectrum = rfft(grid, axis=1)
    total = spectrum[:lines].sum(axis=0)
    spectrum *= shape
    spectrum[lines : lines + 7] *= np.complex64(-1j) * view.omega
    spectrum[[lines + 7, lines + 8, -1]] = total * by_width, total * by_share, total * shape
    return irfft(spectrum, view.length, axis=1)[:, : view.size]
