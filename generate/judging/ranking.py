"""From crystals to candidates: cells refined, fingerprints compared, the likeliest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generate.agreement import agreement
from generate.candidate import Candidate
from generate.checks import plausibility
from generate.judging.order import ordered
from generate.refine import Refined, fit_crystals
from models.embedder import Embedder
from xtal.crystals import Crystal
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, crystal_lines


@dataclass(frozen=True)
class Origin:
    """What a crystal began as, the id of the network that sampled it ("" where none did), and see `Candidate`."""

    name: str
    model_id: str = ""
    beforehand: float = 0.0


def ranked(
    embedder: Embedder,
    sample: Sample,
    vector: NDArray[np.float32],
    crystals: Sequence[Crystal],
    origins: Sequence[Origin],
    seed: int,
) -> list[Candidate]:
    """Refine, embed and order crystals.

    Args:
        embedder: of fingerprints.
        sample: the pattern.
        vector: (D,) its fingerprint.
        crystals: K, of any contents.
        origins: where each comes from.
        seed: of all.
    """
    if not crystals:
        return []
    refined = fit_crystals(sample, crystals)
    table = LineTable.stack([crystal_lines(crystal) for crystal in refined.crystals])
    similarity = embedder.embed_crystals(refined.crystals, table) @ vector
    judged = zip(similarity.tolist(), _agreements(refined.crystals), origins, strict=True)
    return ordered(_candidate(row, refined, *each, seed) for row, each in enumerate(judged))


def _agreements(crystals: Sequence[Crystal]) -> list[float]:
    """Return the agreement of each with the others of the same atoms."""
    alike = defaultdict[str, list[int]](list)
    for row, crystal in enumerate(crystals):
        alike[crystal.formula].append(row)
    found = np.zeros(len(crystals))
    for rows in alike.values():
        found[rows] = agreement([crystals[row] for row in rows])
    return found.tolist()


def _candidate(row: int, refined: Refined, similarity: float, agreed: float, origin: Origin, seed: int) -> Candidate:
    """Describe one refined crystal that has no rank yet."""
    crystal = refined.crystals[row]
    return Candidate(
        rank=0,
        crystal=crystal,
        similarity=similarity,
        fit=float(refined.fit.explained[row]),
        chi_square=float(refined.fit.chi_square[row]),
        agreement=agreed,
        closest=plausibility(crystal).closest,
        start=origin.name,
        seed=seed,
        number=row,
        model_id=origin.model_id,
        zero_shift=float(refined.fit.parameters[row, 6]),
        width=float(refined.width[row]),
        beforehand=origin.beforehand,
    )
