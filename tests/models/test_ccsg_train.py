import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from ccsg_helpers import FOUR, TINY, batch_of, cell_scale, measured, model_config  # noqa: E402
from cpcp_helpers import PACKED  # noqa: E402
from torch import distributed  # noqa: E402

from models.__main__ import app  # noqa: E402
from models.ccsg import batches as batches_module  # noqa: E402
from models.ccsg import config as config_module  # noqa: E402
from models.ccsg import dataset as dataset_module  # noqa: E402
from models.ccsg import train as train_module  # noqa: E402
from models.ccsg import trainer as trainer_module  # noqa: E402
from models.ccsg.batches import NoisyBatch, noisy_batch, random_steps, resettled, size_batches  # noqa: E402
from models.ccsg.config import ModelConfig, TrainingConfig  # noqa: E402
from models.ccsg.dataset import MeasuredSet  # noqa: E402
from models.ccsg.export import export_model  # noqa: E402
from models.ccsg.model import CCSG  # noqa: E402
from models.ccsg.schedule import STEPS, alpha_bars, score_sizes, sigmas, wrapped  # noqa: E402
from models.ccsg.train import LOG_FILE, train  # noqa: E402
from models.ccsg.trainer import ENCODER, Trainer, share_gradients  # noqa: E402
from models.checkpoint import Progress  # noqa: E402
from models.cpcp.export import read_model  # noqa: E402
from models.cpcp.files import read_config as read_encoder  # noqa: E402
from models.files import CONFIG_FILE  # noqa: E402
from xtal.errors import UserError  # noqa: E402

FAST = TrainingConfig(rate=3e-3, warm_up=2, minutes=1000)


@pytest.fixture(scope="module")
def crystals() -> MeasuredSet:
    return measured(FOUR)


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory) -> Iterator[None]:
    """A process group of one worker, as a trainer expects."""
    meeting = tmp_path_factory.mktemp("meeting") / "point"
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def pretrained_config(frozen: bool = True) -> ModelConfig:
    config = model_config(pretrained=True, frozen=frozen)
    return replace(config, lines=read_encoder(ENCODER).lines)


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def equal(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("kind", "conditioning"), [("attention", "concat"), ("cspnet", "node")])
def test_learning_lowers_the_loss(kind, conditioning, crystals):
    trainer = Trainer(model_config(kind, conditioning), replace(FAST, rate=5e-3))
    batch = batch_of(crystals)
    before = trainer.validate([batch])
    losses = np.array([trainer.learn(batch) for _ in range(15)])
    assert (losses[-3:].mean(axis=0) < 0.9 * losses[0]).all()
    assert (np.array(trainer.validate([batch])) < before).all()  # the average follows
    assert trainer.progress.step == 15


def test_losses_are_means_over_real_atoms(crystals):
    trainer = Trainer(model_config(), FAST)
    batch = batch_of(crystals)
    silent = replace(batch, score=np.zeros_like(batch.score), noise=np.zeros_like(batch.noise))
    with torch.no_grad():
        for head in (trainer.model.denoiser.score, trainer.model.denoiser.noise):
            head[-1].weight.zero_()
            head[-1].bias.zero_()
    assert trainer.losses(trainer.model, silent) == (0, 0)
    score, noise = (float(loss.detach()) for loss in trainer.losses(trainer.model, batch))
    real = batch.numbers > 0
    assert score == pytest.approx((batch.score[real] ** 2).mean(), rel=1e-5)
    assert noise == pytest.approx((batch.noise**2).mean(), rel=1e-5)


def test_a_checkpoint_goes_on_exactly(tmp_path, crystals):
    trainer = Trainer(model_config(), FAST)
    for seed in range(3):
        trainer.learn(batch_of(crystals, seed))
    trainer.progress = trainer.progress.at(7.5)
    trainer.save(tmp_path)
    again = Trainer(model_config(), replace(FAST, seed=5))
    again.resume(tmp_path)
    assert again.progress == trainer.progress == Progress(3, 7.5)
    batch = batch_of(crystals, 9)
    assert again.learn(batch) == trainer.learn(batch)
    assert equal(weights(again.model), weights(trainer.model))
    assert equal(weights(again.average), weights(trainer.average))


