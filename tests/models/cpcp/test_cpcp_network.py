import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from cpcp_helpers import SMALL, SMALL_ATOMS, moved, real_crystals, real_set, supercell, table_of  # noqa: E402

from models.cpcp.atoms import batch_atoms, offsets_of, size_batches  # noqa: E402
from models.cpcp.config import ModelConfig  # noqa: E402
from models.cpcp.cspnet import CSPNet, MessageLayer, embed_by_size  # noqa: E402
from models.cpcp.features import LineBatch, composition_features, computed_lines  # noqa: E402
from models.cpcp.model import CPCP, CrystalBatch  # noqa: E402
from models.cpcp.network import Profile  # noqa: E402
from models.cpcp.training.loss import Temperature, contrastive_loss, same_structure  # noqa: E402


@pytest.fixture(scope="module")
def model() -> CPCP:
    torch.manual_seed(0)
    return CPCP(ModelConfig(SMALL)).eval()


@pytest.fixture(scope="module")
def lines() -> LineBatch:
    return computed_lines(table_of(real_crystals(12)), 64)


def padded(lines: LineBatch, extra: int) -> LineBatch:
    wider = [np.pad(a, ((0, 0), (0, extra))) for a in (lines.q, lines.intensity, lines.width)]
    return LineBatch(*wider, lines.q_range)


@torch.no_grad()
def vectors(model: CPCP, lines: LineBatch) -> np.ndarray:
    return model.patterns(lines).numpy()


def test_vectors_have_length_one(model, lines):
    assert np.linalg.norm(vectors(model, lines), axis=1) == pytest.approx(1, abs=1e-5)


def test_padding_and_batching_change_nothing(model, lines):
    together = vectors(model, lines)
    assert vectors(model, padded(lines, 37)) == pytest.approx(together, abs=1e-5)
    alone = np.concatenate([vectors(model, lines.rows(np.array([row]))) for row in range(len(lines))])
    assert alone == pytest.approx(together, abs=1e-5)


def test_order_of_lines_among_the_tokens_does_not_matter(model, lines):
    order = np.random.default_rng(0).permutation(SMALL.tokens)
    arrays = [np.concatenate([a[:, order], a[:, SMALL.tokens :]], 1) for a in (lines.q, lines.intensity, lines.width)]
    assert vectors(model, LineBatch(*arrays, lines.q_range)) == pytest.approx(vectors(model, lines), abs=1e-5)


def test_a_line_moved_by_a_line_width_is_seen(model, lines):
    shifted = dataclasses.replace(lines, q=lines.q * 1.01)
    likeness = (vectors(model, shifted) * vectors(model, lines)).sum(1)
    assert likeness.max() < 0.999


def test_profile_is_a_sum_of_gaussians():
    profile = Profile(SMALL)
    q, intensity = torch.tensor([[0.5, 1.7]]), torch.tensor([[1.0, 0.25]])
    drawn = profile(q, intensity, torch.tensor([[0.3, 2.0]]))[0].numpy()
    axis = np.arange(SMALL.bins)
    places = profile.place(q)[0].numpy()
    for row, width in zip(drawn[:2], (1.0, 3.0), strict=True):
        expected = sum(i * np.exp(-0.5 * ((axis - p) / width) ** 2) for i, p in zip((1, 0.25), places, strict=True))
        # a line between two bins is shared between them, which blunts it a little; tails end at nine bins
        assert row == pytest.approx(np.sqrt(expected + 1e-6), abs=0.15 if width == 1 else 0.07)
    inside = (axis > float(profile.place(torch.tensor(0.3)))) & (axis < float(profile.place(torch.tensor(2.0))))
    assert drawn[3][inside].mean() > 0.99
    assert drawn[3][~inside].max() == 0


def test_weak_lines_speak_in_the_faint_profile():
    profile = Profile(SMALL)
    q, intensity = torch.tensor([[0.5, 1.7]]), torch.tensor([[1.0, 0.0001]])
    _, wide, faint, _ = profile(q, intensity, torch.tensor([[0.3, 2.0]]))[0].numpy()
    strong, weak = profile.place(q)[0].round().int().numpy()
    assert wide[weak] / wide[strong] == pytest.approx(0.01, rel=0.1)
    assert faint[weak] / faint[strong] == pytest.approx(0.1, rel=0.35)
    assert faint[strong + 100] == pytest.approx(0, abs=1e-6)


