"""What the files of all exported models share: their names, how they are written, and the id that they give a model."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from models.cpcp.config import NetworkConfig
from xtal.console import spelled
from xtal.errors import UserError
from xtal.shipped import whole

WEIGHTS_FILE, CONFIG_FILE = "network.safetensors", "config.json"
WEIGHTS = Path(__file__).parent / "weights"  # the models that come with the package


class Arrays:
    """A dataclass of arrays that is kept in one npz without pickled objects."""

    def save(self, path: Path, compressed: bool = False) -> None:
        """Write the arrays; the file appears only when complete. Compressed ones are a third as large, and slow."""
        part = path.with_suffix(".part.npz")
        (np.savez_compressed if compressed else np.savez)(part, **{f.name: getattr(self, f.name) for f in fields(self)})  # type: ignore[arg-type]
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(**{f.name: stored[f.name] for f in fields(cls)})  # type: ignore[arg-type]


def read_settings(folder: Path, kind: str) -> dict[str, Any]:
    """Read the settings of a model in `folder`, its line encoder's made ready; UserError when it has none."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise UserError(f"no model in {folder}: {CONFIG_FILE} is missing; train one: {spelled('models train')} {kind}")
    try:
        stored = json.loads(whole(path).read_bytes())
        lines = NetworkConfig(**{**stored["lines"], "channels": tuple(stored["lines"]["channels"])})
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}); export the model again") from error
    return {**stored, "lines": lines}


def trained_weights(folder: Path) -> Path:
    """Return the file that training goes on from; UserError when it is missing, as it is from the wheel."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise UserError(
            f"{path} is missing: an installed package has only what serving reads; take the file from the source "
            f"distribution, or export a model of your own: {spelled('models export')} RUN --out DIR"
        )
    return path


def digest_of(folder: Path, served: Sequence[str], version: int) -> str:
    """SHA-256 (hex) over the `served` files and the version of what surrounds them; UserError when one is missing."""
    digest = hashlib.sha256(str(version).encode())
    for name in served:
        if not (folder / name).is_file():
            raise UserError(
                f"no model in {folder}: {name} is missing; export one: {spelled('models export')} RUN --out DIR"
            )
        digest.update(whole(folder / name).read_bytes())
    return digest.hexdigest()