def test_a_compiled_network_computes_the_same(monkeypatch, crystals):
    compiled = []
    # tracing with symbolic sizes is what could change results; the C++ behind it takes minutes
    own = torch.nn.Module.compile
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda part, **how: compiled.append(how) or own(part, backend="eager", **how)
    )
    trainers = [Trainer(model_config(), replace(FAST, compiled=chosen)) for chosen in (False, True)]
    assert compiled == [{"dynamic": True}] * 2  # what reads the pattern, and the denoiser
    batch = batch_of(crystals)
    plain, traced = ([trainer.learn(batch) for _ in range(3)] for trainer in trainers)
    np.testing.assert_allclose(traced, plain, rtol=1e-2)
    assert list(trainers[0].model.state_dict()) == list(trainers[1].model.state_dict())


def test_training_starts_from_an_exported_model(tmp_path, crystals):
    first = Trainer(model_config(), FAST)
    first.learn(batch_of(crystals))
    export_model(first.average, tmp_path)
    again = Trainer(model_config(), replace(FAST, seed=7), start=tmp_path)
    assert equal(weights(again.model), weights(first.average))
    assert equal(weights(again.average), weights(first.average))
    assert again.progress == Progress()


def test_a_start_with_a_frozen_encoder_takes_cpcps(tmp_path):
    first = Trainer(pretrained_config(), FAST)
    export_model(first.average, tmp_path)  # without that encoder, all else rounded
    assert equal(weights(Trainer(pretrained_config(), FAST, start=tmp_path).model), weights(first.average))
    assert equal(weights(first.average.conditioner.encoder), weights(read_model(ENCODER).lines))


@pytest.mark.parametrize("preset", ["cpu", "gpu"])
def test_what_a_preset_trains_can_be_shipped(preset):
    """Files of at most 40 MB, in half precision."""
    config = replace(pretrained_config(), denoiser=config_module.PRESETS[preset])
    with torch.device("meta"):
        model = CCSG(config)
    parts = [model.denoiser, model.conditioner]
    own = [sum(p.numel() for p in part.parameters() if p.requires_grad) for part in parts]
    assert 2 * sum(own) < 39e6


def test_a_start_keeps_its_scale_of_cells_and_its_network(tmp_path, monkeypatch, crystals):
    monkeypatch.setattr(train_module, "prepare", lambda *_: crystals)
    monkeypatch.setattr(MeasuredSet, "rows", lambda *_: np.arange(2))
    known = replace(model_config(), cell_mean=(1.0,) * 6)
    (tmp_path / CONFIG_FILE).write_text(json.dumps(asdict(known)))
    assert train_module.prepared(["any"], tmp_path, 64, known.denoiser, start=tmp_path)[1] == known
    with pytest.raises(UserError, match="has another network: start from it with its --denoiser"):
        train_module.prepared(["any"], tmp_path, 64, replace(known.denoiser, width=64), start=tmp_path)


def test_compiling_without_a_compiler_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"--compiled needs a C\+\+ compiler"):
        train(tmp_path / "set.npz", model_config(), replace(FAST, compiled=True), tmp_path)


def test_a_pretrained_encoder_is_cpcps_and_stays_so_while_frozen(crystals):
    shipped = weights(read_model(ENCODER).lines)
    trainer = Trainer(pretrained_config(), FAST)
    assert equal(weights(trainer.model.conditioner.encoder), shipped)
    tokens = weights(trainer.model.conditioner.tokens)
    trainer.learn(batch_of(crystals))
    assert equal(weights(trainer.model.conditioner.encoder), shipped)
    assert equal(weights(trainer.average.conditioner.encoder), shipped)
    assert not equal(weights(trainer.model.conditioner.tokens), tokens)


def test_an_encoder_that_is_not_frozen_learns(crystals):
    trainer = Trainer(pretrained_config(frozen=False), FAST)
    shipped = weights(trainer.model.conditioner.encoder)
    trainer.learn(batch_of(crystals))
    assert not equal(weights(trainer.model.conditioner.encoder), shipped)
    assert not equal(weights(Trainer(model_config(), FAST).model.conditioner.encoder), shipped[: len(shipped)])


