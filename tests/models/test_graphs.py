import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402

from models.graphs import rounded, write_graph  # noqa: E402


class Wave(nn.Module):
    """Weights and a constant, each large enough to be worth storing in half."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 64)
        self.register_buffer("turns", torch.linspace(0.1, 1, 64 * 32).view(64, 32))

    def forward(self, frac: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.linear(frac) @ self.turns)


@pytest.fixture
def frac() -> torch.Tensor:
    return torch.rand(5, 64, generator=torch.Generator().manual_seed(0))


def served(module: nn.Module, frac: torch.Tensor, path) -> tuple[np.ndarray, list[str]]:
    """What ONNX Runtime computes, and which arrays are stored in half."""
    write_graph(module, {"frac": frac}, ["score"], path)
    arrays = onnx.load(path).graph.initializer
    half = [array.name for array in arrays if array.data_type == onnx.TensorProto.FLOAT16]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"frac": frac.numpy()})[0], half


def test_rounded_weights_take_half_the_room_and_compute_the_same(tmp_path, frac):
    module = Wave()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    whole, none = served(module, frac, tmp_path / "whole.onnx")
    rounded(module.parameters())
    halved, stored = served(module, frac, tmp_path / "half.onnx")
    assert (len(none), len(stored)) == (0, 1)  # of the two large arrays the weights alone
    assert (tmp_path / "half.onnx").stat().st_size < (tmp_path / "whole.onnx").stat().st_size - 8000
    np.testing.assert_allclose(halved, module(frac).detach().numpy(), atol=1e-5)
    assert np.abs(halved - whole).max() > 1e-5  # rounded indeed
    assert torch.equal(module.turns, before["turns"])
    assert (module.linear.weight - before["linear.weight"]).abs().max() < 1e-4


def test_a_network_that_is_not_rounded_stays_as_it_is(tmp_path, frac):
    module = nn.Sequential(nn.Linear(64, 64), nn.GELU())
    found, stored = served(module, frac, tmp_path / "whole.onnx")
    assert stored == []
    np.testing.assert_allclose(found, module(frac).detach().numpy(), atol=1e-6)
