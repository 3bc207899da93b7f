"""From a torch module to an ONNX graph whose batch size and lengths are free."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

OPSET = 17
SECOND_AXIS = {
    **dict.fromkeys(("q", "intensity", "width"), "lines"),
    **dict.fromkeys(("numbers", "frac", "score"), "atoms"),
    **dict.fromkeys(("memory", "absent"), "tokens"),
}  # of the arrays that have one of variable length


def write_graph(graph: nn.Module, inputs: dict[str, Tensor], outputs: Sequence[str], path: Path) -> None:
    """Trace a module with example `inputs` and write it; the first axis of everything is the batch."""
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


def _axes(name: str) -> dict[int, str]:
    return {0: "batch"} | ({1: SECOND_AXIS[name]} if name in SECOND_AXIS else {})
