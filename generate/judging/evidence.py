"""What speaks for a generated crystal, as numbers, and questions whose answers are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from xtal.errors import UserError
from xtal.shipped import whole

BEST_FIT = 0.995  # what is explained beyond is noise
FEATURES = (
    "-ln of the share of the pattern that it leaves unexplained",
    "the same, less that of the best candidate",
    "similarity of fingerprints",
    "agreement with the other candidates",
    "ln of its closest contact over the shortest allowed, from ln 0.9 to 0",
    "whether a network sampled it",
    "ln of how probable its contents, cell and group were, less that of the likeliest candidate",
    "whether the formula was sought, too",
)
SIGNS = (1, 1, 1, 1, 1, 0, 1, 0)
NEAREST = 0.9  # one contact is enough to be far below 1, also of a crystal that is right but for a hydrogen or guest
UNLIKELIEST = -8.0  # what is less probable beforehand counts as this


def evidence(candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return the `FEATURES` (R, F) of the candidates for one pattern."""
    beforehand = np.array([c.beforehand for c in candidates])
    explained = -np.log1p(-np.clip([c.fit for c in candidates], 0.0, BEST_FIT))
    return np.stack(
        [
            explained,
            explained - explained.max(initial=0.0),
            np.array([c.similarity for c in candidates]),
            np.array([c.agreement for c in candidates]),
            np.log(np.clip([c.closest for c in candidates], NEAREST, 1.0)),
            np.array([float(bool(c.model_id)) for c in candidates]),
            np.maximum(beforehand - beforehand.max(initial=-np.inf), UNLIKELIEST),
            np.full(len(candidates), float((beforehand != 0).any())),
        ],
        axis=1,
    )


@dataclass(frozen=True, eq=False)
class Record:
    """Candidates for patterns of known crystals.

    Attributes:
        features: (R, F) of all candidates of all questions, best first within each.
        question: (R,) which question each belongs to.
        rmse: (R,) of their atoms against the truth, in units of (V / N)^(1/3); inf where it is another crystal.
    """

    features: NDArray[np.float64]
    question: NDArray[np.int64]
    rmse: NDArray[np.float64]

    @classmethod
    def of(cls, answers: Sequence[Sequence[Candidate]], rmse: Sequence[Sequence[float | None]]) -> Self:
        """Take down the answers to questions, with the rmse of each; None where it is another crystal."""
        counts = [len(candidates) for candidates in answers]
        errors = [np.inf if error is None else error for row in rmse for error in row]
        features = [evidence(candidates) for candidates in answers]
        return cls(
            np.concatenate([np.empty((0, len(FEATURES))), *features]),
            np.repeat(np.arange(len(counts)), counts),
            np.array(errors, dtype=float),
        )

    @classmethod
    def joined(cls, records: Sequence[Self]) -> Self:
        """Put records together."""
        ends = np.cumsum([0, *(record.questions for record in records)])
        return cls(
            np.concatenate([record.features for record in records]),
            np.concatenate([record.question + end for record, end in zip(records, ends, strict=False)]),
            np.concatenate([record.rmse for record in records]),
        )

    @property
    def questions(self) -> int:
        """How many had at least one candidate."""
        return int(self.question.max(initial=-1)) + 1

    def save(self, path: Path) -> None:
        """Write it as a NumPy archive."""
        np.savez_compressed(path, features=self.features.astype(np.float32), question=self.question, rmse=self.rmse)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            UserError: it holds something else, or is not as it was shipped.
        """
        shipped = whole(path)
        try:
            with np.load(shipped) as file:
                record = cls(file["features"].astype(float), file["question"], file["rmse"])
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{path} is no record of answers ({error}); 'generate benchmark --record FILE' writes one"
            ) from error
        if record.features.shape[1:] != (len(FEATURES),):
            raise UserError(f"{path} was written by another version of this program; run the benchmark again")
        return record
