"""Serving a CCSG model: ONNX Runtime, numpy, and no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.ccsg.cell import CellScale
from models.ccsg.files import CONDITIONER_FILE, DENOISER_FILE, model_id, read_config
from models.ccsg.schedule import STEPS, score_sizes
from models.cpcp.features import LineBatch, batch_lines
from models.files import WEIGHTS
from models.session import Device, open_session
from xtal.errors import UserError
from xtal.patterns import Lines

NAME = "ccsg"
MOST_PAIRS = 800_000  # pairs of atoms per run of the network: 0.5 GB
LARGEST = 400  # atoms per cell: what the method has been shown for


def shipped_id() -> str:
    """Return the id of the denoiser that comes with the package; "" where it is missing."""
    try:
        return model_id(WEIGHTS / NAME)
    except UserError:
        return ""


@dataclass(frozen=True, eq=False)
class Memory:
    """What the model remembers of B patterns: (B, M, D) tokens, and (B, M) what is added to attention logits."""

    tokens: NDArray[np.float32]
    absent: NDArray[np.float32]

    def repeated(self, rows: NDArray[np.integer]) -> "Memory":
        """Return the chosen patterns, each as often as it is named."""
        return Memory(self.tokens[rows], self.absent[rows])


class Denoiser:
    """Predicts scores and noise of noisy crystals, given a pattern."""

    def __init__(self, folder: Path | None = None, device: Device = "auto") -> None:
        """Open the model in `folder`, by default the one that comes with the package, on `device`.

        Raises:
            UserError: a file is missing or damaged, or ONNX Runtime cannot use the device.
        """
        folder = WEIGHTS / NAME if folder is None else folder
        self.config = read_config(folder)
        self.model_id = model_id(folder)
        self.scale = CellScale(np.array(self.config.cell_mean), np.array(self.config.cell_spread))
        self._conditioner = open_session(folder / CONDITIONER_FILE, device)
        self._denoiser = open_session(folder / DENOISER_FILE, device)
        self._asked = [given.name for given in self._denoiser.get_inputs()]  # `cspnet` does not ask for `absent`

    def remember(self, lines: Sequence[Lines]) -> Memory:
        """Read the lines found in B patterns.

        Raises:
            UserError: a pattern has no line.
        """
        found = batch_lines(lines, self.config.denoiser.lines)  # as many as in training
        if not (found.intensity[:, :1] > 0).all():
            raise UserError("no diffraction line was found in the pattern; there is nothing to generate from")
        return self.memory_of(found)

    def memory_of(self, found: LineBatch) -> Memory:
        """Read lines in the arrays of training; every pattern has one at least."""
        inputs = {"q": found.q, "intensity": found.intensity, "width": found.width, "q_range": found.q_range}
        return Memory(*self._conditioner.run(None, inputs))

    def predict(
        self, numbers: NDArray[np.int64], frac: NDArray, cell: NDArray, t: int, memory: Memory
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Predict what `models.ccsg.schedule` defines, for B crystals of up to N atoms at step `t`.

        Args:
            numbers: (B, N) atomic numbers, 0 for padding.
            frac: (B, N, 3) noisy fractional coordinates.
            cell: (B, 6) noisy cells.
            t: step, 1 to `STEPS`.
            memory: of the B patterns.

        Returns:
            (B, N, 3) scores in 1 / cell, and (B, 6) noise of the cells.
        """
        take = max(1, MOST_PAIRS // numbers.shape[1] ** 2)
        inputs: dict[str, NDArray] = {
            "numbers": numbers,
            "frac": frac.astype(np.float32),
            "cell": cell.astype(np.float32),
            "lattice": self.scale.lattices(cell).astype(np.float32),
            "time": np.full(len(numbers), t / STEPS, np.float32),
            "memory": memory.tokens,
            "absent": memory.absent,
        }
        parts = [
            self._denoiser.run(None, {name: inputs[name][i : i + take] for name in self._asked})
            for i in range(0, len(numbers), take)
        ]
        score, noise = (np.concatenate(part).astype(np.float64) for part in zip(*parts, strict=True))
        return score * score_sizes()[t], noise
