"""The same question has the same answer, however it is asked and by whomever it is worked on."""

import api_server
import faiss
import numpy as np
import pytest

import models
from indexer.build import build
from indexer.plan import open_plan
from indexer.storage import open_index
from search.engine import Engine
from search.options import Options
from search.workers import Searcher, Workers
from xtal.physics.simulate import simulate_all

CLOSE = 1e-5  # of scores


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return api_server.build_home(tmp_path_factory.mktemp("same-home"))


@pytest.fixture(scope="module")
def engine(place):
    return Engine.open(api_server.INDEX, place)


@pytest.fixture
def patterns(tried, engine):
    count = tried("patterns: ids equal, scores within 1e-5", 8, 60)
    return simulate_all([engine.index.crystal(row) for row in range(count)], 1.0, 3)


def told(answers) -> list[tuple[list[str], list[float]]]:
    return [
        ([hit.id for hit in a.hits], [value for hit in a.hits for value in (hit.similarity, hit.fit)]) for a in answers
    ]


def same(ours, theirs) -> None:
    for (ids, values), (other_ids, other_values) in zip(told(ours), told(theirs), strict=True):
        assert ids == other_ids
        np.testing.assert_allclose(values, other_values, atol=CLOSE)


def test_in_batches_of_any_size(engine, patterns):
    whole = engine.query(patterns)
    for size in (1, 3, 7):
        parts = [patterns[at : at + size] for at in range(0, len(patterns), size)]
        same(whole, [answer for part in parts for answer in engine.query(part)])


def test_with_any_number_of_threads(engine, patterns):
    whole, before = engine.query(patterns), faiss.omp_get_max_threads()
    try:
        for threads in (1, 2, 4):
            faiss.omp_set_num_threads(threads)
            same(whole, engine.query(patterns))
    finally:
        faiss.omp_set_num_threads(before)


def test_after_a_restart_and_by_other_processes(place, engine, patterns):
    whole = [Searcher.open(api_server.INDEX, place).search(pattern, Options()) for pattern in patterns]
    same(engine.query(patterns), [answer for answer, _ in whole])
    workers = Workers(api_server.INDEX, 1, place)
    try:
        theirs = [workers.search(pattern, Options()) for pattern in patterns]
    finally:
        workers.close()
    same([answer for answer, _ in whole], [answer for answer, _ in theirs])
    for (_, ours), (_, other) in zip(whole, theirs, strict=True):
        assert (ours.kind, ours.reasons) == (other.kind, other.reasons)
        assert ours.probability == pytest.approx(other.probability, abs=CLOSE)


def test_from_shards_of_any_size(place, tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.build.SHARD", 7)
    plan = open_plan([api_server.INDEX], models.load(), limit=api_server.ENTRIES, home=tmp_path)
    ours, theirs = open_index(api_server.INDEX, place), (build(plan, workers=2), open_index(plan.name, tmp_path))[1]
    files = {note.name: note.sha256 for note in ours.manifest.files}
    others = {note.name: note.sha256 for note in theirs.manifest.files}
    assert {name for name in files if files[name] != others[name]} <= {"vectors.faiss"}
    count = len(ours)
    np.testing.assert_allclose(
        ours.vectors.reconstruct_n(0, count), theirs.vectors.reconstruct_n(0, count), atol=CLOSE
    )  # the network adds in another order


def test_by_faiss_and_by_the_plain_product(engine, patterns):
    found = engine.embedder.embed_patterns([answer.lines for answer in engine.query(patterns)])
    count = len(engine.index)
    scores, rows = engine.index.vectors.search(found, count)
    product = found @ engine.index.vectors.reconstruct_n(0, count).T
    np.testing.assert_allclose(scores, -np.sort(-product, axis=1), atol=CLOSE)
    np.testing.assert_allclose(np.take_along_axis(product, rows, 1), scores, atol=CLOSE)
