"""From a torch module to an ONNX graph whose batch size and lengths are free."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
WORTH_HALVING = 1024  # numbers: smaller arrays take no room
SECOND_AXIS = {
    **dict.fromkeys(("q", "intensity", "width"), "lines"),
    **dict.fromkeys(("numbers", "frac", "score"), "atoms"),
    **dict.fromkeys(("memory", "absent"), "tokens"),
}  # of the arrays that have one of variable length


def write_graph(graph: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str], path: Path) -> None:
    """Trace a module with example `inputs` and write it; the first axis of everything is the batch.

    Weights that half precision holds exactly, see `rounded`, take half of the room; they are used in single precision.
    """
    names = [*inputs, *outputs]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter announces that it is the older one
        torch.onnx.export(
            graph.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: _axes(name) for name in names},
            opset_version=OPSET,
            dynamo=False,  # it needs no further package
        )
    _store_halves(path)


@torch.no_grad()
def rounded(weights: Iterable[Tensor]) -> None:
    """Round weights, in place, to what half precision holds: 11 bits are more than training settles.

    Not for other constants of a network: 2π times a coordinate would no longer be periodic.
    """
    for weight in weights:
        weight.copy_(weight.half())


def _store_halves(path: Path) -> None:
    """Replace each large array that half precision holds exactly by that and a cast, which runtimes do once."""
    model, casts = onnx.load(path), []
    for array in model.graph.initializer:
        values = numpy_helper.to_array(array)
        half = values.astype(np.float16) if values.dtype == np.float32 and values.size >= WORTH_HALVING else None
        if half is not None and np.array_equal(half, values):
            name, stored = array.name, f"{array.name}.half"
            array.CopyFrom(numpy_helper.from_array(half, stored))
            casts.append(helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def _axes(name: str) -> dict[int, str]:
    return {0: "batch"} | ({1: SECOND_AXIS[name]} if name in SECOND_AXIS else {})
