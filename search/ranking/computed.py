"""Patterns that were computed and not measured: the structure they are of is the one that reproduces them exactly.

No sample disturbs them, but programs differ in what they put into |F|²: some leave the anomalous terms out, and each
has a displacement of its own. So the leading hits are computed both ways, with several displacements, and compared once
more with hardly any error of the lines allowed for.
"""

from dataclasses import replace

import numpy as np

from indexer.storage import Index
from search.ranking.rerank import STRAIN_MARGIN, Ranking, with_head
from xtal.patterns import q_from_two_theta
from xtal.physics import LineTable, Sticks, powder_lines
from xtal.physics.fit import Errors, refine
from xtal.physics.powder import U_ISO, expected_reflections

MOST = 8  # hits compared
MARGIN = 6.0  # of these whose χ² is at most so many times the first one's
DISPLACEMENTS = (0.0, 0.005, 0.01, 0.02, 0.04)  # Å², mean square, the same for all atoms
LINES = 300  # strongest of each
ERRORS = Errors(line=0.05, guest=0.0)  # form factors and profiles of other programs differ by so much
STEPS = 4
REPRODUCED = 0.9  # explained share from which on a hit counts as the very structure
MOST_WAVES = 1e7  # reflections times atoms of all that are compared: some tenths of a second


def reproduce(ranking: Ranking, index: Index, rows: np.ndarray) -> Ranking:
    """Order the leading hits of a ranking of the entries `rows` (R,) by how exactly they reproduce a computed pattern.

    Their fits become those of the best way to compute each. Nothing is done where no hit reproduces the pattern, or
    where it would take seconds.
    """
    target, chi_square = ranking.target, ranking.fit.chi_square[:MOST]
    count = int((chi_square <= MARGIN * chi_square[:1]).sum())
    if count < 2:
        return ranking
    q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
    crystals = [index.crystal(int(row)) for row in rows[ranking.order[:count]]]
    if sum(expected_reflections(crystal, q_max) * len(crystal.numbers) for crystal in crystals) > MOST_WAVES:
        return ranking
    kinds = [
        powder_lines(crystal, q_max, wavelength=target.wavelength, anomalous=anomalous).strongest(LINES)
        for crystal in crystals
        for anomalous in (True, False)
    ]
    lines = [
        replace(kind, intensity=kind.intensity * np.exp(-(u - U_ISO) * kind.q**2))
        for kind in kinds
        for u in DISPLACEMENTS
    ]
    kinds_each = len(lines) // count
    each = np.repeat(np.arange(count), kinds_each)
    sticks = Sticks.of(LineTable.stack(lines), np.arange(len(lines)), target.wavelength, q_max, LINES)
    second = float(ranking.fit.second[0])
    fit = refine(target, sticks, 0.0, STEPS, ranking.fit.take(each), ERRORS, second)
    if fit.explained[np.argmin(fit.chi_square)] < REPRODUCED:
        return ranking
    best = fit.take(fit.chi_square.reshape(count, -1).argmin(axis=1) + kinds_each * np.arange(count))
    places = np.concatenate([np.argsort(best.chi_square, kind="stable"), np.arange(count, len(ranking.order))])
    return Ranking(ranking.order[places], with_head(ranking.fit, best).take(places), target)
