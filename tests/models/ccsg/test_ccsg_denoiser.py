import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from ccsg_helpers import FOUR, KINDS, TINY, cell_scale, random_model  # noqa: E402

from models.ccsg import denoiser as denoiser_module  # noqa: E402
from models.ccsg.denoiser import Denoiser, Memory  # noqa: E402
from models.ccsg.files import CONDITIONER_FILE  # noqa: E402
from models.ccsg.model import CCSG  # noqa: E402
from models.ccsg.schedule import STEPS, score_sizes  # noqa: E402
from models.ccsg.training.export import export_model  # noqa: E402
from models.cpcp.features import batch_lines  # noqa: E402
from xtal.crystals import Crystal  # noqa: E402
from xtal.errors import UserError  # noqa: E402
from xtal.patterns import Lines  # noqa: E402
from xtal.physics import crystal_lines  # noqa: E402

LINES = [crystal_lines(crystal).strongest(count) for crystal, count in zip(FOUR, (3, 90, 12, 40), strict=True)]


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def pair(request, tmp_path_factory) -> tuple[CCSG, Denoiser]:
    """The same weights in torch, and exported."""
    model = random_model(*request.param)
    folder = tmp_path_factory.mktemp("model")
    export_model(model, folder)
    return model, Denoiser(folder, "cpu")


def noisy(crystals: list[Crystal], extra: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, disturbed coordinates and cells, padded."""
    most = max(map(len, crystals)) + extra
    numbers, frac = np.zeros((len(crystals), most), np.int64), np.zeros((len(crystals), most, 3))
    for row, crystal in enumerate(crystals):
        numbers[row, : len(crystal)] = crystal.numbers
        frac[row, : len(crystal)] = crystal.frac_coords + np.random.default_rng(row).normal(0, 0.1, (len(crystal), 3))
    return numbers, frac % 1, cell_scale().normalised(np.array([c.lattice for c in crystals])) + 0.3


@torch.no_grad()
def torch_memory(model: CCSG, lines: list[Lines]) -> Memory:
    found = batch_lines(lines, TINY.lines)
    arrays = (found.q, found.intensity, found.width, found.q_range)
    return Memory(*(part.numpy() for part in model.conditioner(*map(torch.from_numpy, arrays))))


@pytest.mark.parametrize("rows", [[0], [1, 3], [0, 1, 2, 3]])
def test_the_exported_conditioner_is_the_network(pair, rows):
    model, denoiser = pair
    lines = [LINES[row] for row in rows]
    served, expected = denoiser.remember(lines), torch_memory(model, lines)
    assert served.tokens == pytest.approx(expected.tokens, abs=1e-4)
    assert served.absent == pytest.approx(expected.absent)
    alone = [denoiser.remember([line]) for line in lines]
    assert np.concatenate([memory.tokens for memory in alone]) == pytest.approx(served.tokens, abs=1e-4)


@pytest.mark.parametrize("rows", [[0], [0, 2, 3], [3, 2, 1, 0, 0]])
def test_the_exported_denoiser_is_the_network(pair, rows):
    model, denoiser = pair
    memory = denoiser.remember(LINES).repeated(np.array(rows))
    numbers, frac, cell = noisy([FOUR[row] for row in rows])
    t = 321
    score, noise = denoiser.predict(numbers, frac, cell, t, memory)
    floats = (frac, cell, denoiser.scale.lattices(cell), np.full(len(rows), t / STEPS), memory.tokens, memory.absent)
    with torch.no_grad():
        told = [torch.from_numpy(array.astype(np.float32)) for array in floats]
        expected, expected_noise = model.denoiser(torch.from_numpy(numbers), *told)
    real = numbers > 0
    assert score[real] / score_sizes()[t] == pytest.approx(expected.numpy()[real], abs=1e-4)
    assert noise == pytest.approx(expected_noise.numpy(), abs=1e-4)
    assert score[real].std() > 0.01


def test_a_batch_is_its_crystals_one_by_one(pair, monkeypatch):
    _, denoiser = pair
    memory = denoiser.remember(LINES)
    numbers, frac, cell = noisy(FOUR, extra=3)
    score, noise = denoiser.predict(numbers, frac, cell, 500, memory)
    for row, crystal in enumerate(FOUR):
        one = noisy([crystal])
        one_frac = frac[row : row + 1, : len(crystal)]
        own = memory.repeated(np.array([row]))
        alone, noise_alone = denoiser.predict(one[0], one_frac, cell[row : row + 1], 500, own)
        assert alone[0] == pytest.approx(score[row, : len(crystal)], abs=1e-4 * score_sizes()[500])
        assert noise_alone[0] == pytest.approx(noise[row], abs=1e-4)
    monkeypatch.setattr(denoiser_module, "MOST_PAIRS", 2 * numbers.shape[1] ** 2 + 1)  # two at a time
    pieces, noise_pieces = denoiser.predict(numbers, frac, cell, 500, memory)
    assert pieces[numbers > 0] == pytest.approx(score[numbers > 0], abs=1e-4 * score_sizes()[500])
    assert noise_pieces == pytest.approx(noise, abs=1e-4)


def test_the_pattern_changes_what_is_served(pair):
    _, denoiser = pair
    memory = denoiser.remember(LINES)
    numbers, frac, cell = noisy(FOUR[:1])
    first, other = (denoiser.predict(numbers, frac, cell, 100, memory.repeated(np.array([row]))) for row in (1, 2))
    assert all(np.abs(a - b).max() > 1e-4 for a, b in zip(first, other, strict=True))


def test_only_as_many_lines_are_read_as_in_training(pair):
    _, denoiser = pair
    many = crystal_lines(FOUR[1])
    assert len(many.q) > TINY.lines
    assert np.array_equal(denoiser.remember([many]).tokens, denoiser.remember([many.strongest(TINY.lines)]).tokens)


def test_settings_come_with_the_files(pair):
    model, denoiser = pair
    assert denoiser.config == model.config
    assert denoiser.scale.mean == pytest.approx(cell_scale().mean)
    assert denoiser.scale.spread == pytest.approx(cell_scale().spread)


def test_other_weights_are_another_model(tmp_path):
    ids = set()
    for change in (0.0, 0.1):
        model = random_model()
        with torch.no_grad():
            model.denoiser.header.cell[0].bias.add_(change)
        export_model(model, tmp_path)
        ids.add(Denoiser(tmp_path, "cpu").model_id)
    assert len(ids) == 2
    (tmp_path / CONDITIONER_FILE).unlink()
    with pytest.raises(UserError, match=r"conditioner\.onnx is missing; export one"):
        Denoiser(tmp_path)


def test_a_pattern_without_lines_is_refused(pair):
    nothing = Lines(np.empty(0), np.empty(0), None, (0.2, 2.0))
    with pytest.raises(UserError, match="no diffraction line was found"):
        pair[1].remember([LINES[0], nothing])


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no model in .*config\.json is missing; train one"):
        Denoiser(tmp_path)
