"""Serving a CPCP model: ONNX Runtime, numpy, and no torch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.cpcp.atoms import batch_atoms, offsets_of, size_batches
from models.cpcp.features import batch_lines, composition_features, computed_lines
from models.cpcp.files import CRYSTAL_FILE, PATTERN_FILE, WEIGHTS, model_id, read_config
from xtal.crystal import Crystal
from xtal.errors import UserError
from xtal.line_table import LineTable
from xtal.pattern import Lines, Pattern
from xtal.settings import cores

CHUNK = 256  # rows per run: 100 MB of working memory
MOST_PAIRS = 1 << 18  # pairs of atoms per run: 200 MB at 48 hidden features
LARGEST = 1_000  # atoms that the atom encoder takes in: the pairs of 2,000 would need gigabytes


class CPCPEmbedder(ABC):
    """`Embedder` for patterns; how crystals are seen is left to the two kinds."""

    name: str

    def __init__(self, folder: Path | None = None) -> None:
        """Open the model in `folder`, by default the one that comes with the package.

        Raises:
            UserError: a file is missing, or ONNX Runtime refuses it.
        """
        folder = WEIGHTS / self.name if folder is None else folder
        self.config = read_config(folder)
        self.model_id = model_id(folder)
        self.dimension = self.config.lines.dimension
        self._pattern = _open_session(folder / PATTERN_FILE)
        self._crystal = _open_session(folder / CRYSTAL_FILE)

    def embed_patterns(self, patterns: Sequence[Pattern]) -> NDArray[np.float32]:
        """Return (B, dimension) unit vectors; a pattern in which no line was found is a zero vector."""
        from xtal.linefinder import find_lines

        return self.embed_found([find_lines(pattern, self.config.lines.drawn) for pattern in patterns])

    def embed_found(self, found: Sequence[Lines]) -> NDArray[np.float32]:
        """Return (B, dimension) unit vectors of the lines found in B patterns."""
        lines = batch_lines(found, self.config.lines.drawn)
        inputs = {"q": lines.q, "intensity": lines.intensity, "width": lines.width, "q_range": lines.q_range}
        vectors = _run_chunks(self._pattern, self.dimension, inputs)
        return vectors * (lines.intensity[:, :1] > 0)

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
        return _run_chunks(self._crystal, self.dimension, {**inputs, "composition": composition_features(crystals)})


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


def _open_session(path: Path) -> Any:
    """Open one graph, on a GPU where this ONNX Runtime has one."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.log_severity_level = 3
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    offered = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=offered)
    except Exception as error:  # ONNX Runtime raises a class of its own for each kind of damage
        raise UserError(f"ONNX Runtime cannot open {path}: {error}; export the model again") from error


def _run_chunks(session: Any, dimension: int, inputs: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Run a graph over many rows, `CHUNK` at a time; (B, dimension)."""
    count = len(next(iter(inputs.values())))
    parts = [
        session.run(None, {name: np.ascontiguousarray(rows[i : i + CHUNK]) for name, rows in inputs.items()})[0]
        for i in range(0, count, CHUNK)
    ]
    return np.concatenate([np.empty((0, dimension), np.float32), *parts])
