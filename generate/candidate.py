"""A generated crystal and what speaks for it."""

from dataclasses import dataclass

from xtal.crystal import Crystal


@dataclass(frozen=True, eq=False)
class Candidate:
    """One generated crystal, compared with the pattern it was made for. Generated, not verified.

    Attributes:
        rank: 1 is best.
        crystal: after refinement of its cell, named ``generated-1`` and so on by rank.
        similarity: cosine of the CPCP fingerprints of pattern and crystal; no probability.
        fit: share of the measured intensity above the background that the fitted profile reproduces, 0 to 1.
        chi_square: of that fit.
        closest: Å, shortest distance of two atoms over the shortest that chemistry allows them; below 1 they overlap.
        start: what diffusion began with: ``noise``, or the id of the entry used as a template.
        seed: of the run; with `number` and the composition it names the sample.
        number: place in the batch that was sampled.
        model_id: SHA-256 of the denoiser.
        zero_shift: degrees 2θ, of the fit.
        width: full width at half maximum of the lines, degrees, of the fit.
    """

    rank: int
    crystal: Crystal
    similarity: float
    fit: float
    chi_square: float
    closest: float
    start: str
    seed: int
    number: int
    model_id: str
    zero_shift: float
    width: float

    @property
    def score(self) -> float:
        """What candidates are ordered by: similarity and fit count alike."""
        return self.similarity + self.fit
