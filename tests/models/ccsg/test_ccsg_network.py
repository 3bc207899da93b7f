from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from ccsg_helpers import FOUR, KINDS, TINY, batch_of, cell_scale, measured, model_config, random_model  # noqa: E402
from torch import Tensor  # noqa: E402

from models.ccsg.cell import CellScale  # noqa: E402
from models.ccsg.conditioner import ABSENT  # noqa: E402
from models.ccsg.model import CCSG  # noqa: E402
from models.ccsg.training.batches import NoisyBatch  # noqa: E402
from models.cpcp.features import LineBatch  # noqa: E402
from xtal.crystals import Crystal  # noqa: E402

TOKENS = 7
pytestmark = pytest.mark.filterwarnings("ignore:.*scatter.*")


class Told:
    """A denoiser with what it is told besides the crystal."""

    def __init__(self, kind: str, conditioning: str) -> None:
        self.network = random_model(kind, conditioning).denoiser
        torch.manual_seed(2)
        self.memory = torch.randn(1, TOKENS, TINY.width)
        self.absent = torch.zeros(1, TOKENS)
        self.time = torch.tensor([0.4])
        self.scale: CellScale = cell_scale()

    @torch.no_grad()
    def __call__(self, lattice: np.ndarray, frac: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores and noise, the lattice taken in as the sampler and the training do."""
        cell = self.scale.normalised(lattice[None])
        arrays = (frac[None], cell, self.scale.lattices(cell))
        crystal = [torch.from_numpy(numbers[None]), *(torch.from_numpy(a.astype(np.float32)) for a in arrays)]
        score, noise = self.network(*crystal, self.time, self.memory, self.absent)
        return score[0].numpy(), noise[0].numpy()


@pytest.fixture(params=KINDS, ids="-".join)
def told(request) -> Told:
    return Told(*request.param)


@pytest.fixture(scope="module")
def noisy() -> NoisyBatch:
    return batch_of(measured(FOUR))


def parts(crystal: Crystal = FOUR[0]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lattice, coordinates and numbers of a real crystal whose atoms are disturbed."""
    frac = crystal.frac_coords + np.random.default_rng(0).normal(0, 0.05, (len(crystal), 3))
    return crystal.lattice, frac, crystal.numbers.astype(np.int64)


def same(first: tuple, second: tuple) -> bool:
    return all(np.allclose(a, b, atol=1e-5) for a, b in zip(first, second, strict=True))


def test_predictions_are_alive(told):
    score, noise = told(*parts())
    assert (score.std(axis=0) > 0.01).all()  # atoms differ along every axis
    assert noise.std() > 0.01


def test_moving_all_atoms_changes_nothing(told):
    lattice, frac, numbers = parts()
    assert same(told(lattice, frac + np.array([0.37, -0.21, 0.83]), numbers), told(lattice, frac, numbers))


def test_moving_one_atom_changes_all(told):
    lattice, frac, numbers = parts()
    other = frac.copy()
    other[5] += [0.1, 0.05, -0.1]
    change = np.abs(told(lattice, other, numbers)[0] - told(lattice, frac, numbers)[0]).max(axis=1)
    assert (change > 1e-5).all()
    assert change[5] > 5e-4


def test_whole_cells_do_not_matter(told):
    lattice, frac, numbers = parts()
    cells = np.random.default_rng(1).integers(-2, 3, frac.shape)
    assert same(told(lattice, frac + cells, numbers), told(lattice, frac, numbers))


def test_scores_follow_renumbered_atoms(told):
    lattice, frac, numbers = parts()
    order = np.random.default_rng(2).permutation(len(frac))
    score, noise = told(lattice, frac, numbers)
    assert same(told(lattice, frac[order], numbers[order]), (score[order], noise))


def test_the_frame_does_not_matter(told):
    lattice, frac, numbers = parts()
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    for turn in (rotation, -rotation):
        assert same(told(lattice @ turn, frac, numbers), told(lattice, frac, numbers))


def test_the_lattice_does_matter(told):
    lattice, frac, numbers = parts()
    score, noise = told(lattice, frac, numbers)
    other, noise_other = told(lattice * np.array([[1.0], [1.0], [1.2]]), frac, numbers)
    assert not np.allclose(score, other, atol=1e-3)
    assert not np.allclose(noise, noise_other, atol=1e-3)


def test_empty_places_change_nothing(told):
    lattice, frac, numbers = parts()
    score, noise = told(lattice, frac, numbers)
    wider = np.concatenate([frac, np.random.default_rng(4).random((9, 3))])
    padded, noise_padded = told(lattice, wider, np.pad(numbers, (0, 9)))
    assert same((padded[: len(frac)], noise_padded), (score, noise))


def test_elements_and_time_are_heard(told):
    lattice, frac, numbers = parts()
    here = told(lattice, frac, numbers)
    changed = np.where(numbers == numbers[0], 35, numbers)
    swapped = numbers.copy()
    first, second = 0, int(np.flatnonzero(numbers != numbers[0])[0])
    swapped[[first, second]] = numbers[[second, first]]
    for other in (changed, swapped):  # another composition, and the same one with two atoms exchanged
        assert np.abs(told(lattice, frac, other)[0] - here[0]).max() > 1e-3
    told.time = torch.tensor([0.41])
    later = told(lattice, frac, numbers)
    assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(here, later, strict=True))


