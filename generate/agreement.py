"""How far generated crystals agree: of many samples, those near the middle are the likeliest.

Samples of a diffusion model scatter around what the pattern allows. The one that differs least from the others has the
least expected difference from the truth too (minimum Bayes risk), which fit and fingerprint, blind to an error of an
ångström, do not see. Two crystals of one composition agree by the overlap of their atoms as Gaussians,

    S(A, B) = max over g, t of  Σ_e ∫ ρ_e^A(x) ρ_e^B(g x + t) dx,   divided by √(S(A, A) S(B, B)) at g = 1, t = 0,

with ρ_e the density of the atoms of element e, g the mappings of one lattice onto the other, inversion among them, and
all translations t at once by a Fourier transform, where ρ_e is ``Σ_j exp(2πi h·x_j) exp(-2π² σ² |h|²)``.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from xtal.crystals import Crystal, niggli
from xtal.crystals.lattices import mappings

SIGMA = 1.0  # Å, of an atom's Gaussian
FINEST = 0.3  # waves per Å: of finer ones little is left under the Gaussian
LEAST_GRID, MOST_GRID = 12, 24  # points along an edge
METRIC_TOLERANCE = 0.12  # of the products of edges: 6 % in lengths, 7° in angles
PEERS = 40  # crystals that each is compared with at most


def agreement(crystals: Sequence[Crystal]) -> NDArray[np.float64]:
    """Return for each of R crystals its mean overlap with the others, 0 to 1; nothing agrees with a single one, 0.

    All must have one composition. A crystal in another cell than most agrees with none.
    """
    if len(crystals) < 2:
        return np.zeros(len(crystals))
    reduced = [niggli(crystal) for crystal in crystals]
    metrics = np.array([crystal.lattice @ crystal.lattice.T for crystal in reduced])
    usual = _usual(metrics)
    lattice, same = reduced[usual].lattice, np.zeros(len(reduced), dtype=bool)
    placed = np.empty((len(reduced), len(reduced[usual]), 3))
    for row, (crystal, metric) in enumerate(zip(reduced, metrics, strict=True)):
        change = mappings(metric, metrics[usual], METRIC_TOLERANCE)
        same[row] = len(change) > 0
        order = np.argsort(crystal.numbers, kind="stable")
        placed[row] = crystal.frac_coords[order] @ np.linalg.inv(change[0] if same[row] else np.eye(3))
    group = mappings(metrics[usual], metrics[usual], METRIC_TOLERANCE)
    overlap = _overlaps(placed, np.sort(reduced[usual].numbers), lattice, group)
    overlap *= same[:, None] & same[: overlap.shape[1]]
    itself = np.arange(overlap.shape[1])
    overlap[itself, itself] = 0
    others = overlap.shape[1] - (np.arange(len(reduced)) < overlap.shape[1])
    return overlap.sum(axis=1) / others


def _overlaps(
    frac: NDArray[np.float64], numbers: NDArray, lattice: NDArray[np.float64], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(R, P) overlaps of crystals (R, N, 3) in one lattice with the first P = `PEERS` of them."""
    damping = _damping(lattice)
    size = len(damping)
    densities = np.array([_density(places, numbers, damping) for places in frac])  # (R, E, n, n, n)
    best = np.zeros((len(frac), min(len(frac), PEERS)))
    for change in np.linalg.inv(group):
        for peer in range(best.shape[1]):
            image = _density(frac[peer] @ change, numbers, damping)
            shared = np.einsum("reabc,eabc->rabc", densities, image.conj())
            found = _peaks(fft.ifftn(shared, axes=(1, 2, 3), overwrite_x=True).real) * size**3
            np.maximum(best[:, peer], found, out=best[:, peer])
    own = np.sqrt(np.square(np.abs(densities)).sum(axis=(1, 2, 3, 4)))
    return best / (own[:, None] * own[: best.shape[1]])


def _peaks(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(R,) maxima of periodic functions on grids (R, n, n, n), by a parabola along each axis between the points."""
    rows, size = np.arange(len(values)), values.shape[1]
    place = np.array(np.unravel_index(values.reshape(len(values), -1).argmax(axis=1), values.shape[1:]))
    top = values[rows, *place]
    result = top.copy()
    for step in np.eye(3, dtype=np.int64)[:, :, None]:
        after, before = values[rows, *(place + step) % size], values[rows, *(place - step) % size]
        result += (after - before) ** 2 / 8 / np.maximum(2 * top - after - before, 1e-9)
    return result


def _density(frac: NDArray[np.float64], numbers: NDArray, damping: NDArray[np.float32]) -> NDArray[np.complex64]:
    """(E, n, n, n) Fourier coefficients of the densities of each element; `numbers` (N,) ascend."""
    size = len(damping)
    wave = np.exp(2j * np.pi * frac[:, :, None] * fft.fftfreq(size, 1 / size)).astype(np.complex64)  # (N, 3, n)
    planes = np.einsum("ib,ic->ibc", wave[:, 1], wave[:, 2]).reshape(len(frac), -1)
    bounds = np.append(np.unique(numbers, return_index=True)[1], len(numbers))
    parts = [wave[i:j, 0].T @ planes[i:j] for i, j in pairwise(bounds)]
    return np.asarray(np.reshape(parts, (-1, size, size, size)) * damping, np.complex64)


def _damping(lattice: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, n, n) Fourier transform of an atom's Gaussian."""
    size = _grid(lattice)
    order = fft.fftfreq(size, 1 / size)
    g = np.stack(np.meshgrid(order, order, order, indexing="ij"), axis=-1) @ np.linalg.inv(lattice).T
    return np.exp(-2 * (np.pi * SIGMA) ** 2 * np.square(g).sum(axis=-1)).astype(np.float32)


def _grid(lattice: NDArray[np.float64]) -> int:
    """Points along each edge that hold the waves up to `FINEST`."""
    waves = FINEST * float(np.linalg.norm(lattice, axis=1).max())
    return int(np.clip(fft.next_fast_len(2 * int(np.ceil(waves)) + 1), LEAST_GRID, MOST_GRID))


def _usual(metrics: NDArray[np.float64]) -> int:
    """The row whose edges (R, 3, 3) are least far from all others'."""
    edges = np.log(np.diagonal(metrics, axis1=1, axis2=2))
    return int(np.abs(edges[:, None] - edges).sum(axis=(1, 2)).argmin())
