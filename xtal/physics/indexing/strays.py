"""Lines of something else in the sample: a lattice need not explain them, at a price."""

import numpy as np

from xtal.physics.indexing.pawley import Fit, overlaps
from xtal.physics.indexing.resolving import Resolved

PRICE = 50.0  # of ln evidence: a line that stands anywhere is worth 10, and most samples have none
MOST = 3
STRONGEST = 0.3  # of the largest area: what is stronger belongs to the sample


def ln_strays(resolved: Resolved, done: Fit) -> float:
    """Return by how much ln evidence grows where up to `MOST` of the found lines belong to nothing."""
    profile = resolved.profile
    reach, starts, value = overlaps(profile, done)
    left = profile.net.copy()
    for k in np.flatnonzero(done.area > 0).tolist():
        left[reach[k, 0] : reach[k, 1]] -= done.area[k] * value[starts[k] : starts[k + 1]]
    weak = (resolved.angle < profile.x[-1]) & (resolved.area < STRONGEST * resolved.area.max())
    lines = profile.columns(resolved.angle[weak])[0]
    above, size = lines @ (profile.weight * left), lines**2 @ profile.weight
    gain = np.clip(above, 0, None) ** 2 / (2 * np.maximum(size, 1e-30)) - PRICE
    return float(np.sort(np.clip(gain, 0, None))[-MOST:].sum())