def test_gradients_reach_every_weight(lines):
    for config in (ModelConfig(SMALL), ModelConfig(SMALL, SMALL_ATOMS)):
        model = CPCP(config)
        crystals = real_set(12)
        atoms = batch_atoms(
            crystals.atom_offsets, crystals.numbers, crystals.frac, crystals.lattices, np.arange(len(crystals))
        )
        told = torch.from_numpy(crystals.composition)
        pair = model.patterns(lines), model.crystals(CrystalBatch(lines, told, atoms))
        contrastive_loss(*pair, torch.tensor(0.1), torch.zeros(12, 12, dtype=torch.bool)).backward()
        silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        # an atom encoder takes the place of the composition
        assert silent == ([] if config.atoms is None else ["lines.composition.0.weight"])


def test_composition_is_seen_by_crystals_only_when_told(model, lines):
    told = torch.from_numpy(composition_features(real_crystals(12)))
    with torch.no_grad():
        with_it = model.crystals(CrystalBatch(lines, told, None))
        without = model.crystals(CrystalBatch(lines, torch.zeros_like(told), None))
    assert not torch.allclose(with_it, without, atol=1e-4)


def test_waves_are_those_of_coordinate_differences():
    layer = MessageLayer(SMALL_ATOMS)
    frac = torch.rand(2, 5, 3)
    orders = 2 * np.pi * torch.arange(1, SMALL_ATOMS.frequencies + 1)
    angle = (frac[..., None] * orders).flatten(2)
    difference = ((frac[:, None] - frac[:, :, None])[..., None] * orders).flatten(3)
    expected = layer.waves(torch.cat([difference.sin(), difference.cos()], -1))
    assert torch.allclose(layer._differences(angle.sin(), angle.cos()), expected, atol=1e-5)


@torch.no_grad()
def atom_vectors(network: CSPNet, crystals: list) -> np.ndarray:
    counts = [len(crystal) for crystal in crystals]
    arrays = np.concatenate([c.numbers for c in crystals]), np.concatenate([c.frac_coords for c in crystals])
    lattices = np.array([c.lattice for c in crystals])
    return embed_by_size(network, batch_atoms(offsets_of(counts), *arrays, lattices, np.arange(len(counts)))).numpy()


def test_cspnet_is_invariant_where_the_paper_says_so():
    torch.manual_seed(0)
    network = CSPNet(SMALL_ATOMS).eval()
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for crystal in real_crystals(3):
        turned = moved(crystal, np.array([0.13, 0.4, 0.77]), rotation, np.eye(3))
        first, second, other = atom_vectors(network, [crystal, turned, supercell(crystal)])
        assert first == pytest.approx(second, abs=1e-4)
        assert first != pytest.approx(other, abs=1e-4)  # the network sees the cell it is given: why `reciprocal` exists


def test_cspnet_keeps_the_order_of_crystals_of_different_size():
    torch.manual_seed(0)
    network = CSPNet(SMALL_ATOMS).eval()
    crystals = real_crystals()
    together = atom_vectors(network, crystals)
    alone = np.concatenate([atom_vectors(network, [crystal]) for crystal in crystals])
    assert together == pytest.approx(alone, abs=1e-5)


def test_size_batches_hold_every_row_once_within_bounds():
    counts = np.random.default_rng(0).integers(1, 90, 200)
    groups = size_batches(counts, 5000)
    assert sorted(np.concatenate(groups)) == list(range(200))
    assert all(len(group) == 1 or len(group) * counts[group].max() ** 2 <= 5000 for group in groups)


def test_loss_is_the_symmetric_cross_entropy():
    patterns, crystals = torch.eye(2), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    loss = contrastive_loss(patterns, crystals, torch.tensor(0.5), torch.zeros(2, 2, dtype=torch.bool))
    logits = np.array([[1.0, 0.6], [0.0, 0.8]]) / 0.5
    rows = -np.log(np.exp(np.diag(logits)) / np.exp(logits).sum(1)).mean()
    columns = -np.log(np.exp(np.diag(logits)) / np.exp(logits).sum(0)).mean()
    assert float(loss) == pytest.approx((rows + columns) / 2, abs=1e-5)


def test_one_structure_twice_is_no_negative():
    twice = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    same = same_structure(torch.tensor([5, 5]), twice)
    assert same.tolist() == [[False, True], [True, False]]
    assert float(contrastive_loss(twice, twice, torch.tensor(0.1), same)) == pytest.approx(0, abs=1e-5)
    assert not same_structure(torch.tensor([5, 6]), twice).any()
    assert not same_structure(torch.tensor([5, 5]), torch.eye(2)).any()


def test_temperature_is_clamped():
    temperature = Temperature(0.07, 0.01)
    with torch.no_grad():
        assert float(temperature()) == pytest.approx(0.07)
        temperature.log.fill_(-20)
        assert float(temperature()) == pytest.approx(0.01)
        temperature.log.fill_(5)
        assert float(temperature()) == pytest.approx(1.0)
