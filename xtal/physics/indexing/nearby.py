"""The lattice near a known one that puts its lines where lines were found, whatever their intensities.

A framework that breathes keeps its lattice's symmetry and its indices, but its cell grows by per cents: farther than
lines are apart. So a few of its strongest lines at low angles are taken for found lines nearby, in every way, which
gives trial metrics; the best is refined to all found lines. A metric is judged by how much more likely it makes the
found lines than lines strewn at random (`xtal.physics.indexing.metric.score`), strong lines counting more, and by how
far it is from the known one.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.patterns import Lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics.indexing.areas import designs
from xtal.physics.indexing.bravais import LETTERS, conventional, primitive, symmetric
from xtal.physics.indexing.metric import FARTHEST, MONOCLINIC, PARAMETERS, STRAY, WIDE, add_observation, indices, places
from xtal.physics.indexing.resolving import Resolved
from xtal.physics.indexing.trial import FINEST

REACH = 0.11  # of Q, in which a cell may differ: 5.5 % in length
SPREAD = 0.4  # of that: standard deviation of a parameter before anything is known
MOST_FOUND = 40  # found lines
FAINTEST, WEIGHTY = 0.004, 0.1  # of the largest area: none below counts, those above wholly
LEAST_INTENSITY = 1e-4  # of the strongest calculated line: others are as good as absent
SAME_Q = 0.004  # relative: within this a computed line is that of a reflection
SYMMETRIC = 0.02  # Å, within which an entry's lattice has more symmetry
MOST_LINES = 3000
FIRST, MOST_SETS, MOST_TRIALS = 6, 40, 1500  # lines that are taken for found ones, sets of them, metrics that are tried
NEAR, FARTHEST_OFF = 6.0, 0.0015  # lines meet within so many uncertainties, and so much of Q more
SHIFT = np.radians(0.03)  # of the zero shift, before anything is known
TIGHT = 0.05  # relative spread of a parameter while it is refined


@dataclass(frozen=True, eq=False)
class Places:
    """Where K lines were found: Q = 1/d² in Å⁻² with its uncertainty, and how much each counts, 0 to 1.

    `intensity` (K,) is that of the lines as computed ones have it, without Lorentz and polarisation factors.
    """

    q: NDArray[np.float64]
    sigma: NDArray[np.float64]
    weight: NDArray[np.float64]
    intensity: NDArray[np.float64]
    grid: tuple

    @classmethod
    def of(cls, resolved: Resolved) -> Self:
        """Take the lines of a pattern that are not faint, from low angles on."""
        share = resolved.area / max(float(resolved.area.max(initial=0)), 1e-30)
        kept = np.flatnonzero(share > FAINTEST)[:MOST_FOUND]
        wavelength = resolved.profile.wavelength
        theta = np.radians(resolved.angle[kept]) / 2
        off = np.radians(np.maximum(resolved.sigma[kept], FINEST * resolved.profile.width))
        q = (2 / wavelength * np.sin(theta)) ** 2
        sigma = off * 4 / wavelength**2 * np.sin(theta) * np.cos(theta)
        weight = np.sqrt(np.clip(share[kept] / WEIGHTY, 0, 1))
        intensity = resolved.area[kept] * lorentz_polarisation_ratio(4 * np.pi / wavelength * np.sin(theta), wavelength)
        return cls(q, sigma, weight, intensity, (*places(q, sigma, wavelength), weight))


@dataclass(frozen=True, eq=False)
class Known:
    """The lattice of a structure with its N lines that are not absent, by Q.

    Attributes:
        system, centring: of its metric, see `xtal.physics.indexing.metric`.
        parameters: (6,) free parameters of the metric, zero beyond their number.
        design: (N, 6) that of the lines, ``Q = design · parameters``.
        intensity: (N,) relative.
    """

    system: int
    centring: int
    parameters: NDArray[np.float64]
    design: NDArray[np.float64]
    intensity: NDArray[np.float64]

    @classmethod
    def of(cls, lattice: NDArray[np.float64], lines: Lines, last: float) -> Self | None:
        """Describe a primitive lattice (3, 3) Å with computed `lines`, up to Q = `last`; None where they do not fit."""
        found = symmetric(lattice, SYMMETRIC)
        if found is None:
            return None
        system, letter, parameters = found
        hkl = np.empty((MOST_LINES, 3), np.int64)
        count = indices(system, LETTERS.index(letter), parameters, last * (1 + REACH), hkl)
        if count <= 0:
            return None
        design = designs(system, hkl[:count])
        order = np.argsort(design @ parameters, kind="stable")
        design = design[order]
        intensity = _intensities(design @ parameters, lines)
        there = intensity > LEAST_INTENSITY
        if there.sum() < PARAMETERS[system]:
            return None
        return cls(system, LETTERS.index(letter), parameters, design[there], intensity[there])

    @property
    def free(self) -> int:
        """Number of free parameters."""
        return int(PARAMETERS[self.system])

    @property
    def units(self) -> NDArray[np.float64]:
        """(6,) how far each parameter may move."""
        own = np.abs(self.parameters)
        mixed = self.system <= MONOCLINIC  # products of edges may be 0: those of unlike edges
        scale = np.where(np.arange(6) < 3, own, own[:3].max()) if mixed else own
        return np.asarray(REACH * np.where(np.arange(6) < self.free, scale, 0.0))


@dataclass(frozen=True, eq=False)
class Near:
    """The best lattice near a known one: parameters (6,), zero shift in radians 2θ, and its score."""

    known: Known
    parameters: NDArray[np.float64]
    zero: float
    score: float

    @property
    def lattice(self) -> NDArray[np.float64]:
        """(3, 3) Å primitive, reduced."""
        return primitive(conventional(self.known.system, self.parameters), LETTERS[self.known.centring])

    @property
    def q(self) -> NDArray[np.float64]:
        """(N,) Å⁻² of the known lines in this cell."""
        return np.asarray(self.known.design @ self.parameters)

    def met(self, found: Places) -> NDArray[np.bool_]:
        """Return (K, N) whether found lines and those of this cell stand at one place."""
        wavelength, q = found.grid[4], self.q
        moved = q + self.zero * 2 / wavelength * np.sqrt(np.clip(q * (1 - wavelength**2 * q / 4), 0, None))
        reach = NEAR * found.sigma + FARTHEST_OFF * found.q
        return np.asarray(np.abs(found.q[:, None] - moved) <= reach[:, None])

    def agreement(self, found: Places, least: float) -> float:
        """Return ``Σ √(a c) / √(Σ a Σ c)`` of found and calculated intensities from Q = `least` on, 0 to 1."""
        met, known = self.met(found), self.known
        high, last = found.q >= least, found.q[-1] * (1 + FARTHEST_OFF)
        beyond = (self.q >= least) & (self.q <= last)
        nearest = np.zeros(met.shape, dtype=bool)
        nearest[np.argmin(np.abs(found.q[:, None] - self.q), axis=0), np.arange(len(self.q))] = True
        calculated = (met & nearest & beyond) @ known.intensity
        total = float(found.intensity[high].sum() * known.intensity[beyond].sum())
        return float(np.sqrt(found.intensity * calculated)[high].sum() / np.sqrt(total)) if total > 0 else 0.0


def nearest_lattice(known: Known, found: Places) -> Near:
    """Return the lattice near a known one that suits the found lines best."""
    units, work = known.units, (np.zeros(len(found.q)), np.zeros(len(found.q) + 1, np.int64))
    sets = _sets(known)
    begun = _tried(known.design, known.free, known.parameters, units, found.grid, sets, work)
    best, zero = _refined(known.design, known.free, begun, known.parameters, found.grid, found.sigma)
    away = (best - known.parameters)[: known.free] / (SPREAD * units[: known.free])
    score = _score(known.design, known.free, best, zero, found.grid, *work) - 0.5 * float(away @ away)
    return Near(known, best, zero, float(score))


def _intensities(q: NDArray[np.float64], lines: Lines) -> NDArray[np.float64]:
    """(N,) intensity of the computed line at each of the ascending `q` (Å⁻²); 0 where there is none."""
    computed = (np.asarray(lines.q, dtype=np.float64) / (2 * np.pi)) ** 2
    if not len(computed):
        return np.zeros(len(q))
    near = np.searchsorted((computed[1:] + computed[:-1]) / 2, q)
    return np.where(np.abs(computed[near] - q) < SAME_Q * q, np.asarray(lines.intensity, np.float64)[near], 0.0)


def _sets(known: Known) -> NDArray[np.int64]:
    """(S, free) lines that fix a metric: of the strongest at low angles."""
    q = known.design @ known.parameters
    first = np.sort(np.argsort(-np.sqrt(known.intensity) / q, kind="stable")[: max(FIRST, known.free + 2)])
    every = np.array(list(combinations(first.tolist(), known.free)), np.int64).reshape(-1, known.free)
    solvable = np.abs(np.linalg.det(known.design[every][:, :, : known.free])) > 1e-6
    return every[solvable][:MOST_SETS]


@njit(cache=True, fastmath=True)
def _score(design: NDArray, free: int, p: NDArray, zero: float, grid: tuple, best: NDArray, count: NDArray) -> float:
    """Return ln of how much more likely found lines are than lines at random; `best` and `count` are work space."""
    step, line, density, q_found, wave, weight = grid
    lines = len(q_found)
    best[:lines] = 0.0
    count[: lines + 1] = 0
    for n in range(len(design)):
        q = 0.0
        for a in range(free):
            q += design[n, a] * p[a]
        if q <= 0:
            continue
        if zero != 0:
            q += zero * 2 / wave * np.sqrt(max(0.0, q * (1 - wave * wave * q / 4)))
        at = int(q / step)
        if at < 0 or at >= len(line):
            continue
        near = line[at]
        if near >= 0 and density[at] > best[near]:
            best[near] = density[at]
        count[np.searchsorted(q_found, q)] += 1
    total, below = 0.0, 0.5
    for i in range(lines):
        below += count[i]
        rho = 1.5 * below / q_found[i]
        total += weight[i] * np.log(STRAY + (1 - STRAY) * best[i] / rho)
    return total


@njit(cache=True, fastmath=True)
def _tried(
    design: NDArray, free: int, start: NDArray, units: NDArray, grid: tuple, sets: NDArray, work: tuple
) -> NDArray:
    """Return the best metric of those that put one set of lines onto found ones nearby, or the start."""
    q_found, best, count = grid[3], work[0], work[1]
    top, top_p = _score(design, free, start, 0.0, grid, best, count), start.copy()
    system, place = np.empty((free, free)), np.zeros(free, np.int64)
    low, high = np.zeros(free, np.int64), np.zeros(free, np.int64)
    tried = 0
    for s in range(len(sets)):
        possible = True
        for a in range(free):
            q = 0.0
            for b in range(free):
                system[a, b] = design[sets[s, a], b]
                q += system[a, b] * start[b]
            low[a], high[a] = np.searchsorted(q_found, q * (1 - REACH)), np.searchsorted(q_found, q * (1 + REACH))
            possible = possible and low[a] < high[a]
            place[a] = low[a]
        inverse = np.linalg.inv(system)
        while possible and tried < MOST_TRIALS:
            p, farthest, price = start.copy(), 0.0, 0.0
            for a in range(free):
                p[a] = 0.0
                for b in range(free):
                    p[a] += inverse[a, b] * q_found[place[b]]
                away = abs(p[a] - start[a]) / units[a]
                farthest, price = max(farthest, away), price + 0.5 * (away / SPREAD) ** 2
            if farthest < 1:
                tried += 1
                score = _score(design, free, p, 0.0, grid, best, count) - price
                if score > top:
                    top, top_p = score, p
            a = free - 1  # the next way to take lines for found ones
            while a >= 0:
                place[a] += 1
                if place[a] < high[a]:
                    break
                place[a] = low[a]
                a -= 1
            possible = a >= 0
    return top_p


@njit(cache=True, fastmath=True)
def _refined(
    design: NDArray, free: int, begun: NDArray, start: NDArray, grid: tuple, sigma: NDArray
) -> tuple[NDArray, float]:
    """Least squares of the metric and the zero shift to the found lines, each taken for the nearest calculated one."""
    q_found, wave, strength = grid[3], grid[4], grid[5]
    p, zero, v = begun.copy(), 0.0, np.empty(free + 1)
    for turn in range(6):
        calculated = design @ p  # the parameters beyond the free ones are 0
        normal, right = np.zeros((free + 1, free + 1)), np.zeros(free + 1)
        for i in range(len(q_found)):
            by_zero = 2 / wave * np.sqrt(q_found[i] * (1 - wave * wave * q_found[i] / 4))
            target = q_found[i] - zero * by_zero
            n = int(np.argmin(np.abs(calculated - target)))
            off = target - calculated[n]
            if abs(off) > FARTHEST * WIDE * sigma[i] * (2.0 if turn < 4 else 1.0):
                continue
            weight = strength[i] / (sigma[i] ** 2 * (1 + (off / sigma[i]) ** 2 / 4))
            v[:free] = design[n, :free]
            v[free] = by_zero
            add_observation(normal, right, v, weight, off)
        normal[free, free] += 1 / SHIFT**2
        right[free] -= zero / SHIFT**2
        for a in range(free):
            spread = TIGHT * max(abs(start[a]), 1e-3 * abs(start[0]))
            normal[a, a] += 1 / spread**2
            right[a] -= (p[a] - start[a]) / spread**2
        change = np.linalg.solve(normal, right)
        p[:free] += change[:free]
        zero += change[free]
    return p, zero
