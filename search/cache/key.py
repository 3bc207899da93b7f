"""What an answer depends on, and the key that the cache files it under."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xtal.patterns import Pattern

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ANSWERS = 12  # raise it when the same models, index and settings answer differently: older answers are then not found


@dataclass(frozen=True)
class Origin:
    """What computed an answer.

    Attributes:
        embedder_id: the embedder's `model_id`.
        denoiser_id: SHA-256 of the denoiser, "" when nothing can be generated.
        index: name of the index.
        build_id: of that index; another build of the same name is another index.
    """

    embedder_id: str
    denoiser_id: str
    index: str
    build_id: str


def solution_key(
    pattern: Pattern, settings: "Mapping[str, Any] | DataclassInstance", model_ids: Sequence[str], index_id: str
) -> str:
    """Return the SHA-256 (hex) of everything that decides an answer; the pattern's file name does not.

    Numbers are hashed as little-endian float64, with -0.0 as 0.0, so that one pattern has one key on every machine.

    Args:
        pattern: as measured.
        settings: of the search and of the generation; see `canonical`.
        model_ids: of the embedder and the denoiser.
        index_id: build id of the index.
    """
    digest = hashlib.sha256()
    facts = {"answers": ANSWERS, "settings": canonical(settings), "models": list(model_ids), "index": index_id}
    _add(digest, json.dumps(facts, sort_keys=True).encode())
    for values in (pattern.two_theta, pattern.intensity, pattern.sigma, pattern.wavelength):
        _add(digest, b"" if values is None else (np.asarray(values, dtype="<f8") + 0.0).tobytes())
    return digest.hexdigest()


def canonical(settings: "Mapping[str, Any] | DataclassInstance") -> str:
    """Return settings as JSON text that depends neither on the order of names nor on that of a set.

    Raises:
        TypeError: a value that is no text, number, truth value, None, or a collection of these.
    """
    facts = asdict(settings) if is_dataclass(settings) else dict(settings)
    return json.dumps(facts, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Return what JSON does not know as something that it does."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"settings hold text, numbers, truth values and collections of them, got {value!r}")


def _add(digest: Any, data: bytes) -> None:
    """Hash one part; its length before it keeps neighbouring parts apart."""
    digest.update(len(data).to_bytes(8, "little"))
    digest.update(data)
