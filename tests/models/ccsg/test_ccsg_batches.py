import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from ccsg_helpers import FOUR, batch_of, cell_scale, measured  # noqa: E402

from models.ccsg.config import TrainingConfig  # noqa: E402
from models.ccsg.schedule import STEPS, alpha_bars, score_sizes, sigmas, wrapped  # noqa: E402
from models.ccsg.training import batches as batches_module  # noqa: E402
from models.ccsg.training.batches import NoisyBatch, noisy_batch, random_steps, resettled, size_batches  # noqa: E402
from models.ccsg.training.dataset import MeasuredSet  # noqa: E402


@pytest.fixture(scope="module")
def crystals() -> MeasuredSet:
    return measured(FOUR)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=300), st.integers(0, 99))
def test_batches_hold_every_row_once_within_the_limit(counts, seed):
    training = TrainingConfig(pairs=20_000, most_rows=16)
    sizes = np.array(counts)
    batches = size_batches(sizes, training, np.random.default_rng(seed))
    assert np.sort(np.concatenate(batches)).tolist() == list(range(len(sizes)))
    for rows in batches:
        assert len(rows) <= training.most_rows
        assert len(rows) == 1 or len(rows) * sizes[rows].max() ** 2 <= training.pairs


def distances(frac: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    """Interatomic distances (N, N) at the nearest images by whole cells; Niggli cells make them the shortest."""
    return np.linalg.norm(wrapped(frac[:, None] - frac) @ lattice, axis=2)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_another_setting_is_the_same_crystal(seed):
    frac, lattice = (np.array([getattr(c, name) for c in FOUR[:2]]) for name in ("frac_coords", "lattice"))
    moved, settled = resettled(frac, lattice, np.random.default_rng(seed))
    for before, after, old, new in zip(frac, moved, lattice, settled, strict=True):
        assert sorted(map(tuple, new)) == sorted(map(tuple, old))
        assert distances(after, new) == pytest.approx(distances(before, old), abs=1e-6)


def test_settings_differ_in_origin_hand_and_order_of_like_axes_alone():
    frac = np.random.default_rng(0).random((1, 5, 3)).repeat(400, axis=0)
    lattice = np.diag([8.0, 8.1, 20.0])[None].repeat(400, axis=0)
    moved, settled = resettled(frac, lattice, np.random.default_rng(1))
    lengths = np.linalg.norm(settled, axis=2)
    assert lengths[:, 2] == pytest.approx(20)  # far longer: always last
    assert 0.2 < (lengths[:, 0] > 8.05).mean() < 0.6  # nearly equal: either first, the shorter one more often
    unchanged = lengths[:, 0] < 8.05
    hand = np.sign(wrapped(moved[unchanged, 1] - moved[unchanged, 0]) / wrapped(frac[0, 1] - frac[0, 0]))
    assert (np.abs(hand.sum(axis=1)) == 3).all()  # all three axes or none
    assert 0.3 < (hand[:, 0] > 0).mean() < 0.7
    assert moved[:, 0].std(axis=0) == pytest.approx(np.sqrt(1 / 12), abs=0.4)


def test_noisy_steps_are_seen_more_often_when_asked_for():
    rng = np.random.default_rng(0)
    even, noisy = (random_steps(20_000, power, rng) for power in (1.0, 0.5))
    for steps, below_half in ((even, 0.5), (noisy, 0.25)):
        assert (steps.min() >= 1, steps.max()) == (True, STEPS)
        assert (steps <= STEPS / 2).mean() == pytest.approx(below_half, abs=0.02)


def recovered(batch: NoisyBatch, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Clean coordinates by Tweedie's formula and clean cells, as the samplers compute them."""
    frac = batch.frac + sigmas()[t] ** 2 * batch.score * score_sizes()[t]
    cell = (batch.cell - np.sqrt(1 - alpha_bars()[t]) * batch.noise) / np.sqrt(alpha_bars()[t])
    return frac, cell


@pytest.mark.parametrize("t", [1, 150, 300])
def test_taking_the_noise_off_gives_the_crystal_back(t, crystals):
    scale = cell_scale()
    batch = noisy_batch(crystals, np.arange(4), np.full(4, t), scale, np.random.default_rng(t))
    assert batch.time == pytest.approx(t / STEPS)
    frac, cell = recovered(batch, t)
    for row, crystal in enumerate(map(crystals.crystal, range(4))):
        count = len(crystal)
        assert batch.numbers[row, :count].tolist() == crystal.numbers.tolist()
        assert not batch.numbers[row, count:].any()
        lattice = scale.lattices(cell[row : row + 1])[0]
        assert np.sort(np.linalg.norm(lattice, axis=1)) == pytest.approx(
            np.sort(np.linalg.norm(crystal.lattice, axis=1)), rel=1e-3
        )
        truth = distances(crystal.frac_coords, crystal.lattice)
        assert np.sort(distances(frac[row, :count], lattice), axis=None) == pytest.approx(
            np.sort(truth, axis=None), abs=0.01
        )
        assert truth[np.triu_indices(count, 1)].min() > 0.7  # atoms are apart


def test_noisy_lattices_are_those_of_the_noisy_cells(crystals):
    batch, scale = batch_of(crystals), cell_scale()
    assert batch.lattice == pytest.approx(scale.lattices(batch.cell), rel=1e-4, abs=1e-4)
    assert ((batch.frac >= 0) & (batch.frac <= 1)).all()


def test_noise_and_scores_have_unit_size(crystals):
    rows = np.tile(np.arange(4), 250)
    rng = np.random.default_rng(0)
    batch = noisy_batch(crystals, rows, random_steps(len(rows), 1.0, rng), cell_scale(), rng)
    real = batch.numbers > 0
    assert (batch.score[real] ** 2).mean() == pytest.approx(1, abs=0.05)
    assert (batch.noise**2).mean() == pytest.approx(1, abs=0.1)
    assert len(np.unique(batch.time)) > 500


def test_some_patterns_are_shown_as_measured(crystals, monkeypatch):
    rows = np.arange(4)
    for clean, untouched in ((1.0, True), (0.0, False)):
        monkeypatch.setattr(batches_module, "CLEAN", clean)
        shown = noisy_batch(crystals, rows, np.full(4, 500), cell_scale(), np.random.default_rng(3)).lines
        kept = [any(np.array_equal(shown.q[row], q) for q in crystals.q[row]) for row in rows]
        assert kept == [untouched] * 4
        assert (shown.intensity[:, 0] == 1).all()


def test_measured_sets_come_back_from_disk(tmp_path, crystals):
    crystals.save(tmp_path / "set.npz")
    again = MeasuredSet.load(tmp_path / "set.npz")
    joined = MeasuredSet.join([crystals, again])
    assert len(joined) == 8
    for row in range(4):
        assert joined.crystal(row + 4).frac_coords == pytest.approx(crystals.crystal(row).frac_coords)
        assert crystals.crystal(row).frac_coords == pytest.approx(FOUR[row].frac_coords, abs=1e-5)
        assert joined.crystal(row + 4).numbers.tolist() == FOUR[row].numbers.tolist()
    lines = joined.lines(np.array([5]), np.array([2]))
    assert lines.q[0] == pytest.approx(crystals.q[1, 2])
    assert (np.diff(lines.intensity[0]) <= 0).all()
