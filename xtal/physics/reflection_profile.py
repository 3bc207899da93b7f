"""The profile of one crystal, reflection by reflection, and its derivatives by everything that may be in error.

    net(x) ≈ scale · Σ_r A_r W_r exp(s_l u_l) φ(x - x_r; w, η) + background correction

over the reflections r of the lines l. Strain and texture act on each reflection, so that a line of high symmetry splits
and changes in parts. Each line has an error of its own, u_l, of spread s_l. The texture W is that of a tensor,
``exp(n · T n)`` for a reflection along n, which any texture is when it is weak, or a March-Dollase function about one
of the axes of the crystal.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from xtal.physics.fit import FLOOR, PARAMETERS, background_basis, line_shape, prior_precision
from xtal.physics.shell import Shell
from xtal.physics.target import Target
from xtal.physics.texture import SPREAD as TEXTURE_SPREAD
from xtal.physics.texture import TENSOR_SPREAD, march_dollase

LINE_ERROR, GUEST_ERROR, GUEST_REACH = 0.15, 0.375, 0.15  # of ln intensity; the same at g = 0, its decay in Å⁻¹
NUDGE = 1e-6 * np.array([3, -1, -2, 1, 2, -3, 0, 0, 0])  # off the saddle that a symmetric cell without strain may be


@lru_cache(maxsize=64)
def spread(wavelength: float) -> NDArray[np.float64]:
    """(9, 9) that takes units of the prior to the parameters of a fit at `wavelength` (Å)."""
    return np.linalg.cholesky(np.linalg.inv(prior_precision(wavelength)))


@dataclass(frozen=True)
class Pass:
    """Fit with `blur` Å⁻¹ of extra line width and errors of `profile` times the intensity, by `steps` steps."""

    blur: float
    profile: float
    steps: int


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
    def start(cls, lines: int, parameters: NDArray[np.float64], scale: float, wavelength: float) -> Self:
        """Start from the nine parameters and the scale of a fit at `wavelength` (Å)."""
        own = np.linalg.solve(spread(wavelength), parameters) + NUDGE
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
        variance = seen.variance + (stage.profile * level) ** 2 + (FLOOR * level.max()) ** 2 + 1e-24
        root = seen.measured / np.sqrt(variance)
        self.root, self.density = root, seen.density(seen.two_theta)
        self.basis = background_basis(seen, root)
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
        to_nine = spread(view.target.wavelength)
        nine = to_nine @ own
        place, slope, by_zero = self._positions(view, nine)
        ln_weight, by_texture = self._texture(state.axis, texture)
        logs = state.ln_scale + np.clip(ln_weight + (self.spread * errors)[shell.line], -20, 20)
        none = np.zeros((2, len(place)))
        channels = np.concatenate([slope.T, by_zero[None], none, by_texture.T])
        grid = _deposit(view, place, shell.area * np.exp(logs), shell.line, lines, channels)
        curves = _broadened(view, grid, lines, nine)
        curves = curves * (view.root * view.density)
        curves[:lines] *= self.spread[:, None]
        curves[lines : lines + PARAMETERS] = to_nine.T @ curves[lines : lines + PARAMETERS]
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

    def _positions(self, view: View, nine: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """(R,) places in steps, and derivatives of stretched degrees by the strains (R, 6) and the zero shift (R,)."""
        seen = view.target
        q = self.shell.q * (1 - self.shell.direction @ nine[:6])
        theta = np.arcsin(np.clip(q * seen.wavelength / (4 * np.pi), 0, 0.9999))
        angles = np.degrees(2 * theta) + nine[6]
        density = seen.density(angles)
        return seen.place(angles), -self.shell.direction * (np.degrees(2 * np.tan(theta)) * density)[:, None], density

    def _texture(self, axis: int | None, texture: NDArray) -> tuple[NDArray, NDArray]:
        """(R,) ln W and its derivatives (R, T)."""
        if axis is None:
            return self.by_tensor @ texture, self.by_tensor
        ln_weight, slope = march_dollase(self.shell.cosine[:, axis], float(np.exp(TEXTURE_SPREAD * texture[0])))
        return ln_weight, TEXTURE_SPREAD * slope[:, None]


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
