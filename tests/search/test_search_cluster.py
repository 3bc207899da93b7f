"""Batches of patterns searched on a Dask cluster, whose workers must have the index and the code of this machine."""

import json
from dataclasses import replace

import pytest
from distributed import LocalCluster
from search_helpers import INDEX
from typer.testing import CliRunner

import models
from indexer.build import build
from indexer.plan import open_plan
from indexer.proof import OtherCodeError
from search import cluster
from search.__main__ import app
from search.cluster import Asked, Ground, OtherIndexError, answer, answers, trouble
from xtal.errors import UserError
from xtal.patterns import write_xye


@pytest.fixture(scope="module", autouse=True)
def _settled(home):
    """Let this process and all that it starts have the indexes of the tests by default."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XTALSCOUT_HOME", str(home))
        yield


@pytest.fixture(scope="module")
def address(_settled):
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as running:
        yield running.scheduler_address


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


def similarities(rows):
    """Take the similarities out of answers: batches of other sizes round them otherwise."""
    return [hit.pop("similarity") for row in rows for hit in row.get("hits", [])]


def test_a_cluster_answers_as_this_machine_does(files, address):
    (here, expected), (there, found) = told(files), told(files, "--scheduler", address)
    assert here.exit_code == there.exit_code == 3, there.stderr  # one file is broken
    assert len(found) == 4
    assert similarities(found) == pytest.approx(similarities(expected), abs=1e-5)
    assert found == expected


def test_the_workers_take_filters_and_refuse_what_this_machine_refuses(patterns, address):
    ground = Ground.here(INDEX)
    (found,) = answers(address, [[Asked(ground, patterns[0], k=2, copies=True)]])
    assert len(found[0].hits) == 2
    with pytest.raises(UserError, match="Pu"):
        list(answers(address, [[Asked(ground, patterns[0], required=frozenset({"Pu"}))]]))


def test_a_worker_with_another_build_is_refused(patterns, address):
    ground = replace(Ground.here(INDEX), build_id="20260101T000000-000000000000")
    with pytest.raises(OtherIndexError, match=f"another build of index '{INDEX}'"):
        list(answers(address, [[Asked(ground, patterns[0])]]))


def test_a_worker_with_other_code_is_refused(patterns, address):
    with pytest.raises(OtherCodeError, match="runs other code or libraries"):
        list(answers(address, [[Asked(replace(Ground.here(INDEX), proof="other"), patterns[0])]]))


def test_code_that_changes_during_a_search_is_found_out(patterns, monkeypatch):
    ground = Ground.here(INDEX)
    proofs = iter([ground.proof, ground.proof, "changed"])
    monkeypatch.setattr(cluster, "proof", lambda *_: next(proofs))
    assert isinstance(answer(Asked(ground, patterns[0])), OtherCodeError)


def test_an_index_that_is_missing_here_is_named_before_anything_starts():
    with pytest.raises(UserError, match="index 'nowhere' not found"):
        Ground.here("nowhere")


def test_another_build_has_another_ground(tmp_path, monkeypatch):
    before = Ground.here(INDEX)
    build(open_plan([INDEX], models.load("profile"), limit=2, home=tmp_path), workers=1)
    monkeypatch.setenv("XTALSCOUT_HOME", str(tmp_path))
    after = Ground.here(INDEX)
    assert after.proof == before.proof
    assert after.build_id != before.build_id


@pytest.mark.parametrize("error", [MemoryError("no more"), OSError("stale handle")])
def test_trouble_of_a_machine_is_tried_again(error):
    assert type(error).__name__ in trouble(error)
    assert trouble(UserError("nothing passes")) == ""
