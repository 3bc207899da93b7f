"""ONNX graphs, opened on the chosen device and run a chunk at a time."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.settings import cores
from xtal.shipped import whole

Device = Literal["auto", "cpu", "cuda"]
CHUNK = 256  # rows per run: 100 MB of working memory
GPU, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def open_session(path: Path, device: Device = "auto") -> Any:
    """Open one graph.

    Raises:
        UserError: ONNX Runtime cannot read the file, or `device` is ``cuda`` and it finds no GPU.
    """
    import onnxruntime

    offered = device != "cpu" and GPU in onnxruntime.get_available_providers()
    if device == "cuda" and not offered:
        raise UserError("this ONNX Runtime has no GPU support; install onnxruntime-gpu, or leave --device out")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the core to others
    options.log_severity_level = 3
    graph = str(whole(path))
    try:
        session = onnxruntime.InferenceSession(graph, options, providers=[GPU, CPU] if offered else [CPU])
    except _refusals() as error:
        raise UserError(f"ONNX Runtime cannot open {path}: {error}; export the model again") from error
    if device == "cuda" and GPU not in session.get_providers():  # it falls back in silence where CUDA does not start
        raise UserError("ONNX Runtime could not start CUDA; check the driver and its libraries, or leave --device out")
    return session


def _refusals() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises for a file that it cannot use: a class for each kind of damage."""
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    return (
        raised.EPFail,
        raised.Fail,
        raised.InvalidArgument,
        raised.InvalidGraph,
        raised.InvalidProtobuf,
        raised.NoModel,
        raised.NoSuchFile,
        raised.NotImplemented,
        raised.RuntimeException,
        RuntimeError,
    )


def run_chunks(session: Any, dimension: int, inputs: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Run a graph over many rows, `CHUNK` at a time; (B, dimension)."""
    count = len(next(iter(inputs.values())))
    parts = [
        session.run(None, {name: np.ascontiguousarray(rows[i : i + CHUNK]) for name, rows in inputs.items()})[0]
        for i in range(0, count, CHUNK)
    ]
    return np.concatenate([np.empty((0, dimension), np.float32), *parts])
