"""Whether the structure was found: the calibrated word on an answer."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """What an answer amounts to.

    Attributes:
        kind: ``match`` when the first hit is the structure, as far as can be told, ``miss`` otherwise.
        probability: that the first hit (its group of equal structures) is right; calibrated, 0 to 1.
        reasons: what speaks for and against, in words for people to read.
    """

    kind: Literal["match", "miss"]
    probability: float
    reasons: tuple[str, ...]
