"""Reciprocal metrics of the six families of lattices, and how well one explains the places of lines: compiled.

    Q(hkl) = 1/d² = design(hkl) · p

with free parameters p: triclinic h², k², l², kl, hl, hk; monoclinic (b unique) h², k², l², hl; orthorhombic h², k², l²;
tetragonal h² + k², l²; hexagonal h² + hk + k², l²; cubic h² + k² + l².
"""

# ruff: noqa: E741 - h, k, l and I are what crystallography calls them
import numpy as np
from numba import njit
from numpy.typing import NDArray

TRICLINIC, MONOCLINIC, ORTHORHOMBIC, TETRAGONAL, HEXAGONAL, CUBIC = range(6)
PARAMETERS = np.array([6, 4, 3, 2, 2, 1])
P, A, B, C, I, F, R = range(7)
STRAY = 0.05  # share of found lines that belong to nothing
WIDE = 4.0  # a place is worse than its uncertainty by this in `WIDE_SHARE` of the cases: overlapped lines
WIDE_SHARE = 0.3
FARTHEST = 3.0  # wide uncertainties at which a line still counts as explained
MOST_INDEX = 60
SURE = 12  # lines that a refinement begins with: their indices are not in doubt yet
# low indices that few lines are tried as: (D, parameters) designs, and the centrings of the systems that have them
SQUARES_CUBIC = np.array([[n, 0] for n in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 24)], float)
TWO = [(m, l * l) for m in (0, 1, 2, 4, 5, 8, 9, 10) for l in range(5) if m + l]
SIX = [(m, l * l) for m in (0, 1, 3, 4, 7, 9, 12, 13) for l in range(7) if m + l]
ORTHO = [(h * h, k * k, l * l) for h in range(4) for k in range(3) for l in range(3) if 0 < h + k + l < 4]
ORTHO += [
    (h * h, k * k, l * l)
    for h, k, l in ((0, 0, 4), (0, 4, 0), (4, 0, 0), (0, 3, 0), (0, 0, 3), (2, 2, 0), (2, 0, 2), (0, 2, 2))
]
TETRAGONAL_DESIGNS, HEXAGONAL_DESIGNS = np.array(TWO, float), np.array(SIX, float)
ORTHORHOMBIC_DESIGNS = np.array(sorted(set(ORTHO)), float)
CENTRINGS = {
    CUBIC: np.array([P, I, F]),
    TETRAGONAL: np.array([P, I]),
    HEXAGONAL: np.array([P, R]),
    ORTHORHOMBIC: np.array([P, A, B, C, I, F]),
}


@njit(cache=True, fastmath=True)
def row(system: int, h: int, k: int, l: int, out: NDArray) -> None:
    """Write the design of one reflection to `out` (6,)."""
    out[:] = 0.0
    if system == TRICLINIC:
        out[0], out[1], out[2], out[3], out[4], out[5] = h * h, k * k, l * l, k * l, h * l, h * k
    elif system == MONOCLINIC:
        out[0], out[1], out[2], out[3] = h * h, k * k, l * l, h * l
    elif system == ORTHORHOMBIC:
        out[0], out[1], out[2] = h * h, k * k, l * l
    elif system == TETRAGONAL:
        out[0], out[1] = h * h + k * k, l * l
    elif system == HEXAGONAL:
        out[0], out[1] = h * h + h * k + k * k, l * l
    else:
        out[0] = h * h + k * k + l * l


@njit(cache=True, fastmath=True)
def full(system: int, p: NDArray) -> tuple[float, float, float, float, float, float]:
    """Return all six coefficients h², k², l², kl, hl, hk of the free parameters."""
    if system == TRICLINIC:
        return p[0], p[1], p[2], p[3], p[4], p[5]
    if system == MONOCLINIC:
        return p[0], p[1], p[2], 0.0, p[3], 0.0
    if system == ORTHORHOMBIC:
        return p[0], p[1], p[2], 0.0, 0.0, 0.0
    if system == TETRAGONAL:
        return p[0], p[0], p[1], 0.0, 0.0, 0.0
    if system == HEXAGONAL:
        return p[0], p[0], p[1], 0.0, 0.0, p[0]
    return p[0], p[0], p[0], 0.0, 0.0, 0.0


