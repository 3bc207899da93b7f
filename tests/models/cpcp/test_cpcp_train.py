import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")

from cpcp_helpers import PACKED, SMALL, SMALL_ATOMS, real_crystals, real_set, table_of  # noqa: E402

from models.__main__ import app  # noqa: E402
from models.checkpoint import STATE_FILE, Progress  # noqa: E402
from models.cpcp.config import ModelConfig, TrainingConfig  # noqa: E402
from models.cpcp.embedder import CSPNetEmbedder  # noqa: E402
from models.cpcp.features import computed_lines  # noqa: E402
from models.cpcp.training.batches import USES, Samples  # noqa: E402
from models.cpcp.training.train import LOG_FILE, POOL, supply  # noqa: E402
from models.cpcp.training.trainer import Trainer  # noqa: E402
from models.cpcp.training.validation import Queries, hit_rates  # noqa: E402
from xtal.errors import UserError  # noqa: E402


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def trainer_on_families(config: ModelConfig) -> tuple[Trainer, Samples]:
    crystals = real_set(24)
    trainer = Trainer(crystals, config, TrainingConfig(batch=24, warm_up=2, rate=3e-3))
    return trainer, Samples(np.arange(24), computed_lines(crystals.lines, SMALL.drawn))


@pytest.mark.parametrize("config", [ModelConfig(SMALL), ModelConfig(SMALL, SMALL_ATOMS)])
def test_learning_lowers_the_loss(config):
    trainer, samples = trainer_on_families(config)
    losses = [trainer.learn(samples) for _ in range(12)]
    assert losses[-1] < 0.9 * losses[0]
    assert trainer.progress.step == 12
    assert any((a != b).any() for a, b in zip(trainer.average.parameters(), trainer.model.parameters(), strict=True))


def test_a_checkpoint_goes_on_where_it_stopped(tmp_path):
    trainer, samples = trainer_on_families(ModelConfig(SMALL))
    trainer.config = TrainingConfig(composition=1.0, warm_up=2)
    for _ in range(3):
        trainer.learn(samples)
    trainer.save(tmp_path)
    again, _ = trainer_on_families(ModelConfig(SMALL))
    again.config = trainer.config
    again.resume(tmp_path)
    assert again.progress == trainer.progress
    assert again.learn(samples) == pytest.approx(trainer.learn(samples), rel=1e-3)
    for a, b in zip(again.average.parameters(), trainer.average.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4)


def test_resuming_from_nothing_is_refused(tmp_path):
    trainer, _ = trainer_on_families(ModelConfig(SMALL))
    with pytest.raises(UserError, match=r"no checkpoint in .*--out"):
        trainer.resume(tmp_path)


def test_the_rate_warms_up_and_falls():
    trainer, _ = trainer_on_families(ModelConfig(SMALL))
    trainer.config = TrainingConfig(minutes=1, warm_up=10, rate=1.0)
    rates = []
    for step, seconds in [(0, 0), (4, 0), (10, 0), (100, 30), (100, 60)]:
        trainer.progress = Progress(step, seconds)
        rates.append(trainer.rate())
    assert rates == pytest.approx([0.1, 0.5, 1.0, 0.51, 0.02])


class FakeQueue:
    """Holds some batches; refuses to wait for more."""

    def __init__(self, batches: list[Samples]) -> None:
        self.batches = batches

    def empty(self) -> bool:
        return not self.batches

    def get(self) -> Samples:
        return self.batches.pop(0)


def test_batches_are_used_again_only_while_the_producer_is_behind():
    _, samples = trainer_on_families(ModelConfig(SMALL))
    fresh = [Samples(samples.rows + 100 * i, samples.lines) for i in range(POOL)]
    batches = supply(FakeQueue(fresh), np.random.default_rng(0))
    first = [next(batches) for _ in range(POOL)]
    assert [b.rows[0] for b in first] == [100 * i for i in range(POOL)]
    assert all(b.lines is samples.lines for b in first)
    again = next(batches)
    assert again.rows[0] == 0
    assert np.abs(again.lines.q - samples.lines.q).max() > 0
    with pytest.raises(IndexError):  # no batch is used more often than USES times
        list(islice(batches, USES * POOL))


def test_hit_rates_count_the_own_entry():
    trainer, _ = trainer_on_families(ModelConfig(SMALL))
    rows = np.array([3, 7, 11])
    queries = [Queries.draw(trainer.crystals, rows, 0.0, SMALL.drawn, 0)]
    alone = hit_rates(trainer.average, trainer.crystals, trainer.own, rows, queries)
    assert alone["hit10@0"] == 100.0  # three crystals in the gallery
    all_rows = np.arange(24)
    rates = hit_rates(trainer.average, trainer.crystals, trainer.own, all_rows, queries)
    assert 0 <= rates["hit1@0"] <= rates["hit10@0"] <= rates["hit100@0"] == 100.0


def test_command_line_trains_resumes_and_exports(tmp_path):
    where = ["--source", f"packed:{PACKED}", "--out", str(tmp_path / "run")]
    common = ["train", "cpcp", *where, "--crystals", "cspnet", "--batch", "16", "--json"]
    first = run(*common, "--minutes", "0.02")
    assert first.exit_code == 0, first.output
    steps = json.loads(first.stdout)["steps"]
    second = run(*common, "--minutes", "0.1", "--resume")
    assert json.loads(second.stdout)["steps"] > steps, second.output
    other = run("train", "cpcp", *where, "--crystals", "reciprocal", "--resume")
    assert (other.exit_code, "trains another network" in other.stderr) == (2, True)
    log = [json.loads(line) for line in (tmp_path / "run" / LOG_FILE).read_text().splitlines()]
    assert {"step", "seconds", "loss", "temperature"} <= log[0].keys()
    assert {"hit1@0", "hit10@1", "hit100@2"} <= log[-1].keys()
    assert (tmp_path / "run" / STATE_FILE).is_file()
    exported = run("export", str(tmp_path / "run"), "--out", str(tmp_path / "model"), "--json")
    assert exported.exit_code == 0, exported.output
    assert set(json.loads(exported.stdout)) == {path.name for path in (tmp_path / "model").iterdir()}
    embedder = CSPNetEmbedder(tmp_path / "model")
    crystals = real_crystals(3)
    assert embedder.embed_crystals(crystals, table_of(crystals)).shape == (3, 256)


def test_command_line_reports_what_is_wrong(tmp_path: Path):
    unknown = run("train", "cpcp", "--source", "nonsense", "--out", str(tmp_path))
    assert (unknown.exit_code, "unknown database 'nonsense'" in unknown.stderr) == (2, True)
    nothing = run("export", str(tmp_path), "--out", str(tmp_path / "model"))
    assert (nothing.exit_code, "no checkpoint in" in nothing.stderr) == (2, True)
