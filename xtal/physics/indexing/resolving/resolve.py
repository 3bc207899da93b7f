"""Take a pattern apart into single lines."""

from dataclasses import replace

import numpy as np

from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import K_ALPHA_2, is_mean_of_doublet
from xtal.physics.indexing.resolving.fit import Resolved, doubted, step
from xtal.physics.indexing.resolving.profile import Profile, prepared, seeds
from xtal.physics.indexing.resolving.spurious import left_over, without_spurious

ROUNDS, STEPS = 3, 8
SHOWN = 0.3  # widths that Kα2 is away at the end of the pattern, for its presence to show
LINE_COST = 15.0  # of the sum of squares, that a line must be worth
DOUBT = 20.0  # by which the sum of squares must be less, for Kα2 to be other than stated


def resolve(sample: Sample) -> Resolved:
    """Take the pattern of a sample apart into lines, with Kα2 or without: by what explains it with fewer lines."""
    start = prepared(sample)
    light, stated = start.light, K_ALPHA_2 if is_mean_of_doublet(start.wavelength) else 0.0
    apart = np.degrees(2 * np.tan(np.radians(start.x[-1]) / 2)) * (light.second - light.first)
    shares = (stated, K_ALPHA_2 - stated) if apart > SHOWN * light.width else (stated,)
    begun = [_begun(sample, start, share) for share in shares]
    costs = [one.misfit * len(one.profile.x) + LINE_COST * len(one.angle) for one in begun]
    found = doubted(begun[1] if len(costs) > 1 and costs[1] < costs[0] - DOUBT else begun[0])
    for turn in range(ROUNDS):
        extra = left_over(found) if turn else np.zeros(0)
        if turn and not len(extra):
            break
        found = found.with_more(extra)
        for _ in range(STEPS):
            found = step(found)
    return without_spurious(found)


def _begun(sample: Sample, start: Profile, share: float) -> Resolved:
    """Fit the lines that were found in a sample, where the second wavelength has a `share`."""
    light = start.light._replace(share=share)
    profile = replace(start, light=light if share else light._replace(first=1.0, second=1.0))
    found = Resolved.of(profile, seeds(sample, profile))
    for _ in range(STEPS):
        found = step(found)
    return found
