"""How far the pattern of an arrangement is from the measured one, with the forces on its atoms."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.arrays import Arrays
from generate.solving.cost.fast import FAST
from generate.solving.cost.misfit import by_intensity, misfit


@njit(cache=True, fastmath=FAST)
def pattern_cost(p: Arrays, y: NDArray, atom: NDArray, weight: float, force: NDArray) -> float:
    """Return ``1 - c²`` and add `weight` times its gradient by the places y (C, 3) Å of the atoms to `force`."""
    waves = _waves(p, y, atom)  # (2, R, C) what each atom adds to each structure factor
    sums = _sums(waves)
    slope = np.empty(len(p.root))
    intensity = p.strength * (sums[0] ** 2 + sums[1] ** 2)
    cost = misfit(intensity, p.start, p.shape, p.root, p.high, p.trust, p.floor, slope)
    pull = np.zeros((3, len(y)), np.float32)  # by fractional coordinates
    for r in range(len(p.hkl)):
        pulled = by_intensity(slope, p.start, p.shape, r) * p.strength[r] * 4 * np.pi * weight
        u, v = np.float32(sums[0, r] * pulled), np.float32(sums[1, r] * pulled)
        h, k, third = np.float32(p.hkl[r, 0]), np.float32(p.hkl[r, 1]), np.float32(p.hkl[r, 2])
        real, imag = waves[0, r], waves[1, r]
        px, py, pz = pull[0], pull[1], pull[2]
        for n in range(len(y)):
            t = v * real[n] - u * imag[n]
            px[n] += h * t
            py[n] += k * t
            pz[n] += third * t
    for n in range(len(y)):
        for c in range(3):
            force[n, c] += p.inverse[c, 0] * pull[0, n] + p.inverse[c, 1] * pull[1, n] + p.inverse[c, 2] * pull[2, n]
    return cost


@njit(cache=True, fastmath=FAST)
def _sums(waves: NDArray) -> NDArray:
    """(2, R) sums of waves (2, R, C) over the atoms, one after the other; four rows at once, which wait for nothing."""
    rows, count = waves.shape[1], waves.shape[2]
    sums = np.empty((2, rows))
    for part in range(2):
        for r in range(0, rows - 3, 4):
            a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            first, second, third, fourth = waves[part, r], waves[part, r + 1], waves[part, r + 2], waves[part, r + 3]
            for n in range(count):
                a += first[n]
                b += second[n]
                c += third[n]
                d += fourth[n]
            sums[part, r], sums[part, r + 1], sums[part, r + 2], sums[part, r + 3] = a, b, c, d
        for r in range(rows - rows % 4, rows):
            a = np.float32(0)
            first = waves[part, r]
            for n in range(count):
                a += first[n]
            sums[part, r] = a
    return sums


@njit(cache=True, fastmath=FAST)
def _waves(p: Arrays, y: NDArray, atom: NDArray) -> NDArray:
    """(2, R, C) real and imaginary part of ``f exp(2πi hkl · x)`` of each atom; exp factorises along the axes."""
    count = len(y)
    highest = np.zeros(3, np.int64)
    for r in range(len(p.hkl)):
        for c in range(3):
            highest[c] = max(highest[c], abs(p.hkl[r, c]))
    along_h = _powers(p, y, 0, highest[0])
    along_k = _powers(p, y, 1, highest[1])
    along_l = _powers(p, y, 2, highest[2])
    waves = np.empty((2, len(p.hkl), count), np.float32)
    of_hk, weights = np.empty((2, count), np.float32), np.empty(count, np.float32)
    kind = p.kind[atom]
    for r in range(len(p.hkl)):
        h, k, third = p.hkl[r, 0], p.hkl[r, 1], p.hkl[r, 2]
        if r == 0 or h != p.hkl[r - 1, 0] or k != p.hkl[r - 1, 1]:
            _product(along_h[0, h], along_h[1, h], along_k[0, abs(k)], along_k[1, abs(k)], k < 0, of_hk[0], of_hk[1])
        real, imag = waves[0, r], waves[1, r]
        low = abs(third)
        _product(of_hk[0], of_hk[1], along_l[0, low], along_l[1, low], third < 0, real, imag)
        factor = p.factor[r]
        for n in range(count):
            weights[n] = factor[kind[n]]
        for n in range(count):
            real[n] *= weights[n]
            imag[n] *= weights[n]
    return waves


@njit(cache=True, fastmath=FAST)
def _product(a: NDArray, b: NDArray, c: NDArray, d: NDArray, conjugate: bool, real: NDArray, imag: NDArray) -> None:
    """Fill the product of a + ib and c + id, of which the second may be conjugated, all (C,)."""
    sign = np.float32(-1 if conjugate else 1)
    for n in range(len(a)):
        real[n] = a[n] * c[n] - sign * b[n] * d[n]
        imag[n] = b[n] * c[n] + sign * a[n] * d[n]


@njit(cache=True, fastmath=FAST)
def _powers(p: Arrays, y: NDArray, axis: int, highest: int) -> NDArray:
    """(2, H + 1, C) real and imaginary parts of exp(2πi n x) along an axis for n = 0 to `highest`."""
    table = np.empty((2, highest + 1, len(y)), np.float32)
    for c in range(len(y)):
        x = y[c, 0] * p.inverse[0, axis] + y[c, 1] * p.inverse[1, axis] + y[c, 2] * p.inverse[2, axis]
        angle = 2 * np.pi * (x - np.rint(x))
        cosine, sine = np.cos(angle), np.sin(angle)
        u, v = 1.0, 0.0
        for n in range(highest + 1):
            table[0, n, c], table[1, n, c] = u, v
            u, v = u * cosine - v * sine, u * sine + v * cosine
    return table
