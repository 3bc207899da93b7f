"""Files of curves that turn evidence into probabilities; most lie beside the weights of the embedder they belong to."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from indexer.storage.files import write_durably
from models.embedder import Embedder
from models.files import WEIGHTS
from xtal.errors import UserError
from xtal.shipped import renewed, whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT = 1  # raised when older code could misread the file


class Fitted(Protocol):
    """What was fitted to the similarities of one embedder; `model_id` names it."""

    @property
    def model_id(self) -> str:
        """Name the embedder."""


Kind = TypeVar("Kind", bound=Fitted)


def save(path: Path, features: Sequence[str], curves: "DataclassInstance") -> None:
    """Write curves of the named features as JSON, whole or not at all."""
    content = {"format": FORMAT, "features": features, **asdict(curves)}
    write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
    renewed(path)


def read(path: Path, features: Sequence[str]) -> dict[str, Any]:
    """Read what `save` wrote; UserError when another version of the program wrote it."""
    raw: dict[str, Any] = json.loads(whole(path).read_bytes())
    if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != tuple(features):
        raise UserError(f"{path} was written by another version of this program; install the program anew")
    return raw


def of_embedder(embedder: Embedder, name: str, load: Callable[[Path], Kind]) -> Kind | None:
    """Return the curves of a file beside an embedder's weights; None where there are none for this very one."""
    path = WEIGHTS / embedder.name / name
    if not path.is_file():
        return None
    curves = _once(path, load)
    return curves if curves.model_id == embedder.model_id else None


@lru_cache(maxsize=8)
def _once(path: Path, load: Callable[[Path], Kind]) -> Kind:
    return load(path)
