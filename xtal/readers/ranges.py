"""Several ranges or scans in one file: those that follow one another are joined, of the others one is taken."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xtal.errors import UserError
from xtal.readers.scan import FEWEST, MOST_RANGES, Scan

ALIKE_STEPS = 5.0  # ratio of the steps of ranges that belong together
OVERLAP = 0.2  # of the shorter range, in 2θ: more is another scan of the same angles
ALIKE_COUNTS = 1.25  # ratio of the mean intensities where two ranges overlap


def joined(scans: Sequence[Scan], word: str = "scan") -> Scan:
    """Make one scan of several.

    Ranges in the order of their angles, with steps of the same order and at most a small overlap in which they agree,
    are one measurement: they are joined, brought to one counting time where the file states both. Otherwise it is the
    longest of them, the first of equals. The note says which.
    """
    if len(scans) == 1:
        return scans[0]
    ordered = sorted((scan for scan in scans if len(scan) > 1), key=lambda scan: scan.x.min())
    parts = [scan if scan.x[0] < scan.x[-1] else scan.at(np.arange(len(scan))[::-1]) for scan in ordered]
    if len(parts) > 1 and all(_follows(parts[i], parts[i + 1]) for i in range(len(parts) - 1)):
        return replace(_end_to_end(parts), note=f"{parts[0].note}, {len(parts)} {word}s joined")
    best = max(range(len(scans)), key=lambda i: (len(scans[i]), -i))
    return replace(scans[best], note=f"{scans[best].note}, {word} {best + 1} of {len(scans)}")


def in_one(name: str, scan: Scan) -> Scan:
    """Return the scan in rising order; rows that start again at a lower angle are ranges, and are joined.

    Raises:
        UserError: with the `name` of the file, where the rows are in no order at all.
    """
    steps = np.diff(scan.x)
    if not (steps < 0).any():
        return scan
    down = np.median(steps) < 0
    if down:
        scan, steps = scan.at(np.arange(len(scan))[::-1]), -steps[::-1]
    breaks = np.flatnonzero(steps < 0) + 1
    if len(breaks) == 0:
        return scan
    pieces = [scan.at(part) for part in np.split(np.arange(len(scan)), breaks)]
    whole = [piece for piece in pieces if len(piece) >= FEWEST]
    if len(pieces) > MOST_RANGES or sum(map(len, whole)) < 0.9 * len(scan):
        before, after = scan.x[breaks[0] - 1 : breaks[0] + 1]
        raise UserError(
            f"{name}: 2θ (or q) must rise from point to point, but {after:g} follows {before:g}; split or sort the scan"
        )
    return joined(whole[::-1] if down else whole, "range")


def _follows(first: Scan, second: Scan) -> bool:
    """Whether `second` is the continuation of `first`."""
    steps = [np.median(np.diff(scan.x)) for scan in (first, second)]
    if min(steps) <= 0 or max(steps) / min(steps) > ALIKE_STEPS:
        return False
    overlap = first.x[-1] - second.x[0]
    if overlap < 0:
        return True
    if overlap > OVERLAP * min(np.ptp(first.x), np.ptp(second.x)):
        return False
    factor = _factor(second, first)
    means = first.intensity[first.x >= second.x[0]].mean(), second.intensity[second.x <= first.x[-1]].mean() * factor
    return bool(max(means) <= ALIKE_COUNTS * max(min(means), 0))


def _end_to_end(parts: list[Scan]) -> Scan:
    """Put `parts` in a row, each without the angles that the one before has, in counts of the first one's time."""
    whole = parts[0]
    for part in parts[1:]:
        rest, factor = part.at(part.x > whole.x[-1]), _factor(part, parts[0])
        sigma = None
        if whole.sigma is not None and rest.sigma is not None:
            sigma = np.concatenate([whole.sigma, rest.sigma * factor])
        intensity = np.concatenate([whole.intensity, rest.intensity * factor])
        whole = replace(whole, x=np.concatenate([whole.x, rest.x]), intensity=intensity, sigma=sigma)
    return whole


def _factor(part: Scan, reference: Scan) -> float:
    """What brings the counts of `part` to the counting time of `reference`; 1 where either is unknown."""
    return reference.seconds / part.seconds if part.seconds and reference.seconds else 1.0
