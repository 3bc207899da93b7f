"""From evidence to probability: logistic curves fitted to queries whose truth is known, kept in a small file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import folders
from indexer.storage.files import write_durably
from models.embedder import Embedder
from models.files import WEIGHTS
from models.logistic import Logistic
from search.verdict.evidence import FEATURES
from xtal.console import spelled
from xtal.errors import UserError
from xtal.shipped import renewed, whole

FORMAT = 1  # raised when older code could misread the file
SHIPPED = "verdict.json"  # beside the weights of an embedder
SHARES = (0.01, 0.03, 0.05)  # of patterns of absent structures that are accepted
MATCH_SHARE = 0.03  # the one of them that decides `match`: 1 % would turn away one measured mineral in five
EVEN = 0.5
LEAST_ACCOUNTED = 1 / 3  # see `Scrutiny.accounted`: all 1,306 right hits of ordinary and measured samples have more
BARELY = 0.12  # of poor samples whose first hit accounts for less, 15 of 124 were right
DOUBT = 4.0  # of odds that seem 50 to 95 %, see `Evidence.hazy`: of 71 such first hits of poor samples 28 were right
RESIDUE = FEATURES.index("residue when all is allowed for")
OUTER = 0.005  # quantile of the fitted queries beyond which a feature counts as if it stood there


@dataclass(frozen=True)
class Threshold:
    """The `probability` that a `share` of the patterns of absent structures reach."""

    share: float
    probability: float


@dataclass(frozen=True)
class Curves:
    """From features to probabilities.

    Attributes:
        low: (F,) features below count as this.
        high: (F,) features above count as this.
        alike: that the first hit is the structure or looks like it.
        exact: that the first hit is the very structure.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    alike: Logistic
    exact: Logistic

    def probabilities(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probabilities (T,) of `alike` and `exact` for features (T, F); rows of NaN have none, 0.

        What accounts for next to nothing is never likely, whatever else is right: it costs nothing either.
        """
        known = np.asarray(np.isfinite(features).all(axis=1))
        clipped = np.clip(np.where(known[:, None], features, 0), self.low, self.high)
        most = known * np.where(features[:, RESIDUE] > np.log(1 - LEAST_ACCOUNTED), BARELY, 1.0)
        alike, exact = (np.minimum(most, curve.probability(clipped)) for curve in (self.alike, self.exact))
        return alike, exact


@dataclass(frozen=True)
class Calibration:
    """What turns the evidence on an answer into a verdict.

    Attributes:
        embedder: whose similarities it was fitted to.
        model_id: of that embedder.
        index: that was searched.
        entries: how many that holds.
        queries: patterns of its entries that it was fitted to.
        curves: to the probabilities.
        thresholds: on the probability of `alike`.
    """

    embedder: str
    model_id: str
    index: str
    entries: int
    queries: int
    curves: Curves
    thresholds: tuple[Threshold, ...]

    def threshold(self, share: float = MATCH_SHARE) -> float:
        """Return the probability from which on an answer is a match when a `share` of false ones is accepted."""
        return next(t.probability for t in self.thresholds if t.share == share)

    @property
    def decisive(self) -> float:
        """The probability that decides `match`: no structure is one that is more likely wrong than right."""
        return max(EVEN, self.threshold())

    def save(self, path: Path) -> None:
        """Write the calibration as JSON, whole or not at all."""
        content = {"format": FORMAT, "features": FEATURES, **asdict(self)}
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
        renewed(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it or it is damaged."""
        try:
            raw = json.loads(whole(path).read_bytes())
            if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != FEATURES:
                raise UserError(f"{path} was written by another version of this program; {_hint(raw.get('index'))}")
            raw["curves"] = _read_curves(raw["curves"])
            raw["thresholds"] = tuple(Threshold(**t) for t in raw["thresholds"])
            return cls(**raw)
        except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
            raise UserError(f"{path} is damaged ({type(error).__name__}); {_hint(None)}") from error


def doubted(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities of what a few lines above a broad hump speak for: the odds are `DOUBT` times less."""
    return probability / (probability + DOUBT * (1 - probability))


def fit_bounds(features: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the range (F,), (F,) of features (T, F) outside of which nothing was learnt."""
    low, high = np.quantile(features, [OUTER, 1 - OUTER], axis=0)
    return tuple(low.tolist()), tuple(high.tolist())


def calibration_path(index: str, embedder: Embedder, home: Path | None = None) -> Path:
    """Return where the calibration of an index for an embedder is kept."""
    return folders.index_folder(index, home) / f"verdict-{embedder.model_id[:12]}.json"


def shipped_path(embedder: Embedder) -> Path:
    """Return where a calibration that comes with an embedder lies, there or not."""
    return WEIGHTS / embedder.name / SHIPPED


def find_calibration(index: str, embedder: Embedder, home: Path | None = None) -> Calibration:
    """Load the calibration of an index, else the one shipped with the embedder; UserError when neither fits."""
    for path in (calibration_path(index, embedder, home), shipped_path(embedder)):
        if path.is_file() and (found := Calibration.load(path)).model_id == embedder.model_id:
            return found
    raise UserError(f"there is no calibration for index {index!r} and embedder {embedder.name}; {_hint(index)}")


def _hint(index: str | None) -> str:
    return f"make one: {spelled('search calibrate')} {index or 'NAME'}"


def _read_curves(raw: dict[str, Any]) -> Curves:
    alike, exact = (Logistic(raw[name]["intercept"], tuple(raw[name]["weights"])) for name in ("alike", "exact"))
    return Curves(tuple(raw["low"]), tuple(raw["high"]), alike, exact)