@njit(cache=True, fastmath=True)
def determinant(system: int, p: NDArray) -> float:
    """Return the determinant of the reciprocal metric, 1 / V² of the conventional cell; not positive: no lattice."""
    a, b, c, d, e, f = full(system, p)
    if a <= 0 or b <= 0 or c <= 0 or 4 * a * b <= f * f:
        return -1.0
    return a * b * c + (d * e * f - a * d * d - b * e * e - c * f * f) / 4


@njit(cache=True, fastmath=True)
def allowed(centring: int, h: int, k: int, l: int) -> bool:
    """Whether a lattice's centring lets a reflection be; R (obverse) means any of those that share its place."""
    if centring == P:
        return True
    if centring == A:
        return (k + l) % 2 == 0
    if centring == B:
        return (h + l) % 2 == 0
    if centring == C:
        return (h + k) % 2 == 0
    if centring == I:
        return (h + k + l) % 2 == 0
    if centring == F:
        return (h + k) % 2 == 0 and (k + l) % 2 == 0
    return (-h + k + l) % 3 == 0 or (-h + k - l) % 3 == 0


@njit(cache=True, fastmath=True)
def indices(system: int, centring: int, p: NDArray, most: float, out: NDArray) -> int:
    """Write (N, 3) indices of the lines with Q <= `most` to `out`, one of each set that symmetry puts at one place.

    Returns N, or -1 where `out` is too short.
    """
    a, b, c, d, e, f = full(system, p)
    flat_a, flat_f, flat_b = a - e * e / (4 * c), f - d * e / (2 * c), b - d * d / (4 * c)
    thin = flat_a - flat_f * flat_f / (4 * flat_b)
    if thin <= 0 or flat_b <= 0:
        return 0
    count = 0
    for h in range(min(int(np.sqrt(most / thin)), MOST_INDEX) + 1):
        middle = -flat_f * h / (2 * flat_b)
        spread = np.sqrt(max(0.0, (most - thin * h * h) / flat_b))
        first, last = int(np.ceil(middle - spread)), int(np.floor(middle + spread))
        if system != TRICLINIC or h == 0:
            first = max(first, 0)
        if system >= TETRAGONAL:
            last = min(last, h)
        for k in range(first, last + 1):
            left = most - (flat_a * h * h + flat_f * h * k + flat_b * k * k)
            if left < 0:
                continue
            centre, reach = -(e * h + d * k) / (2 * c), np.sqrt(left / c)
            low, high = int(np.ceil(centre - reach)), int(np.floor(centre + reach))
            if system >= ORTHORHOMBIC or (system == MONOCLINIC and h == 0):
                low = max(low, 0)
            if h == 0 and k == 0:
                low = max(low, 1)
            if system == CUBIC:
                high = min(high, k)
            for l in range(low, high + 1):
                if not allowed(centring, h, k, l):
                    continue
                if count >= len(out):
                    return -1
                out[count, 0], out[count, 1], out[count, 2] = h, k, l
                count += 1
    return count


@njit(cache=True, fastmath=True)
def score(
    system: int,
    centring: int,
    p: NDArray,
    zero: float,
    grid: tuple,
    hkl: NDArray,
    best: NDArray,
    count: NDArray,
) -> float:
    """Return ln of how much more likely the found lines are than lines strewn at random.

    A found line at Q has the density ``s ν + (1 - s) ν f(Q - Q_c) / ρ(Q)``: s of them are strays, the others belong to
    one of the calculated lines, of which there are ρ per unit of Q; ν is the density of found lines. So calculated
    lines that are not found cost, as they make any agreement likely, and overlapped lines cost nothing else.
    `grid` is that of `places`; `hkl`, `best` and `count` are work space.
    """
    step, line, density, q_found, wave = grid
    lines = len(q_found)
    number = indices(system, centring, p, len(line) * step * 0.9999, hkl)
    if number < 0:
        return -1e9
    best[:lines] = 0.0
    count[: lines + 1] = 0
    a, b, c, d, e, f = full(system, p)
    for n in range(number):
        h, k, l = hkl[n, 0], hkl[n, 1], hkl[n, 2]
        q = a * h * h + b * k * k + c * l * l + d * k * l + e * h * l + f * h * k
        if zero != 0:
            q += zero * 2 / wave * np.sqrt(max(0.0, q * (1 - wave * wave * q / 4)))
        at = int(q / step)
        if at < 0 or at >= len(line):
            continue
        near = line[at]
        if near >= 0 and density[at] > best[near]:
            best[near] = density[at]
        # among which found lines it stands
        low, high = 0, lines
        while low < high:
            middle = (low + high) // 2
            if q_found[middle] < q:
                low = middle + 1
            else:
                high = middle
        count[low] += 1
    total, below = 0.0, 0.5
    for i in range(lines):
        below += count[i]
        rho = 1.5 * below / q_found[i]
        total += np.log(STRAY + (1 - STRAY) * best[i] / rho)
    return total


