"""A generated crystal and what speaks for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import log1p
from statistics import fmean

from xtal.crystals import Crystal

SHARE_OF_FIT = (
    0.5  # in the score: fit and similarity, blind to an error of an ångström, scatter more widely than agreement
)
BEST_FIT = 0.99  # no pattern is explained better, and be it for its noise


@dataclass(frozen=True, eq=False)
class Candidate:
    """One generated crystal, compared with the pattern it was made for. Generated, not verified.

    Attributes:
        rank: 1 is best.
        crystal: after refinement of its cell, named ``generated-1`` and so on by rank.
        similarity: cosine of the CPCP fingerprints of pattern and crystal; no probability.
        fit: share of the measured intensity above the background that the fitted profile reproduces, 0 to 1.
        chi_square: of that fit.
        agreement: with the other candidates of its formula, 0 to 1, see `generate.agreement`.
        closest: Å, shortest distance of two atoms over the shortest that chemistry allows them; below 1 they overlap.
        start: what it began as: ``noise``, the id of a known crystal, or two: one with linkers of the other.
        seed: of the run; with `number` and the composition it names the sample.
        number: place in the batch that was sampled.
        model_id: SHA-256 of the denoiser that sampled it; "" where none did.
        zero_shift: degrees 2θ, of the fit.
        width: full width at half maximum of the lines, degrees, of the fit.
    """

    rank: int
    crystal: Crystal
    similarity: float
    fit: float
    chi_square: float
    agreement: float
    closest: float
    start: str
    seed: int
    number: int
    model_id: str
    zero_shift: float
    width: float

    @property
    def score(self) -> float:
        """What candidates of one formula are ordered by: the nearer the fit comes to 1, the more it counts."""
        return self.agreement + SHARE_OF_FIT * (self.similarity - log1p(-min(self.fit, BEST_FIT)))


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Order candidates of one formula by score, and name them by their ranks."""
    return numbered(sorted(candidates, key=lambda candidate: -candidate.score))


def merged(batches: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    """Order candidates of several formulas, one batch each, together.

    How far samples agree depends on the size of the cell, so that the mean of each batch is taken off.
    """
    scored = [(c.score - fmean(each.agreement for each in batch), c) for batch in batches for c in batch]
    return numbered([candidate for _, candidate in sorted(scored, key=lambda pair: -pair[0])])


def numbered(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give candidates in their order ranks from 1, and names by them."""
    return [
        replace(c, rank=rank, crystal=replace(c.crystal, name=f"generated-{rank}"))
        for rank, c in enumerate(candidates, 1)
    ]
