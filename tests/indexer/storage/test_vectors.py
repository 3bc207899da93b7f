"""Exact search in blocks is the same as the plain product."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexer_helpers import publish_salts, rocksalt

from indexer.storage import open_index
from indexer.storage.joined import split
from indexer.storage.vectors import FlatVectors, flat


def unit(rng, count, dimension=16):
    made = rng.normal(size=(count, dimension)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def plain(matrix, queries, k, allowed):
    rows = np.arange(len(matrix)) if allowed is None else allowed
    scores = queries.astype(float) @ matrix[rows].astype(float).T
    order = np.array([np.lexsort((rows, -line)) for line in scores.round(12)])[:, :k]
    return np.take_along_axis(scores, order, 1), rows[order]


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    for name, value in (("ROWS", 8), ("SCORES", 64), ("QUERIES", 3), ("SPARE", 4)):
        monkeypatch.setattr(flat, name, value)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.lists(st.integers(0, 70), min_size=1, max_size=3).filter(any), st.integers(1, 7),
    st.booleans(),
)  # fmt: skip
def test_the_best_are_those_of_the_plain_product(seed, sizes, count, filtered):
    rng = np.random.default_rng(seed)
    matrix, queries = unit(rng, sum(sizes)), unit(rng, count)
    matrix[rng.random(len(matrix)) < 0.3] = matrix[0]  # copies
    allowed = np.flatnonzero(rng.random(len(matrix)) < 0.5) if filtered else None
    most = len(matrix) if allowed is None else len(allowed)
    if not most:
        return
    k = int(rng.integers(1, most + 1)) if not (matrix == matrix[0]).all(axis=1).sum() > flat.SPARE else most
    parts = np.split(matrix, np.cumsum(sizes)[:-1])
    scores, rows = FlatVectors(parts).search(queries, k, allowed)
    expected, right = plain(matrix, queries, k, allowed)
    np.testing.assert_array_equal(rows, right)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_batches_of_any_size_find_the_same():
    rng = np.random.default_rng(1)
    found, queries = FlatVectors([unit(rng, 300)]), unit(rng, 11)
    whole = found.search(queries, 40)
    for size in (1, 2, 5):
        parts = [found.search(queries[n : n + size], 40) for n in range(0, 11, size)]
        np.testing.assert_array_equal(whole[1], np.concatenate([rows for _, rows in parts]))
        np.testing.assert_allclose(whole[0], np.concatenate([scores for scores, _ in parts]), atol=1e-6)


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_on_disk_in_memory_and_joined_it_is_the_same(tmp_path, monkeypatch, in_memory):
    monkeypatch.setattr(flat, "IN_MEMORY", in_memory)
    salts = [rocksalt(3.5 + 0.03 * n, 11, 17, f"salt-{n:03d}") for n in range(80)]
    publish_salts(tmp_path, "left", tuple(salts[:50]))
    publish_salts(tmp_path, "right", tuple(salts[50:]))
    left, right, both = (open_index(name, tmp_path) for name in ("left", "right", "left+right"))
    assert split(both.manifest.name) == ["left", "right"]
    matrix = np.concatenate([index.vectors.reconstruct_n(0, len(index)) for index in (left, right)])
    np.testing.assert_array_equal(both.vectors.reconstruct_batch(np.array([70, 3])), matrix[[70, 3]])
    few = np.flatnonzero(np.arange(80) % 3 == 0)
    for allowed in (None, few):
        expected = FlatVectors([matrix]).search(matrix[:9], 20, allowed)
        for found, right_one in zip(both.vectors.search(matrix[:9], 20, allowed), expected, strict=True):
            np.testing.assert_array_equal(found, right_one)


def test_no_queries_have_no_answers():
    scores, rows = FlatVectors([unit(np.random.default_rng(0), 5)]).search(np.empty((0, 16), np.float32), 3)
    assert scores.shape == rows.shape == (0, 3)
