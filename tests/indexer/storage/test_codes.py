"""Search by codes finds what the exact search finds, and says what it says of it."""

from dataclasses import replace

import numpy as np
import pytest
from indexer_helpers import publish_salts, rocksalt

from indexer.storage import open_index, read_manifest
from indexer.storage.manifest import Manifest
from indexer.storage.vectors import CODES, FlatVectors, Tier, coded, put_together, write_codes
from indexer.storage.vectors.coded import ClusteredVectors, CodedVectors, HalfVectors
from indexer.storage.vectors.codes import SearchNote, belong, recall
from xtal.errors import UserError

SALTS = tuple(rocksalt(3.5 + 0.01 * n, 11, 17, f"salt-{n:03d}") for n in range(300))
SHARES = [None, 0.6, 0.3, 0.05]


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    families = rng.normal(size=(150, 64))
    made = unit(np.repeat(families, 20, axis=0) + rng.normal(0, 0.3, (3000, 64)))
    made[40:60] = made[40]  # copies
    return made


@pytest.fixture(scope="module")
def queries(matrix):
    rng = np.random.default_rng(1)
    moved = unit(matrix[rng.integers(0, 3000, 30)] + rng.normal(0, 0.05, (30, 64)))
    return np.concatenate([matrix[40:41], moved])


@pytest.fixture(scope="module")
def coders(matrix, tmp_path_factory):
    """Both tiers, and what was noted of them."""
    import faiss

    folder, found = tmp_path_factory.mktemp("codes"), {}
    for tier in (Tier.half, Tier.clusters):
        note = write_codes(folder / tier, FlatVectors([matrix]), tier)
        index = faiss.read_index(str(folder / tier), faiss.IO_FLAG_MMAP_IFC)
        assert belong(index, FlatVectors([matrix]))
        assert not belong(index, FlatVectors([matrix[::-1].copy()]))
        assert not belong(index, FlatVectors([matrix[:-1]]))
        found[tier] = note, index
    return found


@pytest.fixture
def half(matrix, coders):
    note, index = coders[Tier.half]
    return HalfVectors([matrix], lambda: index, note.error)


@pytest.fixture
def clustered(matrix, coders, monkeypatch):
    monkeypatch.setattr(coded, "ALL", 100)
    note, index = coders[Tier.clusters]
    assert 1 <= note.looked_into < note.clusters == index.nlist
    return ClusteredVectors([matrix], lambda: index, note.looked_into)


def allowed_of(share):
    return None if share is None else np.flatnonzero(np.random.default_rng(2).random(3000) < share)


@pytest.mark.parametrize("share", SHARES)
def test_halves_give_the_exact_answer(matrix, queries, half, share, monkeypatch):
    flat, allowed = FlatVectors([matrix]), allowed_of(share)
    expected, right = flat.search(queries, 20, allowed)
    for size in (1, 2, 7):
        found = [half.search(queries[n : n + size], 20, allowed) for n in range(0, len(queries), size)]
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in found]), right)
        np.testing.assert_allclose(np.concatenate([scores for scores, _ in found]), expected, atol=1e-6)
    monkeypatch.setattr(FlatVectors, "search", None)
    if share != 0.05:  # where few pass these are compared as they are
        np.testing.assert_array_equal(half.search(queries[:1], 20, allowed)[1], right[:1])


def test_halves_that_leave_it_open_are_not_trusted(matrix, queries, half):
    half.error = 2.0  # as if nothing were known
    np.testing.assert_array_equal(half.search(queries[:2], 9)[1], FlatVectors([matrix]).search(queries[:2], 9)[1])


@pytest.mark.parametrize("share", SHARES)
def test_clusters_find_nearly_all_with_exact_scores(matrix, queries, clustered, share):
    allowed = allowed_of(share)
    scores, rows = clustered.search(queries, 100, allowed)
    assert recall(rows, FlatVectors([matrix]).search(queries, 100, allowed)[1]) >= 0.99
    if allowed is not None:
        assert np.isin(rows, allowed).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    products = np.take_along_axis(queries.astype(float) @ matrix.T.astype(float), rows, axis=1)
    np.testing.assert_allclose(scores, products, atol=1e-6)
    copies = np.arange(40, 60) if allowed is None else np.intersect1d(allowed, np.arange(40, 60))
    np.testing.assert_array_equal(rows[0, : len(copies)], copies)
    one = [clustered.search(query[None], 100, allowed)[1][0] for query in queries]
    np.testing.assert_array_equal(one, rows)


