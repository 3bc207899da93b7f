import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from ccsg_helpers import FOUR, TINY, batch_of, measured, model_config  # noqa: E402
from cpcp_helpers import PACKED  # noqa: E402
from torch import distributed  # noqa: E402

from models.__main__ import app  # noqa: E402
from models.ccsg import config as config_module  # noqa: E402
from models.ccsg.config import ModelConfig, TrainingConfig  # noqa: E402
from models.ccsg.model import CCSG  # noqa: E402
from models.ccsg.training import dataset as dataset_module  # noqa: E402
from models.ccsg.training import train as train_module  # noqa: E402
from models.ccsg.training import trainer as trainer_module  # noqa: E402
from models.ccsg.training.dataset import MeasuredSet  # noqa: E402
from models.ccsg.training.export import export_model  # noqa: E402
from models.ccsg.training.train import LOG_FILE, train  # noqa: E402
from models.ccsg.training.trainer import ENCODER, Trainer, share_gradients  # noqa: E402
from models.checkpoint import Progress  # noqa: E402
from models.cpcp.files import read_config as read_encoder  # noqa: E402
from models.cpcp.training.export import read_model  # noqa: E402
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
