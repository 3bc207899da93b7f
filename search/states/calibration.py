"""From evidence to the probability of another pore state: a curve fitted to patterns whose truth is known."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

from indexer.storage.files import write_durably
from models.embedder import Embedder
from models.files import WEIGHTS
from search.states.evidence import FEATURES
from search.verdict.curve import Curve
from xtal.errors import UserError
from xtal.shipped import renewed, whole

FORMAT = 1  # raised when older code could misread the file
SHIPPED = "states.json"  # beside the weights of an embedder


@dataclass(frozen=True)
class StateCurve:
    """What turns the evidence on stretched candidates into probabilities.

    Attributes:
        model_id: of the embedder whose similarities it was fitted to.
        trials: patterns that it was fitted to.
        curve: that a candidate is the framework of the sample, in whatever state.
        least: probability from which it is named.
    """

    model_id: str
    trials: int
    curve: Curve
    least: float

    def save(self, path: Path) -> None:
        """Write the curve as JSON, whole or not at all."""
        content = {"format": FORMAT, "features": FEATURES, **asdict(self)}
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
        renewed(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = json.loads(whole(path).read_bytes())
        if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != FEATURES:
            raise UserError(f"{path} was written by another version of this program; install the program anew")
        return cls(**{**raw, "curve": Curve.read(raw["curve"])})


@lru_cache(maxsize=4)
def _load(path: Path) -> StateCurve:
    return StateCurve.load(path)


def shipped_curve(embedder: Embedder) -> StateCurve | None:
    """Return the curve that comes with an embedder; None where there is none: no other state is looked for."""
    path = WEIGHTS / embedder.name / SHIPPED
    if not path.is_file():
        return None
    curve = _load(path)
    return curve if curve.model_id == embedder.model_id else None