def test_more_than_the_clusters_hold_are_found_too(matrix, queries, clustered):
    clustered.looked_into = 1
    found, right = (one.search(queries[:2], 2900) for one in (clustered, FlatVectors([matrix])))
    np.testing.assert_array_equal(found[1], right[1])


def test_few_that_pass_are_all_compared(matrix, queries, clustered):
    allowed = np.arange(0, 3000, 300)
    found, right = (one.search(queries, 10, allowed) for one in (clustered, FlatVectors([matrix])))
    np.testing.assert_array_equal(found[1], right[1])


def test_several_indexes_search_each_their_own(matrix, queries, half, clustered):
    together = put_together([clustered, FlatVectors([matrix[:700]]), half])
    whole = FlatVectors([matrix, matrix[:700], matrix])
    for allowed in (None, np.arange(0, 6700, 2), np.arange(3100, 3400)):
        assert recall(together.search(queries, 50, allowed)[1], whole.search(queries, 50, allowed)[1]) >= 0.99
    assert type(put_together([FlatVectors([matrix])] * 2)) is FlatVectors


def test_where_nothing_passes_nothing_is_found(matrix, queries, half, clustered):
    flat, nothing = FlatVectors([matrix]), np.empty(0, np.int64)
    for vectors in (flat, half, clustered, put_together([clustered, half])):
        scores, rows = vectors.search(queries[:2], 5, nothing)
        assert scores.shape == rows.shape == (2, 0)


def test_the_tier_follows_from_the_size():
    assert [Tier.suited(n) for n in (12_020, 200_001, 1_000_001)] == [Tier.exact, Tier.half, Tier.clusters]


@pytest.mark.parametrize("tier", [Tier.half, Tier.clusters])
def test_codes_are_published_with_the_vectors(tmp_path, tier, monkeypatch):
    monkeypatch.setattr(coded, "ALL", 10)
    manifest = publish_salts(tmp_path, crystals=SALTS, tier=tier)
    assert read_manifest("salts", tmp_path).search == manifest.search
    assert manifest.search.tier == tier
    assert Manifest.from_json(manifest.to_json()) == manifest
    publish_salts(tmp_path, "few")
    index, joined = open_index("salts", tmp_path), open_index("salts+few", tmp_path)
    vectors = index.vectors.reconstruct_n(0, 300)
    assert isinstance(index.vectors, CodedVectors)
    for one in (index, joined):
        scores, rows = one.vectors.search(vectors[:2], 5)
        np.testing.assert_allclose(scores[:, 0], 1, atol=1e-6)
        assert (rows[:, 0] <= np.arange(2)).all()  # the first of equal ones
    path = tmp_path / "indexes" / "salts" / manifest.build_id / CODES
    path.write_bytes(bytes([*path.read_bytes()[:-9], *range(9)]))
    with pytest.raises(UserError, match=f"{CODES} does not have the digest"):
        open_index("salts", tmp_path)


def test_codes_of_other_vectors_are_refused(tmp_path, monkeypatch):
    others = publish_salts(tmp_path / "other", crystals=SALTS[::-1], tier="half")
    foreign = tmp_path / "other" / "indexes" / "salts" / others.build_id / CODES

    def swapped(path, *_):
        path.write_bytes(foreign.read_bytes())
        return others.search

    monkeypatch.setattr("indexer.storage.publish.write_codes", swapped)
    publish_salts(tmp_path, crystals=SALTS)
    vectors = open_index("salts", tmp_path).vectors
    with pytest.raises(UserError, match=f"{CODES} does not belong to the vectors beside it"):
        vectors.search(vectors.reconstruct_n(0, 1), 3)
    named = replace(others.search, vectors="0" * 64)
    monkeypatch.setattr(
        "indexer.storage.publish.replace",
        lambda one, **new: replace(one, **({**new, "search": named} if "search" in new else new)),
    )
    with pytest.raises(UserError, match="made of other vectors"):
        publish_salts(tmp_path, crystals=SALTS)


def test_codes_that_went_with_their_build_are_not_needed(tmp_path):
    publish_salts(tmp_path, crystals=SALTS, tier="clusters")
    late = open_index("salts", tmp_path)
    vectors = late.vectors.reconstruct_n(0, 3)
    publish_salts(tmp_path, crystals=SALTS[:270])
    assert late.vectors.index is None
    np.testing.assert_allclose(late.vectors.search(vectors, 2)[0][:, 0], 1, atol=1e-6)


def test_indexes_of_before_are_searched_exactly():
    assert SearchNote() == SearchNote(tier="exact")
    assert "every vector" in str(SearchNote())
