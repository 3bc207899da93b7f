"""A generated crystal and what speaks for it."""

from dataclasses import dataclass

from xtal.crystals import Crystal


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
        beforehand: ln of how probable its contents, cell and group were; 0 where only one formula was asked for.
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
    beforehand: float = 0.0