def test_the_pattern_is_heard(told):
    here = told(*parts())
    told.memory[:, 0] *= -1
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(here, told(*parts()), strict=True))


def test_attention_reads_single_lines_but_not_padding():
    told = Told("attention", "concat")
    told.absent[:, -1] = ABSENT
    here = told(*parts())
    told.memory[:, -1] += 1
    assert same(told(*parts()), here)
    told.memory[:, 3] += 1
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(here, told(*parts()), strict=True))


def tensors(lines: LineBatch) -> list[Tensor]:
    return [torch.from_numpy(array) for array in (lines.q, lines.intensity, lines.width, lines.q_range)]


@torch.no_grad()
def test_memory_knows_the_lines(noisy):
    conditioner = random_model().conditioner
    memory, absent = conditioner(*tensors(noisy.lines))
    assert memory.shape == (4, 1 + TINY.lines, TINY.width)
    assert (absent[:, 0] == 0).all()
    assert torch.equal(absent[:, 1:] == ABSENT, torch.from_numpy(noisy.lines.intensity <= 0))
    assert torch.cdist(memory[:, 0], memory[:, 0])[0, 2] > 1e-2  # another crystal, another vector
    wider = [np.pad(a, ((0, 0), (0, 5))) for a in (noisy.lines.q, noisy.lines.intensity, noisy.lines.width)]
    padded, _ = conditioner(*tensors(LineBatch(*wider, noisy.lines.q_range)))
    assert torch.allclose(padded, memory, atol=1e-5)  # of more lines only the strongest count


@pytest.mark.parametrize(("kind", "conditioning"), KINDS)
@pytest.mark.parametrize("frozen", [True, False])
def test_gradients_reach_every_weight_that_learns(kind, conditioning, frozen, noisy):
    config = model_config(kind, conditioning)
    model = CCSG(replace(config, denoiser=replace(config.denoiser, frozen=frozen)))
    memory, absent = model.conditioner(*tensors(noisy.lines))
    crystal = map(torch.from_numpy, (noisy.numbers, noisy.frac, noisy.cell, noisy.lattice, noisy.time))
    score, noise = model.denoiser(*crystal, memory, absent)
    ((score - torch.from_numpy(noisy.score)).square().mean() + noise.square().mean()).backward()
    learns = {name: p for name, p in model.named_parameters() if p.requires_grad}
    encoder = [name for name in learns if name.startswith("conditioner.encoder.")]
    silent = {name for name, p in learns.items() if p.grad is None or not p.grad.abs().sum() > 0}
    untold = {"conditioner.encoder.composition.0.weight"}  # a pattern comes without its composition
    assert (encoder == [], silent) == ((True, set()) if frozen else (False, untold))