def test_gradients_are_the_mean_over_workers(monkeypatch):
    first, second, silent = (torch.nn.Parameter(torch.zeros(shape)) for shape in ((2, 2), (3,), (1,)))
    first.grad, second.grad = torch.full((2, 2), 1.0), torch.tensor([1.0, 2.0, 3.0])
    other = torch.tensor([3.0, 5.0, 3.0, 5.0, 0.0, 0.0, -3.0])
    monkeypatch.setattr(trainer_module.distributed, "all_reduce", lambda flat: flat.add_(other))
    monkeypatch.setattr(trainer_module.distributed, "get_world_size", lambda: 2)
    share_gradients([first, silent, second])
    assert first.grad.tolist() == [[2, 3], [2, 3]]
    assert second.grad.tolist() == [0.5, 1, 0]
    assert silent.grad is None


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
def test_taking_the_noise_off_gives_the_crystal_back(t, crystals, monkeypatch):
    monkeypatch.setattr(batches_module, "random_steps", lambda count, *_: np.full(count, t))
    scale = cell_scale()
    batch = noisy_batch(crystals, np.arange(4), scale, np.random.default_rng(t))
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
    batch = noisy_batch(crystals, rows, cell_scale(), np.random.default_rng(0))
    real = batch.numbers > 0
    assert (batch.score[real] ** 2).mean() == pytest.approx(1, abs=0.05)
    assert (batch.noise**2).mean() == pytest.approx(1, abs=0.1)
    assert len(np.unique(batch.time)) > 500


def test_some_patterns_are_shown_as_measured(crystals, monkeypatch):
    rows = np.arange(4)
    for clean, untouched in ((1.0, True), (0.0, False)):
        monkeypatch.setattr(batches_module, "CLEAN", clean)
        shown = noisy_batch(crystals, rows, cell_scale(), np.random.default_rng(3)).lines
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


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_command_line_trains_with_two_workers_resumes_and_exports(tmp_path, monkeypatch):
    monkeypatch.setitem(config_module.PRESETS, "cpu", TINY)  # the real one takes its time
    monkeypatch.setattr(dataset_module, "cores", lambda: 1)
    out = tmp_path / "run"
    common = ["train", "ccsg", "--source", f"packed:{PACKED}", "--out", str(out), "--limit", "20", "--json"]
    first = run(*common, "--minutes", "0.02", "--workers", "2")
    assert first.exit_code == 0, first.output
    result = json.loads(first.stdout)
    assert (result["step"] > 0, result["seconds"] >= 1.2) == (True, True)
    assert multiprocessing.active_children() == []
    log = [json.loads(line) for line in (out / LOG_FILE).read_text().splitlines()]
    held = [note for note in log if "held_out_score_loss" in note]
    assert len(held) == 1  # by one worker alone
    assert held[-1] == log[-1]
    assert result["score_loss"] == held[-1]["held_out_score_loss"] > 0
    assert result["cell_loss"] == held[-1]["held_out_cell_loss"] > 0
    other = run(*common, "--denoiser", "cspnet", "--resume")
    assert (other.exit_code, "trains another network" in other.stderr) == (2, True)
    spent = run(*common, "--minutes", "0.02", "--resume")
    assert (spent.exit_code, "grant more than that: --minutes" in spent.stderr) == (2, True)
    longer = run(*common, "--minutes", str(result["seconds"] / 60 + 0.01), "--resume")
    assert longer.exit_code == 0, longer.output
    assert json.loads(longer.stdout)["step"] > result["step"]
    steps = [json.loads(line)["step"] for line in (out / LOG_FILE).read_text().splitlines()]
    assert steps == sorted(steps)
    exported = run("export", str(out), "--out", str(tmp_path / "model"), "--json")
    assert exported.exit_code == 0, exported.output
    assert set(json.loads(exported.stdout)) == {path.name for path in (tmp_path / "model").iterdir()}


def test_errors_come_before_the_workers(tmp_path, monkeypatch, crystals):
    common = ["train", "ccsg", "--source", f"packed:{PACKED}", "--out", str(tmp_path)]
    nothing = run(*common, "--max-atoms", "4")
    assert (nothing.exit_code, "no ordered crystal of at most 4 atoms" in nothing.stderr) == (2, True)
    unknown = run("train", "ccsg", "--source", "nonsense", "--out", str(tmp_path))
    assert (unknown.exit_code, "unknown database 'nonsense'" in unknown.stderr) == (2, True)
    monkeypatch.setattr(train_module, "prepare", lambda *_: crystals)  # two of the four in train, none in val
    few = run(*common)
    assert (few.exit_code, "of the 4 crystals 2 are to train on" in few.stderr) == (2, True)


def test_nothing_to_resume_is_said_before_the_workers(tmp_path):
    with pytest.raises(UserError, match=r"config.json is missing; train one"):
        train(tmp_path / "set.npz", model_config(), FAST, tmp_path, resume=True)
    (tmp_path / CONFIG_FILE).write_text(json.dumps(asdict(model_config())))
    with pytest.raises(UserError, match=r"no checkpoint in .*--out"):
        train(tmp_path / "set.npz", model_config(), FAST, tmp_path, resume=True)
