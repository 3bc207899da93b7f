"""The order of candidates: the likeliest framework first."""

from collections.abc import Iterable
from dataclasses import replace

from generate.candidate import Candidate
from generate.judging.chance import chances


def ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Order all candidates for one pattern by their chances, those alike by their fit; rank and name them by this."""
    every = list(candidates)
    judged = [(chance.framework, chance.atoms, c.fit) for chance, c in zip(chances(every), every, strict=True)]
    order = sorted(range(len(every)), key=lambda row: judged[row], reverse=True)
    return [
        replace(every[row], rank=rank, crystal=replace(every[row].crystal, name=f"generated-{rank}"))
        for rank, row in enumerate(order, 1)
    ]
