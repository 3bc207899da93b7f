"""Serving a CPCP model: ONNX Runtime, numpy, and no torch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.cpcp.atoms import batch_atoms, offsets_of, size_batches
from models.cpcp.features import batch_lines, composition_features, computed_lines
from models.cpcp.files import CRYSTAL_FILE, PATTERN_FILE, model_id, read_config
from models.files import WEIGHTS
from models.session import Device, open_session, run_chunks
from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.physics import LineTable

MOST_PAIRS = 1 << 18  # pairs of atoms per run: 200 MB at 48 hidden features
LARGEST = 1_000  # atoms that the atom encoder takes in: the pairs of 2,000 would need gigabytes


class CPCPEmbedder(ABC):
    """`Embedder` for patterns; how crystals are seen is left to the two kinds."""

    name: str

    def __init__(self, folder: Path | None = None, device: Device = "auto") -> None:
        """Open the model in `folder`, by default the one that comes with the package, on `device`.

        Raises:
            UserError: a file is missing or damaged, or ONNX Runtime cannot use the device.
        """
        folder = WEIGHTS / self.name if folder is None else folder
        self.config = read_config(folder)
        self.model_id = model_id(folder)
        self.dimension = self.config.lines.dimension
        self._pattern = open_session(folder / PATTERN_FILE, device)
        self._crystal = open_session(folder / CRYSTAL_FILE, device)

    def embed_patterns(self, lines: Sequence[Lines]) -> NDArray[np.float32]:
        """Return (B, dimension) unit vectors, given the lines found in B patterns; without a line, a zero vector."""
        found = batch_lines(lines, self.config.lines.drawn)
        inputs = {"q": found.q, "intensity": found.intensity, "width": found.width, "q_range": found.q_range}
        return run_chunks(self._pattern, self.dimension, inputs) * (found.intensity[:, :1] > 0)

    @abstractmethod
    def embed_crystals(self, crystals: Sequence[Crystal], lines: LineTable) -> NDArray[np.float32]:
        """Return (S, dimension) unit vectors of S crystals with their computed lines."""


class ReciprocalEmbedder(CPCPEmbedder):
    """Sees a crystal as its computed lines and its composition."""

    name = "cpcp-reciprocal"

    def embed_crystals(self, crystals: Sequence[Crystal], lines: LineTable) -> NDArray[np.float32]:
        """Return (S, dimension) unit vectors, the same for every cell and setting of a crystal."""
        own = computed_lines(lines, self.config.lines.drawn)
        inputs = {"q": own.q, "intensity": own.intensity, "q_range": own.q_range}
        return run_chunks(self._crystal, self.dimension, {**inputs, "composition": composition_features(crystals)})


class CSPNetEmbedder(CPCPEmbedder):
    """Sees a crystal as its atoms and cell, as the XtalNet paper does."""

    name = "cpcp-cspnet"

    def embed_crystals(self, crystals: Sequence[Crystal], lines: LineTable) -> NDArray[np.float32]:  # noqa: ARG002
        """Return (S, dimension) unit vectors; a crystal of more than `LARGEST` atoms is a zero vector, never found."""
        vectors = np.zeros((len(crystals), self.dimension), np.float32)
        counts = np.array([len(crystal) for crystal in crystals], dtype=np.int64)
        small = np.flatnonzero(counts <= LARGEST)
        for group in size_batches(counts[small], MOST_PAIRS):
            rows = small[group]
            chosen = [crystals[row] for row in rows]
            atoms = batch_atoms(
                offsets_of(counts[rows]),
                np.concatenate([c.numbers for c in chosen]),
                np.concatenate([c.frac_coords for c in chosen]),
                np.array([c.lattice for c in chosen]),
                np.arange(len(rows)),
            )
            inputs = {"numbers": atoms.numbers, "frac": atoms.frac, "lattice": atoms.lattice}
            vectors[rows] = self._crystal.run(None, inputs)[0]
        return vectors
