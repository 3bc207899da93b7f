"""From a trained model to the files that serving reads: ONNX graphs, weights, settings."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.checkpoint import read_state, under
from models.cpcp.config import ModelConfig
from models.cpcp.features import ELEMENTS
from models.cpcp.files import CRYSTAL_FILE, PATTERN_FILE, read_config
from models.cpcp.model import CPCP
from models.cpcp.network import CRYSTAL, PATTERN, LineEncoder
from models.files import CONFIG_FILE, WEIGHTS_FILE, trained_weights
from models.graphs import write_graph
from xtal.shipped import renewed


class PatternGraph(nn.Module):
    """What runs on found lines: the line encoder, told that they are a pattern's and nothing of the chemistry."""

    def __init__(self, network: LineEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, q: Tensor, intensity: Tensor, width: Tensor, q_range: Tensor) -> Tensor:
        """(B, L), (B, L), (B, L), (B, 2) -> (B, dimension) unit vectors."""
        kind = torch.zeros_like(q[:, 0], dtype=torch.long) + PATTERN
        untold = torch.zeros_like(q[:, :1]).expand(-1, ELEMENTS + 1)
        return self.network(q, intensity, width, q_range, kind, untold)


class CrystalGraph(nn.Module):
    """What runs on computed lines: the line encoder with the crystal's composition."""

    def __init__(self, network: LineEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, q: Tensor, intensity: Tensor, q_range: Tensor, composition: Tensor) -> Tensor:
        """(B, L), (B, L), (B, 2), (B, ELEMENTS + 1) -> (B, dimension) unit vectors."""
        kind = torch.zeros_like(q[:, 0], dtype=torch.long) + CRYSTAL
        return self.network(q, intensity, torch.zeros_like(q), q_range, kind, composition)


def export_checkpoint(run: Path, folder: Path) -> list[Path]:
    """Export the averaged model of a training run; return the files written.

    Raises:
        UserError: `run` holds no checkpoint.
    """
    state = under(read_state(run), "average.")
    model = CPCP(read_config(run))
    model.load_state_dict(state)
    return export_model(model, folder)


def export_model(model: CPCP, folder: Path) -> list[Path]:
    """Write both graphs, the weights and the settings into `folder`; return the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval().float().cpu()
    lines = _example_lines(model.config.lines.drawn)
    write_graph(PatternGraph(model.lines), lines, ["vector"], folder / PATTERN_FILE)
    if model.atoms is None:
        told = {"composition": torch.full((2, ELEMENTS + 1), 0.01)}
        inputs = {name: lines[name] for name in ("q", "intensity", "q_range")} | told
        write_graph(CrystalGraph(model.lines), inputs, ["vector"], folder / CRYSTAL_FILE)
    else:
        write_graph(model.atoms, _example_atoms(), ["vector"], folder / CRYSTAL_FILE)
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, folder / WEIGHTS_FILE)
    (folder / CONFIG_FILE).write_text(json.dumps(asdict(model.config), indent=2) + "\n")
    written = [folder / name for name in (PATTERN_FILE, CRYSTAL_FILE, WEIGHTS_FILE, CONFIG_FILE)]
    for path in written:
        renewed(path)
    return written


def read_model(folder: Path) -> CPCP:
    """Rebuild the torch model from exported files, to train on or to compare with."""
    config: ModelConfig = read_config(folder)
    model = CPCP(config)
    model.load_state_dict(load_file(trained_weights(folder)))
    return model.eval()


def _example_lines(length: int) -> dict[str, Tensor]:
    """Two rows of lines to trace with."""
    q = torch.linspace(0.3, 2.0, length).repeat(2, 1)
    intensity = torch.linspace(1.0, 0.1, length).repeat(2, 1)
    width, q_range = torch.full_like(q, 0.01), torch.tensor([[0.2, 2.1]]).repeat(2, 1)
    return {"q": q, "intensity": intensity, "width": width, "q_range": q_range}


def _example_atoms() -> dict[str, Tensor]:
    """Two crystals to trace with."""
    numbers = torch.tensor([[6, 8, 30], [1, 6, 0]])
    return {"numbers": numbers, "frac": torch.rand(2, 3, 3), "lattice": 10 * torch.eye(3).repeat(2, 1, 1)}
