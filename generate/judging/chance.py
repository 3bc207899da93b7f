"""Chances that generated crystals are right, by logistic curves fitted to questions whose truth is known."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from generate.judging.evidence import FEATURES, evidence
from indexer.storage.files import write_durably
from models.logistic import Logistic
from xtal.errors import UserError
from xtal.shipped import renewed, whole

SHIPPED = Path(__file__).parent / "data" / "chances.json"
FORMAT = 1  # raised when older code could misread the file
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
        content = {"format": FORMAT, "features": FEATURES, **asdict(self)}
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
        renewed(path)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw: dict[str, Any] = json.loads(whole(path).read_bytes())
        if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != FEATURES:
            raise UserError(f"{path} was written by another version of this program; install the program anew")
        curves = {
            name: Logistic(raw[name]["intercept"], tuple(raw[name]["weights"])) for name in ("framework", "atoms")
        }
        return cls(**raw | {"low": tuple(raw["low"]), "high": tuple(raw["high"])} | curves)


def chances(candidates: Sequence[Candidate]) -> list[Chance]:
    """Return the chances of all candidates for one pattern."""
    return _shipped().chances(evidence(candidates)) if candidates else []


@lru_cache(maxsize=1)
def _shipped() -> Curves:
    return Curves.load()
