"""Hit rates of a small index."""

import gemmi
import numpy as np
import pytest

from indexer.crew import Crew
from models.cpcp.training.dataset import split_of
from search.benchmark import (
    Benchmark,
    benchmark_measured,
    benchmark_simulated,
    plot_benchmark,
    restricted,
    with_embedder,
)
from search.benchmark.benchmark import DEPTHS, Rate, Row, rate_rows
from search.benchmark.gallery import held_out, subsets
from xtal.errors import UserError
from xtal.physics.simulate import simulate, simulate_all


@pytest.fixture(scope="module")
def result(engine) -> Benchmark:
    return benchmark_simulated(Crew(engine), 8, 1.0, seed=3)


def test_rows_and_facts(result, engine):
    assert [(r.ordering, r.target) for r in result.rows] == [
        ("fingerprint", "id"),
        ("fingerprint", "group"),
        ("physics", "id"),
        ("physics", "group"),
    ]
    assert (result.index, result.entries, result.queries) == ("coremof2019-asr", len(engine), 8)
    assert (result.embedder, result.patterns) == ("profile", "simulated, severity 1, seed 3")
    assert set(result.milliseconds) == {"fingerprint", "physics"}
    assert 0 < result.milliseconds["fingerprint"] < result.milliseconds["physics"] * 3


def test_rates_rise_with_depth_and_lie_in_their_intervals(result):
    for row in result.rows:
        assert [r.at for r in row.rates] == list(DEPTHS)
        percents = [r.percent for r in row.rates]
        assert percents == sorted(percents)
        assert all(0 <= r.low <= r.percent <= r.high <= 100 for r in row.rates)
    by_id, by_group = result.rows[2].rates, result.rows[3].rates
    assert all(g.percent >= i.percent for i, g in zip(by_id, by_group, strict=True))
    assert by_group[0].percent >= 75


def test_the_same_seed_gives_the_same_rates(result, engine):
    assert benchmark_simulated(Crew(engine), 8, 1.0, seed=3).rows == result.rows


@pytest.mark.parametrize("queries", [0, -1, 121])
def test_impossible_numbers_of_queries_are_refused(engine, queries):
    with pytest.raises(UserError, match=f"index 'coremof2019-asr' allows 1 to 120 queries, got {queries}"):
        benchmark_simulated(Crew(engine), queries, 1.0)


def test_measured_patterns_are_scored_against_the_entries_they_are_named_after(engine, patterns, wanted):
    ids = [str(engine.index.entries.ids[row]) for row in wanted]
    result = benchmark_measured(Crew(engine), patterns, ids)
    assert (result.queries, result.patterns) == (len(ids), "measured")
    first = [answer.hits[0].id for answer in engine.query(patterns, k=1, copies=True)]
    assert result.rows[2].rates[0].percent == pytest.approx(100 * np.mean(np.array(first) == ids))
    with pytest.raises(UserError, match=r"index 'coremof2019-asr' has no entry 'x' \(1 of 2 missing\); name each"):
        benchmark_measured(Crew(engine), patterns[:2], [ids[0], "x"])


def test_rates_are_counted_by_entry_and_by_structure():
    """Entries 0 and 1 hold one structure, the others one each; four queries find theirs at ranks 1, 2, 6 and never."""
    group = np.array([0, 0, 1, 2, 3, 4, 5, 6])
    orders = [[2, 3], [1, 0], [7, 6, 5, 4, 3, 2, 1], [7, 6, 5]]
    wanted = np.array([2, 0, 2, 1])
    by_id, by_group = rate_rows("physics", orders, wanted, group)
    assert [r.percent for r in by_id.rates] == [25, 50, 50, 75, 75]
    assert [r.percent for r in by_group.rates] == [50, 50, 50, 75, 75]
    assert by_id.rates[0].low == 0
    assert by_id.rates[0].high >= 75


