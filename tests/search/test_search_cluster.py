"""Patterns searched, benchmarks and calibrations on a Dask cluster: the same answers as on this machine."""

import json
from dataclasses import astuple, replace
from functools import partial

import numpy as np
import pytest
from distributed import LocalCluster
from search_helpers import INDEX
from typer.testing import CliRunner

import models
from indexer.build import build
from indexer.crew import Crew, Elsewhere, Nothing, hired
from indexer.plan import open_plan
from indexer.proof import OtherCodeError, Standing
from models.logistic import Logistic
from search.__main__ import app
from search.benchmark import benchmark_simulated
from search.benchmark.calibrate import calibrate
from search.benchmark.gallery import held_out, restricted
from search.benchmark.gallery import searchers as some_searchers
from search.benchmark.mixture_rates import outcome_of
from search.benchmark.mixtures import mixed
from search.benchmark.robustness import robustness
from search.benchmark.trials import simulated_trials
from search.cluster import Asked, Ground, OtherIndexError, answers, searchers
from search.verdict import Judge
from search.verdict.calibration import SHARES, Calibration, Curves, Threshold
from search.verdict.evidence import FEATURES
from xtal.errors import UserError
from xtal.patterns import write_xye


@pytest.fixture(scope="module", autouse=True)
def _settled(home):
    """Let this process and all that it starts have the indexes of the tests by default."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XTALSCOUT_HOME", str(home))
        yield


@pytest.fixture(scope="module")
def cluster(_settled):
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as running:
        yield Elsewhere(running.scheduler_address)


@pytest.fixture
def files(patterns, tmp_path):
    for number, pattern in enumerate(patterns[:3]):
        write_xye(pattern, tmp_path / f"scan{number}.xye", "simulated")
    (tmp_path / "broken.xye").write_text("no pattern\n")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def told(files, *options):
    done = CliRunner().invoke(app, ["query", *files, "--index", INDEX, "--json", *options])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return done, [{name: value for name, value in row.items() if name != "timings"} for row in rows]


def test_a_cluster_answers_as_this_machine_does(files, cluster):
    (here, expected), (there, found) = told(files), told(files, "--scheduler", cluster.scheduler)
    assert here.exit_code == there.exit_code == 3, there.stderr  # one file is broken
    assert len(found) == 4
    assert found == expected


def test_the_workers_take_filters_and_refuse_what_this_machine_refuses(engine, patterns, cluster):
    with searchers(INDEX, cluster, engine) as crew:
        (found,) = crew.map(two_copies, [Asked(patterns[:1], [None])])
        assert len(found[0].hits) == 2
        with pytest.raises(UserError, match="Pu"):
            list(crew.map(with_plutonium, [Asked(patterns[:1], [None])]))


def two_copies(engine, asked):
    return answers(engine, asked, k=2, copies=True)


def with_plutonium(engine, asked):
    return answers(engine, asked, required=frozenset({"Pu"}))


def test_a_benchmark_counts_the_same(engine, cluster):
    def counted(crew):
        return benchmark_simulated(crew, 28, 1.0, seed=3, by=["atoms"])

    with some_searchers(INDEX, cluster, engine) as crew:
        found, expected = counted(crew), counted(Crew(engine))
    assert replace(found, milliseconds={}) == replace(expected, milliseconds={})
    assert set(found.milliseconds) == {"fingerprint", "physics"}


def test_a_gallery_of_some_entries_is_made_by_the_workers(engine, cluster):
    few = restricted(engine, False, 100)
    with some_searchers(INDEX, cluster, few, False, 100) as crew:
        assert list(crew.map(size_of, range(3))) == [len(few)] * 3
    assert len(few) < len(engine)


def size_of(engine, _item):
    return len(engine)


def test_trials_are_the_same_to_the_last_bit(engine, cluster):
    rows = held_out(engine.index)[:1]
    with searchers(INDEX, cluster, engine) as crew:
        moved = []
        found = simulated_trials(crew, rows, 7, lambda *step: moved.append(step))
    expected = simulated_trials(Crew(engine), rows, 7, lambda *_: None)
    for one, other in zip(astuple(found), astuple(expected), strict=True):
        np.testing.assert_array_equal(one, other)
    assert sum(count for _, count, _ in moved) == moved[0][2] == len(found)


def test_robustness_and_mixtures_come_out_the_same(engine, cluster):
    even = Logistic(0.0, (0.0,) * len(FEATURES))
    curves = Curves((-9.0,) * len(FEATURES), (9.0,) * len(FEATURES), even, even)
    thresholds = tuple(Threshold(share, 0.6) for share in SHARES)
    judge = Judge(Calibration("profile", engine.embedder.model_id, INDEX, 120, 1, curves, thresholds), engine.index)
    rows = held_out(engine.index)
    mixtures = [mixed(engine, (int(rows[0]), int(rows[1])), (0.7, 0.3), "two", [0])]

    def both(crew):
        return robustness(crew, judge, 1, 1.0, 0), list(crew.map(partial(outcome_of, judge.calibration), mixtures))

    with searchers(INDEX, cluster, engine) as crew:
        assert repr(both(crew)) == repr(both(Crew(engine)))  # NaN is not equal to itself


def test_the_command_calibrates_on_a_cluster(monkeypatch, cluster, tmp_path):
    seen = []

    def calibrated(crew, *given, **named):
        seen.extend(crew.map(size_of, [0]))
        return calibrate(crew, *given, **named)

    monkeypatch.setattr("search.benchmark.calibrate.calibrate", calibrated)
    out = tmp_path / "verdict.json"
    command = ["calibrate", INDEX, "--queries", "40", "--out", str(out), "--scheduler", cluster.scheduler]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 2
    assert "a calibration needs at least 60 entries" in done.stderr
    assert seen == [120]


def test_workers_with_gpus_are_asked_for_by_name(engine, cluster):
    with (
        pytest.raises(UserError, match=r"no worker .* says that it has a GPU; start them with: dask worker tcp://"),
        searchers(INDEX, replace(cluster, gpu=True), engine),
    ):
        pass
    refused = CliRunner().invoke(app, ["query", "x.xy", "--index", INDEX, "--gpu-workers"])
    assert refused.exit_code == 2
    assert "give the address of its scheduler" in refused.stderr


def test_work_goes_only_to_workers_that_say_they_have_a_gpu():
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, resources={"GPU": 1}, dashboard_address="127.0.0.1:0") as one,
        hired(Elsewhere(one.scheduler_address, gpu=True), None, Nothing, ()) as crew,
    ):
        assert list(crew.map(doubled, [1, 2])) == [2, 4]


def doubled(_base, number):
    return 2 * number


def test_a_worker_with_another_build_is_refused(engine, cluster):
    def other():
        return replace(Ground.here(INDEX), build_id="20260101T000000-000000000000")

    with (
        pytest.raises(OtherIndexError, match=f"another build of index '{INDEX}'"),
        hired(cluster, engine, other, ("search",)) as crew,
    ):
        list(crew.map(size_of, [0]))


def test_code_that_changes_during_the_work_is_found_out(cluster, monkeypatch):
    with hired(cluster, None, Nothing, ("models",)) as crew:
        assert list(crew.map(doubled, [1])) == [2]
        monkeypatch.setattr(crew._pool, "_standing", replace(crew._pool._standing, digest="other"))
        with pytest.raises(OtherCodeError, match="runs other code, weights or libraries"):
            list(crew.map(doubled, [1]))


def test_other_weights_are_another_standing(monkeypatch, tmp_path):
    before = [Standing.here(packages).digest for packages in (("xtal",), ("xtal", "models"))]
    listed = tmp_path / "shipped.sha256"
    listed.write_text("")
    monkeypatch.setattr("xtal.shipped.LIST", listed)
    monkeypatch.setattr("indexer.proof._known", {})
    monkeypatch.setattr("indexer.proof.LOADED", 1e12)
    after = [Standing.here(packages).digest for packages in (("xtal",), ("xtal", "models"))]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_an_index_that_is_missing_here_is_named_before_anything_starts():
    with pytest.raises(UserError, match="index 'nowhere' not found"):
        Ground.here("nowhere")


def test_another_build_has_another_ground(tmp_path, monkeypatch):
    before = Ground.here(INDEX)
    build(open_plan([INDEX], models.load("profile"), limit=2, home=tmp_path), workers=1)
    monkeypatch.setenv("XTALSCOUT_HOME", str(tmp_path))
    assert Ground.here(INDEX).build_id != before.build_id
