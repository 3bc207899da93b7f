"""From a trained denoiser to the files that serving reads: ONNX graphs, weights, settings."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from models.ccsg.files import CONDITIONER_FILE, DENOISER_FILE, read_config
from models.ccsg.model import CCSG
from models.checkpoint import read_state, under
from models.files import CONFIG_FILE, WEIGHTS_FILE
from models.graphs import rounded, write_graph
from xtal.shipped import renewed


def export_checkpoint(run: Path, folder: Path) -> list[Path]:
    """Export the averaged model of a training run; return the files written.

    Raises:
        UserError: `run` holds no checkpoint.
    """
    state = under(read_state(run), "average.")
    model = CCSG(read_config(run))
    model.load_state_dict(state)
    return export_model(model, folder)


def export_model(model: CCSG, folder: Path) -> list[Path]:
    """Write both graphs, the weights, rounded to half precision, and the settings; return the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval().float().cpu()
    own = _own(model)
    rounded(parameter for name, parameter in model.named_parameters() if name in own)
    lines = _example_lines()
    write_graph(model.conditioner, lines, ["memory", "absent"], folder / CONDITIONER_FILE)
    with torch.no_grad():
        memory, absent = model.conditioner(*lines.values())
    noisy = {**_example_crystals(), "memory": memory, "absent": absent}
    write_graph(model.denoiser, noisy, ["score", "noise"], folder / DENOISER_FILE)
    save_file({key: _smallest(value).contiguous() for key, value in own.items()}, folder / WEIGHTS_FILE)
    (folder / CONFIG_FILE).write_text(json.dumps(asdict(model.config), indent=2) + "\n")
    written = [folder / name for name in (CONDITIONER_FILE, DENOISER_FILE, WEIGHTS_FILE, CONFIG_FILE)]
    for path in written:
        renewed(path)
    return written


def _own(model: CCSG) -> dict[str, Tensor]:
    """Return the weights that training has changed: an encoder taken over and frozen is CPCP's own file."""
    taken = model.config.denoiser.frozen and model.config.denoiser.pretrained
    return {k: v for k, v in model.state_dict().items() if not (taken and k.startswith("conditioner.encoder."))}


def _smallest(value: Tensor) -> Tensor:
    """Return a tensor in half precision where that holds it exactly."""
    half = value.half()
    return half if value.is_floating_point() and torch.equal(half.to(value.dtype), value) else value


def _example_lines() -> dict[str, Tensor]:
    """Two patterns to trace with."""
    q = torch.linspace(0.3, 2.0, 70).repeat(2, 1)
    intensity = torch.linspace(1.0, 0.1, 70).repeat(2, 1)
    q_range = torch.tensor([[0.2, 2.1]]).repeat(2, 1)
    return {"q": q, "intensity": intensity, "width": torch.full_like(q, 0.01), "q_range": q_range}


def _example_crystals() -> dict[str, Tensor]:
    """Two noisy crystals to trace with."""
    numbers = torch.tensor([[6, 8, 30, 1], [1, 6, 0, 0]])
    lattice = 10 * torch.eye(3).repeat(2, 1, 1)
    return {
        "numbers": numbers,
        "frac": torch.rand(2, 4, 3),
        "cell": torch.randn(2, 6),
        "lattice": lattice,
        "time": torch.tensor([0.3, 0.9]),
    }
