"""The state of a training run on disk, without pickle: networks, optimiser, step count and time used."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from xtal.errors import UserError

STATE_FILE = "state.safetensors"
LAST_RATE = 0.02  # of the peak: the last steps still move


@dataclass(frozen=True)
class Progress:
    """Steps taken and seconds used so far."""

    step: int = 0
    seconds: float = 0.0

    def stepped(self) -> "Progress":
        """Return the progress after one more step."""
        return replace(self, step=self.step + 1)

    def at(self, seconds: float) -> "Progress":
        """Return the progress at this time."""
        return replace(self, seconds=seconds)

    def rate(self, peak: float, warm_up: int, minutes: float) -> float:
        """Learning rate now: linear warm-up over steps, then half a cosine over the time granted."""
        share = min(1.0, self.seconds / (60 * minutes))
        cosine = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * share)) / 2
        return peak * min(1.0, (self.step + 1) / warm_up) * cosine


def save_state(folder: Path, parts: nn.Module, average: nn.Module, optimiser: Optimizer, progress: Progress) -> None:
    """Write everything needed to go on; the file is replaced only when the new one is complete."""
    state = {f"parts.{key}": value for key, value in parts.state_dict().items()}
    state |= {f"average.{key}": value for key, value in average.state_dict().items()}
    for index, entry in optimiser.state_dict()["state"].items():
        state |= {f"optimiser.{index}.{key}": value for key, value in entry.items()}
    part = folder / f"{STATE_FILE}.part"
    words = {"step": str(progress.step), "seconds": str(progress.seconds)}
    save_file({key: value.contiguous().clone() for key, value in state.items()}, part, metadata=words)
    part.replace(folder / STATE_FILE)


def load_state(folder: Path, parts: nn.Module, average: nn.Module, optimiser: Optimizer) -> Progress:
    """Take over what `save_state` wrote; raise UserError when there is nothing."""
    state = read_state(folder)
    parts.load_state_dict(under(state, "parts."))
    average.load_state_dict(under(state, "average."))
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in under(state, "optimiser.").items():
        index, name = key.split(".")
        entries.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": entries})
    return read_progress(folder)


def read_progress(folder: Path) -> Progress:
    """Read how far a run had come; raise UserError when there is no checkpoint."""
    with safe_open(_state_file(folder), "pt") as stored:
        words = stored.metadata()
    return Progress(int(words["step"]), float(words["seconds"]))


def read_state(folder: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; raise UserError when there is none."""
    return load_file(_state_file(folder))


def _state_file(folder: Path) -> Path:
    if not (folder / STATE_FILE).is_file():
        raise UserError(f"no checkpoint in {folder}; give the --out folder of a training run that saved one")
    return folder / STATE_FILE


def under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the entries whose key begins with `prefix`, without it."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move a running average of weights after the model; faster while it is young."""
    keep = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(value, 1 - keep)
