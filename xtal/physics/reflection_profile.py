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

from xtal.physics.fit import FLOOR, PARAMETERS, background_basis, prior_precision
from xtal.physics.profile import line_shape
from xtal.physics.shell import Shell
from xtal.physics.target import Target
from xtal.physics.texture import SPREAD as TEXTURE_SPREAD
from xtal.physics.texture import TENSOR_SPREAD, march_dollase

LINE_ERROR, GUEST_ERROR, GUEST_REACH = 0.15, 0.375, 0.15  # of ln intensity; the same at g = 0, its decay in Å⁻¹
MOVES = 7  # of the nine parameters: what moves lines, six strains and the zero shift
SINGLE = 1e6  # square of a weighted curve up to which single precision will do: it rounds by 6e-8, and a prior adds 1
BESIDE = np.array([[-1], [0], [1]])  # points that a reflection is spread over
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
        beyond = lines + PARAMETERS
        return self.unknowns[:lines], self.unknowns[lines:beyond], self.unknowns[beyond:]


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
        self.weight = (root * self.density).astype(np.float32)
        self.basis = background_basis(seen, root)
        self.basis_single = self.basis.astype(np.float32)
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

    def derivatives(self, view: View, state: State) -> NDArray[np.float32]:
        """Return (P, M) derivatives of the weighted profile by unknowns and, last, by ln scale: the profile itself.

        They hold what the background may take up, see `equations`.
        """
        shell, lines = self.shell, self.lines
        errors, own, texture = state.split(lines)
        units = spread(view.target.wavelength)
        nine = units @ own
        place, slope, by_zero = self._positions(view, nine)
        ln_weight, by_texture = self._texture(state.axis, texture)
        area = self._areas(state, errors, ln_weight)
        moved = np.concatenate([slope, by_zero[:, None]], axis=1) @ units[:MOVES, :MOVES]
        on_grid, grid = Spread.of(place, area, view.size), np.zeros((len(state.unknowns) + 1, view.length), np.float32)
        grid[:lines] = on_grid.rows(shell.line, self.spread, view.length)
        channels = on_grid.times(np.concatenate([moved, by_texture, np.ones((len(area), 1))], axis=1), view.length)
        grid[lines : lines + MOVES], grid[lines + PARAMETERS :] = channels[:MOVES], channels[MOVES:]
        return _broadened(view, grid, lines, nine, units) * view.weight

    def misfit(self, view: View, state: State) -> float:
        """Return -ln of the density of data and unknowns, see `State.cost`: at a fraction of what `equations` takes."""
        errors, own, texture = state.split(self.lines)
        nine = spread(view.target.wavelength) @ own
        place = self._positions(view, nine)[0]
        area = self._areas(state, errors, self._texture(state.axis, texture)[0])
        grid = Spread.of(place, area, view.size).all(view.length).astype(np.float32)
        shape = line_shape(view.omega, nine[None], view.sharp, view.blur)[0][0] / np.float32(view.target.step)
        profile = irfft(rfft(grid) * shape, view.length)[: view.size] * view.weight
        residual = view.data - view.project(profile)
        return 0.5 * (float(residual @ residual) + float(state.unknowns @ state.unknowns))

    def equations(
        self, view: View, state: State
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the residual r (M,), ``J Jᵀ`` (P, P) and ``J r`` (P,) of the derivatives J without background.

        With curves C and the background's orthonormal basis Q the first product is ``C Cᵀ - (C Q)(C Q)ᵀ``: so few
        numbers need not be projected. All but the few unknowns that lines share may be multiplied in single precision:
        the prior of a line's error bears its rounding, unless curves are large.
        """
        curves: NDArray[np.floating] = self.derivatives(view, state)
        basis: NDArray[np.floating] = view.basis_single
        square = curves @ curves.T
        if square.diagonal().max() > SINGLE:
            curves, basis = curves.astype(np.float64), view.basis
            square = curves @ curves.T
        few = curves[self.lines :].astype(np.float64)
        share, normal = (curves @ basis).astype(np.float64), square.astype(np.float64)
        share[self.lines :], normal[self.lines :, self.lines :] = few @ view.basis, few @ few.T
        residual = view.data - (few[-1] - view.basis @ share[-1])
        downhill = (curves @ residual.astype(curves.dtype)).astype(np.float64)
        downhill[self.lines :] = few @ residual
        return residual, normal - share @ share.T, downhill

    def _areas(self, state: State, errors: NDArray, ln_weight: NDArray) -> NDArray[np.float64]:
        """(R,) areas of the reflections as a state has them."""
        logs = state.ln_scale + np.clip(ln_weight + (self.spread * errors)[self.shell.line], -20, 20)
        return self.shell.area * np.exp(logs)

    def _positions(self, view: View, nine: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        """(R,) places in steps, and derivatives of stretched degrees by the strains (R, 6) and the zero shift (R,)."""
        seen = view.target
        q = self.shell.q * (1 - self.shell.direction @ nine[:6])
        theta = np.arcsin(np.minimum(np.maximum(q * (seen.wavelength / (4 * np.pi)), 0), 0.9999))
        angles = np.degrees(2 * theta) + nine[6]
        density = seen.density(angles)
        return seen.place(angles), -self.shell.direction * (np.degrees(2 * np.tan(theta)) * density)[:, None], density

    def _texture(self, axis: int | None, texture: NDArray) -> tuple[NDArray, NDArray]:
        """(R,) ln W and its derivatives (R, T)."""
        if axis is None:
            return self.by_tensor @ texture, self.by_tensor
        ln_weight, slope = march_dollase(self.shell.cosine[:, axis], float(np.exp(TEXTURE_SPREAD * texture[0])))
        return ln_weight, TEXTURE_SPREAD * slope[:, None]


@dataclass(frozen=True, eq=False)
class Spread:
    """Reflections spread over a grid, each over the three nearest points: centre and variance stay what they are.

    Attributes:
        inside: (R,) mask of those that are on the grid.
        at: (3, I) points of those inside.
        share: (3, I) area at each.
    """

    inside: NDArray[np.bool_]
    at: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, place: NDArray, area: NDArray, size: int) -> Self:
        """Spread areas (R,) at `place` (R,), in steps, over a grid of so many points."""
        near = np.rint(place).astype(np.int64)
        inside = (near >= 1) & (near < size - 1)
        near, off, area = near[inside], (place - near)[inside], area[inside]
        shares = np.empty((3, len(off)))
        square = off**2
        shares[0], shares[1], shares[2] = (square - off) / 2, 1 - square, (square + off) / 2
        shares *= area
        return cls(inside, near + BESIDE, shares)

    def all(self, length: int) -> NDArray:
        """(length,) all of them."""
        return np.bincount(self.at.ravel(), self.share.ravel(), length)

    def rows(self, line: NDArray, units: NDArray, length: int) -> NDArray:
        """(L, length) those of each `line` (R,), in the units (L,) of its error."""
        line = line[self.inside]
        weighted = self.share * units[line]
        return np.bincount((self.at + line * length).ravel(), weighted.ravel(), len(units) * length).reshape(-1, length)

    def times(self, channels: NDArray, length: int) -> NDArray:
        """(C, length) all of them times each of `channels` (R, C)."""
        factors = channels[self.inside].T
        places = self.at.ravel() + np.arange(len(factors))[:, None] * length
        values = self.share * factors[:, None]
        return np.bincount(places.ravel(), values.ravel(), len(factors) * length).reshape(-1, length)


def _broadened(view: View, grid: NDArray, lines: int, nine: NDArray, units: NDArray) -> NDArray[np.float32]:
    """(P, M) curves: lines, strains, zero shift, width and share, texture, and the whole profile, last in the grid."""
    step, width = np.float32(view.target.step), lines + MOVES
    shapes = line_shape(view.omega, nine[None], view.sharp, view.blur)
    shape, by_width, by_share = (part[0] / step for part in shapes)
    spectrum = rfft(grid, axis=1)
    total = spectrum[-1].copy()
    parts = spectrum.view(np.float32)  # real and imaginary, one after the other: quicker than complex times real
    parts *= np.repeat(shape, 2)
    spectrum[lines:width] *= np.complex64(-1j) * view.omega
    spectrum[width], spectrum[width + 1] = total * (units[7, 7] * by_width), total * (units[8, 8] * by_share)
    return irfft(spectrum, view.length, axis=1)[:, : view.size]
