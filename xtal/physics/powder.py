"""Kinematic powder diffraction of a crystal: reflections, lines and the Lorentz-polarisation factor.

    F(hkl)  = Σ_e a_e(q) T_e(hkl) + i Σ_e f''_e T_e(hkl),   a_e = f0_e(q) + f'_e,   T_e = Σ_j occ_j exp(2πi hkl·x_j)
    I(hkl)  = (|F(hkl)|² + |F(-hkl)|²) / 2 · exp(-U q²) = (|Σ a_e T_e|² + |Σ f''_e T_e|²) · exp(-U q²)

The mean over a Friedel pair has no cross term, so half of reciprocal space is enough. f0 are the International
Tables (1992) four-Gaussian fits, f' and f'' Cromer and Liberman (1981), both as gemmi tabulates them.

T_e factorises, exp(2πi hx) exp(2πi ky) exp(2πi lz), so that one matrix product per element yields all l of all (h, k).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals import HIGHEST_NUMBER, Crystal
from xtal.errors import UserError
from xtal.patterns import Lines

CU_K_ALPHA1 = 1.540593  # Å, Hölzer et al. (1997)
U_ISO = (
    0.01  # Å²: what GSAS-II assumes for an atom without a displacement parameter; typical of a MOF at room temperature
)
Q_MIN = 0.2  # Å⁻¹: 2.8° with Cu Kα, where laboratory optics begin to see the direct beam
MERGE = 2e-4  # Å⁻¹: lines nearer than this are one line; 1/20 of the sharpest laboratory line (0.08° Cu Kα)
MAX_REFLECTIONS = 2_000_000  # a hostile cell (1 km³) must not take the memory
DATABASE_REFLECTIONS = 2_000  # what a database entry needs to be told from its neighbours, see `crystal_lines`
DATABASE_LINES = 1_024
CHUNK = 1 << 22  # complex numbers in the largest temporary array: 32 MB


@dataclass(frozen=True, eq=False)
class Reflections:
    """Single reflections of one half of reciprocal space, before equal |g| are merged into lines.

    Attributes:
        g: (R, 3) Å⁻¹, Cartesian reciprocal vectors, ``g = hkl @ inv(lattice).T``, |g| = 1/d.
        intensity: (R,) squared structure factor with displacement factor, electrons².
        q_range: Å⁻¹, the shell computed.
    """

    g: NDArray[np.float64]
    intensity: NDArray[np.float64]
    q_range: tuple[float, float]

    def lines(self, merge: float = MERGE) -> Lines:
        """Merge reflections of equal |g| (within `merge` Å⁻¹ of q) into powder lines."""
        return merge_lines(self.g, self.intensity, self.q_range, merge)


def expected_reflections(crystal: Crystal, q_max: float) -> float:
    """Return about how many reflections a crystal has up to `q_max` (Å⁻¹), Friedel's pairs counted once."""
    return 2 * np.pi / 3 * (q_max / (2 * np.pi)) ** 3 * crystal.volume


