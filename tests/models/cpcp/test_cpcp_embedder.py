import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from cpcp_helpers import moved, real_crystals, supercell, table_of

from models.cpcp.embedder import CSPNetEmbedder, ReciprocalEmbedder
from models.cpcp.files import SERVED, model_id, read_config
from models.files import WEIGHTS
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns import Lines
from xtal.patterns.linefinder import find_lines
from xtal.physics import LineTable, Scan, measure, reflections

SHIPPED = {"cpcp-reciprocal": ReciprocalEmbedder, "cpcp-cspnet": CSPNetEmbedder}
HERE = [name for name in SHIPPED if (WEIGHTS / name).is_dir()]


@pytest.fixture(scope="module")
def embedder() -> ReciprocalEmbedder:
    return ReciprocalEmbedder()


def found_in(crystals: list[Crystal], severity: float, scan: Scan, seed: int = 0) -> list[Lines]:
    """Measure crystals and find the lines."""
    rng = np.random.default_rng(seed)
    return [find_lines(measure(reflections(crystal, 4.5), severity, rng, scan)) for crystal in crystals]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1)


@pytest.mark.parametrize("name", HERE)
def test_vectors_have_length_one(name):
    embedder = SHIPPED[name]()
    crystals = real_crystals(5)
    made = (
        embedder.embed_crystals(crystals, table_of(crystals)),
        embedder.embed_patterns(found_in(crystals, 1, Scan())),
    )
    for vectors in made:
        assert vectors.shape == (5, embedder.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", HERE)
def test_nothing_in_nothing_out(name):
    embedder = SHIPPED[name]()
    assert embedder.embed_crystals([], LineTable.stack([])).shape == (0, embedder.dimension)
    assert embedder.embed_patterns([]).shape == (0, embedder.dimension)


def test_a_pattern_without_lines_is_a_zero_vector(embedder):
    vector = embedder.embed_patterns([Lines(np.empty(0), np.empty(0), np.empty(0), (0.2, 2.1))])
    assert (vector == 0).all()


@pytest.mark.parametrize(
    ("severity", "scan", "least"),
    [
        (0.0, Scan(), 0.97),
        (1.0, Scan(), 0.9),
        (1.0, Scan(5, 50, 0.01, 1.5406), 0.9),
        (1.0, Scan(1.5, 14, 0.005, 0.7107), 0.9),
    ],
)
def test_patterns_find_their_crystals_among_their_kin_at_any_wavelength_and_range(embedder, severity, scan, least):
    crystals = real_crystals()
    gallery = embedder.embed_crystals(crystals, table_of(crystals))
    queries = embedder.embed_patterns(found_in(crystals, severity, scan))
    likeness = queries @ gallery.T
    twin = gallery @ gallery.T > 0.995  # the families hold one structure several times
    own = np.where(twin, likeness, -1).max(axis=1)
    assert ((likeness > own[:, None]).sum(axis=1) < 3).mean() >= least


def test_a_crystal_is_the_same_in_every_cell_and_setting(embedder):
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    change = np.array([[1, 1, 0], [0, 1, 0], [-1, 2, 1]])
    for crystal in real_crystals(12):
        others = [
            moved(crystal, rng.random(3), np.eye(3), np.eye(3)),
            moved(crystal, np.zeros(3), rotation, np.eye(3)),
            moved(crystal, rng.random(3), rotation, change),
            supercell(crystal),
        ]
        vectors = embedder.embed_crystals([crystal, *others], table_of([crystal, *others]))
        assert cosine(vectors[0], vectors[1:]).min() > 0.9999


def test_batching_changes_nothing(embedder):
    crystals = real_crystals(6)
    together = embedder.embed_crystals(crystals, table_of(crystals))
    alone = np.concatenate([embedder.embed_crystals([c], table_of([c])) for c in crystals])
    assert together == pytest.approx(alone, abs=1e-5)
    found = found_in(crystals, 1.0, Scan())
    together = embedder.embed_patterns(found)
    assert together == pytest.approx(np.concatenate([embedder.embed_patterns([p]) for p in found]), abs=1e-5)


@pytest.mark.parametrize("name", HERE)
def test_onnx_and_torch_agree(name):
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from models.cpcp.atoms import batch_atoms, offsets_of
    from models.cpcp.features import batch_lines, composition_features, computed_lines
    from models.cpcp.model import CrystalBatch
    from models.cpcp.training.export import read_model

    embedder, model = SHIPPED[name](), read_model(WEIGHTS / name)
    crystals = real_crystals()
    found = found_in(crystals, 1.0, Scan())
    drawn = model.config.lines.drawn
    table = table_of(crystals)
    atoms = batch_atoms(
        offsets_of([len(c) for c in crystals]),
        np.concatenate([c.numbers for c in crystals]),
        np.concatenate([c.frac_coords for c in crystals]),
        np.array([c.lattice for c in crystals]),
        np.arange(len(crystals)),
    )
    with torch.no_grad():
        expected = model.patterns(batch_lines(found, drawn)).numpy()
        told = torch.from_numpy(composition_features(crystals))
        own = model.crystals(CrystalBatch(computed_lines(table, drawn), told, atoms)).numpy()
    assert embedder.embed_patterns(found) == pytest.approx(expected, abs=1e-4)
    assert embedder.embed_crystals(crystals, table) == pytest.approx(own, abs=1e-4)


def test_serving_imports_no_torch():
    code = (
        "import sys; from models.cpcp.embedder import ReciprocalEmbedder; ReciprocalEmbedder(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_model_id_is_of_the_files(embedder, tmp_path):
    for name in SERVED:
        (tmp_path / name).write_bytes((WEIGHTS / embedder.name / name).read_bytes())
    assert model_id(tmp_path) == embedder.model_id
    (tmp_path / SERVED[0]).write_bytes(b"something else")
    assert model_id(tmp_path) != embedder.model_id
    with pytest.raises(UserError, match="ONNX Runtime cannot open"):
        ReciprocalEmbedder(tmp_path)


def test_a_gpu_is_refused_where_there_is_none(monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert ReciprocalEmbedder(device="cpu").name == "cpcp-reciprocal"
    with pytest.raises(UserError, match=r"no GPU support; install onnxruntime-gpu"):
        ReciprocalEmbedder(device="cuda")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no model in .*config.json is missing.*python -m models train cpcp"):
        ReciprocalEmbedder(tmp_path)
    (tmp_path / "config.json").write_bytes((WEIGHTS / "cpcp-reciprocal" / "config.json").read_bytes())
    with pytest.raises(UserError, match=r"pattern.onnx is missing.*python -m models export"):
        ReciprocalEmbedder(tmp_path)


@pytest.mark.parametrize("name", HERE)
def test_shipped_models_have_a_card_and_are_small(name):
    card = (WEIGHTS / name / "README.md").read_text()
    for word in ("CC BY 4.0", "MIT", "held-out", "Limits", "python -m models train cpcp"):
        assert word in card
    assert max(path.stat().st_size for path in (WEIGHTS / name).iterdir()) < 40e6
    assert read_config(WEIGHTS / name).lines.dimension == 256