def places(q_found: NDArray[np.float64], sigma: NDArray[np.float64], wavelength: float) -> tuple:
    """Lay found lines at Q (K,) with uncertainties (K,) on a grid of Q, for `score`.

    Returns the step, the line nearest to each point or -1, the density f there, the lines, and the wavelength.
    """
    last = q_found[-1] + FARTHEST * WIDE * sigma[-1]
    step = float(max(sigma.min() / 3, last / 60_000))
    q = (np.arange(int(last / step) + 1) + 0.5) * step
    near = np.searchsorted((q_found[1:] + q_found[:-1]) / 2, q)
    off, spread = np.abs(q - q_found[near]), np.maximum(sigma[near], step / 2)
    density = sum(
        part * np.exp(-0.5 * (off / (spread * wide)) ** 2) / (np.sqrt(2 * np.pi) * spread * wide)
        for part, wide in ((1 - WIDE_SHARE, 1.0), (WIDE_SHARE, WIDE))
    )
    line = np.where(off < FARTHEST * WIDE * spread, near, -1).astype(np.int16)
    return step, line, np.asarray(density, np.float64), np.ascontiguousarray(q_found), float(wavelength)


@njit(cache=True, fastmath=True)
def add_observation(normal: NDArray, right: NDArray, slope: NDArray, weight: float, off: float) -> None:
    """Add to normal equations (P, P) and (P,) one observation that is `off` by so much, with its `slope` (P,)."""
    for a in range(len(slope)):
        right[a] += weight * slope[a] * off
        for b in range(len(slope)):
            normal[a, b] += weight * slope[a] * slope[b]


@njit(cache=True, fastmath=True)
def refine(
    system: int, centring: int, start: NDArray, zero: float, shift: float, grid: tuple, sigma: NDArray, hkl: NDArray
) -> tuple[NDArray[np.float64], float]:
    """Least squares of the free parameters, and of the zero shift (radians 2θ, spread `shift`), to the found lines.

    Each found line is taken for the nearest calculated one within `FARTHEST` wide uncertainties, with less weight the
    farther off it is.
    """
    q_found, wave = grid[3], grid[4]
    free = PARAMETERS[system]
    p = start.copy()
    design, out = np.empty((len(hkl), 6)), np.empty(6)
    for turn in range(7):
        number = indices(system, centring, p, q_found[-1] * 1.02, hkl)
        if number <= 0:
            break
        calculated = np.empty(number)
        for n in range(number):
            row(system, hkl[n, 0], hkl[n, 1], hkl[n, 2], out)
            design[n] = out
            calculated[n] = (out[:free] * p[:free]).sum()
        normal, right = np.zeros((free + 1, free + 1)), np.zeros(free + 1)
        v = np.empty(free + 1)
        for i in range(len(q_found) if turn > 2 else min(len(q_found), SURE)):
            by_zero = 2 / wave * np.sqrt(q_found[i] * (1 - wave * wave * q_found[i] / 4))
            target = q_found[i] - zero * by_zero
            n = int(np.argmin(np.abs(calculated - target)))
            off = target - calculated[n]
            loose = WIDE * sigma[i] * (2.0 if turn < 5 else 1.0)
            if abs(off) > FARTHEST * loose:
                continue
            weight = 1 / (sigma[i] ** 2 * (1 + (off / sigma[i]) ** 2 / 4))
            v[:free] = design[n, :free]
            v[free] = by_zero
            add_observation(normal, right, v, weight, off)
        normal[free, free] += 1 / shift**2
        right[free] -= zero / shift**2
        for a in range(free):
            normal[a, a] += 1e-6 * normal[a, a] + 1e-30
        change = np.linalg.solve(normal, right)
        p[:free] += change[:free]
        zero += change[free]
        if determinant(system, p) <= 0:
            return start, 0.0
    return p, zero