def reflections(
    crystal: Crystal,
    q_max: float,
    q_min: float = Q_MIN,
    wavelength: float = CU_K_ALPHA1,
    u_iso: float = U_ISO,
    anomalous: bool = True,
) -> Reflections:
    """Compute every reflection with ``q_min <= q <= q_max`` (Å⁻¹).

    `wavelength` (Å) enters through f' and f'' only; `anomalous=False` leaves them out. Raises UserError on a cell so
    large that more than `MAX_REFLECTIONS` would be needed.
    """
    g_max = q_max / (2 * np.pi)
    if expected_reflections(crystal, q_max) > MAX_REFLECTIONS:
        raise UserError(f"a cell of {crystal.volume:.3g} Å³ has too many reflections up to q = {q_max:g} Å⁻¹")
    order = np.argsort(np.linalg.norm(crystal.lattice, axis=1))  # the longest axis becomes l: fewest (h, k) pairs
    lattice, frac = crystal.lattice[order], crystal.frac_coords[:, order]
    reciprocal = np.linalg.inv(lattice).T  # g = hkl @ reciprocal
    pairs, l_max = _hk_pairs(lattice, reciprocal, g_max)
    elements, starts = np.unique(np.sort(crystal.numbers), return_index=True)
    by_element = np.argsort(crystal.numbers, kind="stable")
    bounds = np.append(starts, len(crystal))
    phases = _axis_phases(frac[by_element], pairs, l_max)
    weights = crystal.occupancies[by_element].astype(np.float32)
    ls = np.arange(-l_max, l_max + 1)
    g_parts, intensities = [], []
    step = max(1, CHUNK // (len(crystal) + len(ls) * len(elements)))
    for first in range(0, len(pairs), step):
        part = pairs[first : first + step]
        g = (part @ reciprocal[:2])[:, None] + (ls[:, None] * reciprocal[2])
        square = np.einsum("plx,plx->pl", g, g)
        keep = (square <= g_max**2) & (square >= (q_min / (2 * np.pi)) ** 2) & _upper_half(part, ls)
        q = 2 * np.pi * np.sqrt(square[keep])
        sums = _element_sums(phases, part, weights, bounds, keep)  # (E, R)
        g_parts.append(g[keep])
        intensities.append(_intensity(elements, sums, q, wavelength, u_iso, anomalous))
    return Reflections(np.concatenate(g_parts), np.concatenate(intensities), (q_min, q_max))


def powder_lines(
    crystal: Crystal,
    q_max: float,
    q_min: float = Q_MIN,
    wavelength: float = CU_K_ALPHA1,
    u_iso: float = U_ISO,
    anomalous: bool = True,
) -> Lines:
    """Compute the powder lines of a crystal between `q_min` and `q_max` (Å⁻¹), merged where they coincide."""
    return reflections(crystal, q_max, q_min, wavelength, u_iso, anomalous).lines()


def crystal_lines(crystal: Crystal) -> Lines:
    """Compute the lines that a database keeps of a crystal: the `DATABASE_LINES` strongest.

    They reach as far as `DATABASE_REFLECTIONS` reflections of half space do, ``(2π/3) g³ V``, but at least 2.3 Å⁻¹
    (33° with Cu Kα, for the largest cells) and at most 6 Å⁻¹ (95°, for simple minerals).
    """
    g_max = (DATABASE_REFLECTIONS / (2 * np.pi / 3 * crystal.volume)) ** (1 / 3)
    return powder_lines(crystal, float(np.clip(2 * np.pi * g_max, 2.3, 6.0))).strongest(DATABASE_LINES)


def merge_lines(
    g: NDArray[np.float64], squared_f: NDArray[np.float64], q_range: tuple[float, float], merge: float = MERGE
) -> Lines:
    """Turn reflections at `g` (R, 3) with |F|² (R,) into lines: those within `merge` Å⁻¹ of q are one.

    A line sits at the intensity-weighted mean of its reflections; lines below 1e-9 of the strongest are absent.
    """
    q = 2 * np.pi * np.linalg.norm(g, axis=1)
    order = np.argsort(q, kind="stable")
    g, q = g[order], q[order]
    weight = squared_f[order] / q**2
    if not len(q) or weight.max() <= 0:
        return Lines(np.empty(0), np.empty(0), None, q_range, np.empty((0, 6)))
    first = _split_long_runs(q, np.flatnonzero(np.diff(q, prepend=-np.inf) > merge / 4), merge)
    total = np.add.reduceat(weight, first)
    share = weight / np.repeat(np.where(total > 0, total, 1), np.diff(first, append=len(q)))
    keep = total > 1e-9 * total.max()
    centre = np.add.reduceat(share * q, first)[keep]
    direction = np.add.reduceat(share[:, None] * _strain_direction(g), first)[keep]
    return Lines(centre, total[keep], None, q_range, direction)


def _strain_direction(g: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, 6) xx, yy, zz, 2yz, 2xz, 2xy of the unit vectors along `g`: the change of ln q per strain, sign reversed."""
    x, y, z = (g / np.linalg.norm(g, axis=1, keepdims=True)).T
    return np.stack([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y], axis=1)


def _split_long_runs(q: NDArray, first: NDArray, merge: float) -> NDArray:
    """Cut runs of close reflections that stretch over more than `merge` at multiples of it."""
    run = np.zeros(len(q), dtype=np.int64)
    run[first] = 1
    run = np.cumsum(run) - 1
    cell = np.floor((q - q[first][run]) / merge).astype(np.int64)
    return np.flatnonzero(np.diff(run, prepend=-1) + np.abs(np.diff(cell, prepend=0)))


def _hk_pairs(lattice: NDArray, reciprocal: NDArray, g_max: float) -> tuple[NDArray, int]:
    """Return (P, 2) pairs h >= 0, k whose row of l enters the sphere, and the largest |l|; ``|h| <= g_max |a|``."""
    h_max, k_max, l_max = np.floor(g_max * np.linalg.norm(lattice, axis=1) + 1e-9).astype(int)
    h, k = np.meshgrid(np.arange(h_max + 1), np.arange(-k_max, k_max + 1), indexing="ij")
    pairs = np.stack([h.ravel(), k.ravel()], axis=1)
    g = pairs @ reciprocal[:2]
    along = reciprocal[2] / np.linalg.norm(reciprocal[2])
    distance = np.einsum("px,px->p", g, g) - (g @ along) ** 2  # squared distance of the row from the origin
    upper = (pairs[:, 0] > 0) | (pairs[:, 1] >= 0)
    return pairs[(distance <= g_max**2 * (1 + 1e-9)) & upper], int(l_max)


def _upper_half(pairs: NDArray, ls: NDArray) -> NDArray[np.bool_]:
    """(P, L) mask of one half of reciprocal space without the origin: h > 0, or h = 0 and k > 0, or 0 0 l > 0."""
    row = (pairs[:, 0] > 0) | (pairs[:, 1] > 0)
    return row[:, None] | (ls > 0)


def _axis_phases(frac: NDArray, pairs: NDArray, l_max: int) -> tuple[NDArray, NDArray, NDArray]:
    """Tables exp(2πi n x) along the three axes: (H, N) for h >= 0, (2K+1, N) for -K..K, (N, 2L+1) for -L..L."""
    h_max = int(pairs[:, 0].max(initial=0))
    k_max = int(np.abs(pairs[:, 1]).max(initial=0))
    return (
        _powers(frac[:, 0], 0, h_max),
        _powers(frac[:, 1], -k_max, k_max),
        np.ascontiguousarray(_powers(frac[:, 2], -l_max, l_max).T),
    )


def _powers(x: NDArray, low: int, high: int) -> NDArray[np.complex64]:
    """(high - low + 1, N) of exp(2πi n x): angles reduced in double precision, stored in single."""
    turns = np.arange(low, high + 1)[:, None] * x
    angle = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
    table = np.empty(angle.shape, dtype=np.complex64)
    np.cos(angle, out=table.real)
    np.sin(angle, out=table.imag)
    return table


def _element_sums(
    phases: tuple[NDArray, NDArray, NDArray], pairs: NDArray, weights: NDArray, bounds: NDArray, keep: NDArray
) -> NDArray[np.complex64]:
    """(E, R) geometric sums T_e at the kept (h, k, l)."""
    along_h, along_k, along_l = phases
    k_max = len(along_k) // 2
    rows = along_h[pairs[:, 0]] * along_k[pairs[:, 1] + k_max]  # (P, N)
    rows *= weights
    return np.stack([(rows[:, a:b] @ along_l[a:b])[keep] for a, b in pairwise(bounds)])


def _intensity(
    elements: NDArray, sums: NDArray, q: NDArray, wavelength: float, u_iso: float, anomalous: bool
) -> NDArray[np.float64]:
    """Friedel-averaged |F|² with displacement factor from the geometric sums, equation at the top of the module."""
    factor = form_factors(elements, q)
    shift = anomalous_terms(wavelength)[elements] if anomalous else np.zeros((len(elements), 2))
    real = np.einsum("er,er->r", factor + shift[:, :1], sums)
    imaginary = np.einsum("e,er->r", shift[:, 1], sums)
    return (np.abs(real) ** 2 + np.abs(imaginary) ** 2) * np.exp(-u_iso * q**2)


@lru_cache(maxsize=1)
def _gaussians() -> tuple[NDArray, NDArray, NDArray]:
    """International Tables (1992) coefficients by atomic number: a (99, 4), b (99, 4), c (99,)."""
    a, b, c = np.zeros((HIGHEST_NUMBER + 1, 4)), np.zeros((HIGHEST_NUMBER + 1, 4)), np.zeros(HIGHEST_NUMBER + 1)
    for number in range(1, HIGHEST_NUMBER + 1):
        coefficients = gemmi.Element(number).it92
        a[number], b[number], c[number] = coefficients.a, coefficients.b, coefficients.c
    return a, b, c


def form_factors(numbers: NDArray[np.integer], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(E, R) atomic form factors ``f0(s) = Σ a exp(-b s²) + c``, s = q / 4π, in electrons."""
    a, b, c = _gaussians()
    # f0 is smooth: tabulated in s² and interpolated, it costs one exponential per table entry and not per reflection
    s2 = (q / (4 * np.pi)) ** 2
    grid = np.linspace(0, s2.max(initial=1e-3), 512)
    table = np.einsum("ek,ekg->eg", a[numbers], np.exp(-b[numbers][:, :, None] * grid)) + c[numbers][:, None]
    position = s2 / grid[1]
    low = np.minimum(position.astype(np.int64), len(grid) - 2)
    part = position - low
    return table[:, low] * (1 - part) + table[:, low + 1] * part


@lru_cache(maxsize=64)
def anomalous_terms(wavelength: float) -> NDArray[np.float64]:
    """(99, 2) f' and f'' in electrons by atomic number at `wavelength` in Å."""
    energy = gemmi.hc / wavelength
    terms = np.zeros((HIGHEST_NUMBER + 1, 2))
    for number in range(3, 93):  # gemmi's table reaches uranium; lighter than lithium there is nothing to correct
        terms[number] = gemmi.cromer_liberman(number, energy)
    terms.flags.writeable = False
    return terms
