"""Settle which of the hits that fit nearly alike comes first."""

import numpy as np

from indexer.storage import Index
from search.ranking.rerank import STRAIN_MARGIN, Ranking
from xtal.patterns import q_from_two_theta
from xtal.physics import Shell
from xtal.physics.posterior import log_posteriors
from xtal.physics.powder import expected_reflections

MARGIN = 1.3  # hits tie whose χ² is at most so many times the best one's
MOST = 5
EXPLAINED = 0.55  # χ² per point below which it decides: the errors are then smaller than the posterior supposes
STRANGE = 6.0  # χ² per point above which it decides: nothing fits, and one of the wrong ones is as good as another
MISFIT_SHARE = 0.05  # of χ², taken off the log posterior: it decides where that is level or its fit got stuck
MOST_WAVES = 1e7  # reflections times atoms of all that tie, some tenths of a second: beyond, χ² decides


def settle(ranking: Ranking, index: Index, rows: np.ndarray) -> Ranking:
    """Order the leading hits of a ranking of the entries `rows` (R,) of an index by their log posteriors.

    χ² and all else that was found of each hit stay as they are. Nothing is done where no other structure ties with the
    first (copies of one are as right as each other), nor where the first explains the pattern up to its noise or hardly
    at all, nor where it would take seconds.
    """
    target, chi_square = ranking.target, ranking.fit.chi_square[:MOST]
    if not len(chi_square) or not EXPLAINED <= chi_square[0] / target.points <= STRANGE:
        return ranking
    count = int((chi_square <= MARGIN * chi_square[0]).sum())
    tied = rows[ranking.order[:count]]
    if len(np.unique(index.entries.group[tied])) < 2:
        return ranking
    q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
    crystals = [index.crystal(int(row)) for row in tied]
    if sum(expected_reflections(crystal, q_max) * len(crystal.numbers) for crystal in crystals) > MOST_WAVES:
        return ranking
    second = float(ranking.fit.second[0])
    shells = [Shell.of(crystal, target.wavelength, q_max, second) for crystal in crystals]
    score = log_posteriors(target, shells, ranking.fit.take(np.arange(count)))
    best = np.argsort(MISFIT_SHARE * chi_square[:count] - score, kind="stable")
    places = np.concatenate([best, np.arange(count, len(ranking.order))])
    return Ranking(ranking.order[places], ranking.fit.take(places), target)
