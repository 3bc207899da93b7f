"""Figures of a small index."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.image import imread
from search_helpers import INDEX
from typer.testing import CliRunner

from search.__main__ import app
from search.benchmark import figures
from xtal.crystals import Crystal
from xtal.crystals.sketch import WINDOW, colour, element_key, projected
from xtal.errors import UserError

NAMES = ["tsne.png", "similarity.png", "retrieval.png"]
QUERIES = 60


@pytest.fixture(scope="module")
def chosen(engine):
    return figures.choose_queries(engine, QUERIES, seed=2)


@pytest.fixture(scope="module")
def retrieval(engine, chosen):
    return figures.retrieve(engine, int(chosen.rows[0]), seed=2)


def test_the_queries_are_different_entries_and_finite_vectors(engine, chosen):
    assert len(set(chosen.rows.tolist())) == len(chosen.patterns) == QUERIES
    assert chosen.vectors.shape == (QUERIES, engine.embedder.dimension)
    assert np.isfinite(chosen.vectors).all()
    assert (np.linalg.norm(chosen.vectors, axis=1) > 0).all()
    assert chosen.title == f"{INDEX}, embedder profile"
    assert (figures.choose_queries(engine, 50, seed=3).rows != chosen.rows[:50]).any()


@pytest.mark.parametrize("queries", [49, 121])
def test_impossible_numbers_of_queries_are_refused(engine, queries):
    with pytest.raises(UserError, match=f"figures of index '{INDEX}' need 50 to 120 queries, got {queries}"):
        figures.choose_queries(engine, queries, seed=0)


def test_the_map_has_a_finite_place_and_the_volume_of_each_pattern(engine, chosen):
    layout = figures.embedding_map(engine, chosen, seed=2)
    assert layout.position.shape == (QUERIES, 2)
    assert np.isfinite(layout.position).all()
    volumes = [engine.index.crystal(int(row)).volume for row in chosen.rows]
    np.testing.assert_allclose(layout.volume, volumes)
    np.testing.assert_array_equal(figures.embedding_map(engine, chosen, seed=2).position, layout.position)
    axes, bar = figures.map_figure(layout).axes
    (points,) = axes.collections
    assert isinstance(points.norm, LogNorm)
    np.testing.assert_array_equal(points.get_offsets(), layout.position)
    assert bar.get_ylabel() == "volume of the primitive cell (Å³)"


def test_like_patterns_lie_together_on_the_map(engine, chosen):
    """The pattern most like another one is nearer to it on the map than most."""
    position = figures.embedding_map(engine, chosen, seed=2).position
    unit = chosen.vectors / np.linalg.norm(chosen.vectors, axis=1, keepdims=True)
    like = unit @ unit.T - 2 * np.eye(QUERIES)
    distance = np.linalg.norm(position[:, None] - position, axis=-1)
    nearer = (distance < distance[np.arange(QUERIES), like.argmax(axis=1)][:, None]).sum(axis=1) - 1
    assert np.median(nearer) < QUERIES / 10


def test_patterns_are_most_like_their_own_crystals(engine, chosen):
    table = figures.similarity_table(engine, chosen)
    assert table.values.shape == (50, 50)
    own = np.flatnonzero(table.values.argmax(axis=1) == np.arange(50))
    assert table.right == len(own) >= 45
    assert table.values.max() <= 1 + 1e-5
    volume = engine.index.entries.volume
    smallest = int(chosen.rows[:50][np.argmin(volume[chosen.rows[:50]])])
    (answer,) = engine.query([chosen.patterns[list(chosen.rows).index(smallest)]], k=len(engine), copies=True)
    hit = next(hit for hit in answer.hits if hit.row == smallest)
    assert table.values[0, 0] == pytest.approx(hit.similarity, abs=1e-5)
    axes, _ = figures.similarity_figure(table).axes
    np.testing.assert_array_equal(axes.images[0].get_array(), table.values)
    assert f"{table.right} of 50 row maxima" in axes.get_title()


def test_the_right_structure_is_retrieved_and_marked(engine, chosen, retrieval):
    assert [hit.rank for hit in retrieval.hits] == [1, 2, 3, 4]
    assert len(retrieval.overlays) == 4
    assert retrieval.hits[0].group == retrieval.group == engine.index.entries.group[chosen.rows[0]]
    assert [len(c) for c in retrieval.crystals[1:]] == [hit.n_atoms for hit in retrieval.hits]
    figure = figures.retrieval_figure(retrieval)
    assert figure.get_suptitle() == f"{INDEX}, embedder profile: the best 4 structures"
    axes = figure.axes
    titles = [a.get_title(loc="left") for a in axes if a.get_title(loc="left")]
    assert [title.endswith("(right structure)") for title in titles] == [False, True, False, False, False]
    assert titles[0].startswith(f"query: {retrieval.hits[0].id}, ")
    for hit, title in zip(retrieval.hits, titles[1:], strict=True):
        assert title.startswith(f"{hit.rank}: {hit.id}, ")
        assert f"fit {hit.fit:.3f}" in title
        assert title.replace("$_{", "").replace("}$", "").split(", ")[1] == hit.formula
    profiles = axes[2].lines[0].get_ydata()
    np.testing.assert_array_equal(profiles, retrieval.overlays[0].calculated)


def test_a_crystal_fills_the_window_with_its_own_pattern():
    """A simple cube of 10 Å, seen along c: sodium at the corners, oxygen in the middle of the edges along a."""
    crystal = Crystal(np.diag([10.0, 10.0, 4.0]), np.array([[0, 0, 0], [0.5, 0, 0.5]]), np.array([11, 8]))
    places, numbers = projected(crystal)
    assert (np.abs(places) < WINDOW / 2 + 2).all()
    sodium, oxygen = places[numbers == 11], places[numbers == 8]
    assert {tuple(p) for p in np.round(sodium, 6)} == {(x, y) for x in (-5.0, 5.0) for y in (-5.0, 5.0)}
    assert {tuple(p) for p in np.round(oxygen, 6) + 0.0} == {(x, y) for x in (-10.0, 0.0, 10.0) for y in (-5.0, 5.0)}
    assert numbers[0] == 8  # half a period above sodium is as far below its next copy: the order is by depth
    assert {colour(11), colour(30)} == {"#cc79a7"}
    assert [handle.get_label() for handle in element_key()] == ["C", "N", "O", "H", "metal", "other"]


@pytest.mark.parametrize("row", [0, 17, 60])
def test_the_whole_window_is_covered(engine, row):
    """What is drawn repeats by both projected cell vectors wherever that stays within the window."""
    crystal = engine.index.crystal(row)
    places, _ = projected(crystal)
    shortest = int(np.argmin(np.linalg.norm(crystal.lattice, axis=1)))
    view, across = crystal.lattice[shortest], np.delete(crystal.lattice, shortest, axis=0)
    right = across[0] - across[0] @ view / (view @ view) * view
    up = np.cross(view, right)
    flat = across @ np.stack([right / np.linalg.norm(right), up / np.linalg.norm(up)], axis=1)
    for vector in (*flat, *-flat):
        moved = places + vector
        moved = moved[(np.abs(moved) < WINDOW / 2).all(axis=1)]
        distance = np.linalg.norm(moved[:, None] - places, axis=-1)
        assert distance.min(axis=1, initial=np.inf).max(initial=0) < 1e-6


def test_the_command_writes_all_files(home, tmp_path):
    out = tmp_path / "new" / "figures"
    environment = {"XTALSCOUT_HOME": str(home), "COLUMNS": "200"}
    done = CliRunner().invoke(app, ["figures", INDEX, "--out", str(out), "--queries", "50"], env=environment)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [f"wrote {out / name}" for name in NAMES]
    for name in NAMES:
        height, width, _ = imread(out / name).shape
        assert 800 < width < 1400
        assert 700 < height < 1600
        assert (out / name).stat().st_size > 20_000
    refused = CliRunner().invoke(app, ["figures", INDEX, "--embedder", "x", "--out", str(tmp_path)], env=environment)
    assert refused.exit_code == 2
    assert "embedder 'x' is not known" in refused.stderr


def test_without_scikit_learn_the_command_to_install_it_is_named(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"t-SNE needs the scikit-learn package.*run: pip install scikit-learn"):
        figures.write_figures(engine, tmp_path / "none", 50)
    assert not (tmp_path / "none").exists()
