"""The untrained fingerprint."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.profile
from models.profile import SEGMENTS, ProfileEmbedder
from xtal.crystals import read_cif
from xtal.patterns import Lines, q_from_two_theta
from xtal.patterns.linefinder import find_lines
from xtal.physics import LineTable, Scan, crystal_lines, reflections
from xtal.physics.artefacts import Artefacts, apply

CIFS = Path(__file__).parent.parent / "data" / "cifs"
NAMES = ("BIWSEG_ion_b", "DONNAW01_SL", "GORQAF_clean", "ic7025158-file001_clean", "quartz", "olivine", "halite")
EDGE = SEGMENTS[0][1]


@pytest.fixture(scope="module")
def crystals():
    return [read_cif((CIFS / f"{name}.cif").read_text(), name) for name in NAMES]


@pytest.fixture(scope="module")
def table(crystals):
    return LineTable.stack([crystal_lines(c) for c in crystals])


def embedded(crystals, table):
    return ProfileEmbedder().embed_crystals(crystals, table)


def below(lines: Lines, q: float) -> Lines:
    return Lines(lines.q[lines.q < q], lines.intensity[lines.q < q], None, (lines.q_range[0], q))


def ideal(crystal, scan: Scan, fwhm: float = 0.12):
    """A clean measurement of a crystal."""
    q_max = float(q_from_two_theta(scan.last, scan.wavelength)) * 1.02
    artefacts = Artefacts(np.zeros((3, 3)), 1.0, 0, 0, fwhm, 0.4, 0, 0.02, 0, 1e5)
    shell = reflections(crystal, q_max, wavelength=scan.wavelength)
    return apply(artefacts, shell, np.random.default_rng(0), scan)


def test_shape_and_kind(crystals, table):
    embedder = ProfileEmbedder()
    vectors = embedded(crystals, table)
    assert vectors.shape == (len(NAMES), embedder.dimension)
    assert vectors.dtype == embedder.embed_patterns([table[0]]).dtype == np.float32
    assert vectors.flags.c_contiguous
    assert (vectors >= 0).all()


def test_a_crystal_is_most_like_its_own_lines(crystals, table):
    own = ProfileEmbedder().embed_patterns([table[i] for i in range(len(table))])
    similarity = own @ embedded(crystals, table).T
    np.testing.assert_allclose(similarity.diagonal(), 1, atol=1e-5)
    others = similarity[~np.eye(len(table), dtype=bool)]
    assert others.max() < 0.8
    assert others.min() >= 0


def test_a_pattern_that_ends_early_is_as_like_as_a_whole_one(crystals, table):
    """What the crystal has beyond the measured range must not count against it."""
    short = ProfileEmbedder().embed_patterns([below(table[i], EDGE) for i in range(4)])
    np.testing.assert_allclose((short @ embedded(crystals, table).T).diagonal(), 1, atol=1e-5)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0.25, 4.1), st.floats(1e-3, 1)), min_size=1, max_size=40), st.floats(1e-3, 1e3))
def test_similarity_is_a_share(lines, scale):
    q, intensity = np.array(sorted(lines)).T
    found, crystal = Lines(q, intensity), LineTable.stack([Lines(q * 1.003, intensity)])
    embedder = ProfileEmbedder()
    pattern = embedder.embed_patterns([found])
    assert 0 < (pattern @ embedder.embed_crystals([None], crystal).T).item() <= 1 + 1e-5
    np.testing.assert_array_equal(pattern, embedder.embed_patterns([Lines(q, intensity * scale)]))


@pytest.mark.parametrize("row", [0, 1, 2, 3])
def test_a_measured_pattern_finds_its_crystal(crystals, table, row):
    lines = find_lines(ideal(crystals[row], Scan()))
    similarity = (ProfileEmbedder().embed_patterns([lines]) @ embedded(crystals, table).T)[0]
    assert similarity.argmax() == row
    assert similarity[row] > 0.9


@pytest.mark.parametrize("row", [0, 2])
def test_the_wavelength_does_not_matter(crystals, row):
    copper, molybdenum, synchrotron = Scan(), Scan(1.4, 13.7, 0.005, 0.7107), Scan(0.9, 8.1, 0.004, 0.4127)
    fwhm = [0.12, 0.12 * 0.7107 / 1.5418, 0.12 * 0.4127 / 1.5418]
    lines = [
        find_lines(ideal(crystals[row], scan, width))
        for scan, width in zip((copper, molybdenum, synchrotron), fwhm, strict=True)
    ]
    vectors = ProfileEmbedder().embed_patterns(lines)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (vectors @ vectors.T).min() > 0.95


def test_no_lines_give_zeros(crystals, table):
    embedder = ProfileEmbedder()
    nothing, beyond = Lines([], []), Lines([5.0], [1.0])
    vectors = embedder.embed_patterns([nothing, table[0], beyond])
    assert not vectors[[0, 2]].any()
    np.testing.assert_array_equal(vectors[1], embedder.embed_patterns([table[0]])[0])
    assert not embedder.embed_patterns([nothing]).any()
    assert embedder.embed_patterns([]).shape == (0, embedder.dimension)
    assert not embedder.embed_crystals(crystals[:1], LineTable.stack([nothing])).any()


def test_blocks_do_not_change_the_vectors(crystals, table, monkeypatch):
    whole = embedded(crystals, table)
    monkeypatch.setattr(models.profile, "BLOCK", 3)
    np.testing.assert_array_equal(embedded(crystals, table), whole)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("VERSION", 99),
        ("SEGMENTS", ((0.2, 2.111), (2.111, 4.2))),
        ("STEP", 0.004),
        ("EVERY", 5),
        ("LINE_WIDTH", 0.02),
        ("SMOOTHING", 0.01),
        ("POWER", 0.5),
    ],
)
def test_the_model_id_tells_settings_apart(setting, value, monkeypatch):
    before = ProfileEmbedder().model_id
    assert before == ProfileEmbedder().model_id
    assert len(before) == 64
    monkeypatch.setattr(models.profile, setting, value)
    assert ProfileEmbedder().model_id != before
