"""Chances that generated crystals are right, by logistic curves fitted to questions whose truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from generate.judging.evidence import FEATURES, evidence
from indexer.storage import curve_files
from models.logistic import Logistic

SHIPPED = Path(__file__).parent / "data" / "chances.json"
IN_PLACE = 0.2  # rmse in units of (V / N)^(1/3), about half an ångström, below which atoms are where they should be
EVEN = 0.5


@dataclass(frozen=True)
class Chance:
    """How likely a candidate is right.

    Attributes:
        framework: that it is the framework: the same net, and atoms in the right region (pymatgen's matcher, strict).
        atoms: that its atoms are in place, too, to less than `IN_PLACE`.
    """

    framework: float
    atoms: float

    @property
    def word(self) -> str:
        """``solved``; ``plausible``, the framework but hardly all its atoms; or ``unlikely``."""
        if self.atoms > EVEN:
            return "solved"
        return "plausible" if self.framework > EVEN else "unlikely"


@dataclass(frozen=True)
class Curves:
    """From evidence to chances.

    Attributes:
        low: (F,) features below count as this.
        high: (F,) features above count as this.
        framework: curve of `Chance.framework`.
        atoms: curve of `Chance.atoms`.
        questions: that it was fitted to.
        sources: of these, in words.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    framework: Logistic
    atoms: Logistic
    questions: int
    sources: str

    def chances(self, features: NDArray[np.float64]) -> list[Chance]:
        """Return the chances of features (R, F); atoms are in place in no other framework than the right one."""
        clipped = np.clip(features, self.low, self.high)
        framework = self.framework.probability(clipped)
        atoms = np.minimum(self.atoms.probability(clipped), framework)
        return [Chance(*pair) for pair in zip(framework.tolist(), atoms.tolist(), strict=True)]

    def save(self, path: Path) -> None:
        """Write them as JSON, whole or not at all."""
        curve_files.save(path, FEATURES, self)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = curve_files.read(path, FEATURES)
        framework, atoms = (
            Logistic(one["intercept"], tuple(one["weights"])) for one in (raw.pop("framework"), raw.pop("atoms"))
        )
        return cls(tuple(raw.pop("low")), tuple(raw.pop("high")), framework, atoms, **raw)


def chances(candidates: Sequence[Candidate]) -> list[Chance]:
    """Return the chances of all candidates for one pattern."""
    return _shipped().chances(evidence(candidates)) if candidates else []


@lru_cache(maxsize=1)
def _shipped() -> Curves:
    return Curves.load()