def test_simulations_do_not_depend_on_how_many_follow(engine):
    crystals = [engine.index.crystal(row) for row in range(3)]
    short, long = simulate_all(crystals[:2], 1.0, 4), simulate_all(crystals, 1.0, 4)
    for first, second in zip(short, long, strict=False):
        np.testing.assert_array_equal(first.intensity, second.intensity)
    assert (simulate_all(crystals, 1.0, 5)[0].intensity != long[0].intensity).any()
    assert simulate(crystals[0], 0.0, np.random.default_rng(0)).source == "simulated"


def test_the_figure_is_drawn(result, tmp_path):
    rates = tuple(Rate(at, 50.0, 40.0, 60.0) for at in DEPTHS)
    other = Benchmark("x", 9, "profile", 5, "measured", (Row("physics", "group", rates),), {"physics": 1.0})
    path = tmp_path / "figure.png"
    plot_benchmark([result, other], path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000


def test_held_out_queries_ask_only_for_formulas_of_the_test_split(engine):
    entries = engine.index.entries
    rows = held_out(engine.index)
    assert 0 < len(rows) < len(entries) / 3
    assert {split_of(formula) for formula in entries.formulas[rows]} == {"test"}
    result = benchmark_simulated(Crew(engine), len(rows), 0.0, only_held_out=True)
    assert (result.queries, result.patterns) == (len(rows), "simulated, severity 0, seed 0, held-out formulas")
    with pytest.raises(UserError, match=f"allows 1 to {len(rows)} held-out queries, got {len(rows) + 1}"):
        benchmark_simulated(Crew(engine), len(rows) + 1, 0.0, only_held_out=True)


def test_a_smaller_gallery_holds_only_what_was_asked_for(engine):
    small = restricted(engine, only_held_out=False, most_atoms=100)
    assert 0 < len(small) < len(engine)
    assert small.index.entries.n_atoms.max() <= 100
    row = int(np.argmax(small.index.entries.n_atoms))
    same = engine.index.row_of(str(small.index.entries.ids[row]))
    np.testing.assert_array_equal(small.index.lines[row].q, engine.index.lines[same].q)
    np.testing.assert_array_equal(small.index.crystal(row).frac_coords, engine.index.crystal(same).frac_coords)
    np.testing.assert_array_equal(small.index.vectors.reconstruct(row), engine.index.vectors.reconstruct(same))
    assert restricted(engine, only_held_out=False, most_atoms=None) is engine


def test_subsets_by_atoms_divide_the_queries_and_each_metal_has_its_own(engine):
    entries, rows = engine.index.entries, np.arange(len(engine))
    sizes = dict(subsets(entries, rows, "atoms"))
    assert sum(members.sum() for members in sizes.values()) <= len(rows)
    assert (entries.n_atoms[sizes["1 to 100 atoms"]] <= 100).all()
    metals = dict(subsets(entries, rows, "metal"))
    counts = [int(members.sum()) for members in metals.values()]
    assert counts
    assert counts == sorted(counts, reverse=True)
    for symbol, members in metals.items():
        assert gemmi.Element(symbol).is_metal
        np.testing.assert_array_equal(members, entries.elements[:, gemmi.Element(symbol).atomic_number])
    result = benchmark_simulated(Crew(engine), len(engine), 0.0, by=["atoms"])
    assert {row.subset for row in result.rows} >= {"all", "1 to 100 atoms"}
    assert all(row.queries >= 20 for row in result.rows)


def test_another_embedder_searches_the_same_entries(engine):
    class Halved:
        name, model_id, dimension = "halved", "0" * 64, engine.embedder.dimension

        def embed_patterns(self, lines):
            return engine.embedder.embed_patterns(lines)

        def embed_crystals(self, crystals, lines):
            return engine.embedder.embed_crystals(crystals, lines) / 2

    other = with_embedder(engine, Halved())
    assert (len(other), other.embedder.name) == (len(engine), "halved")
    np.testing.assert_allclose(other.index.vectors.reconstruct(7), engine.index.vectors.reconstruct(7) / 2, atol=1e-7)
    assert with_embedder(engine, engine.embedder) is engine
