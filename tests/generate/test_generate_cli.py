"""``python -m generate`` with the shipped model."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from generate.__main__ import app
from generate.benchmark.benchmark import Question, compare
from generate.benchmark.matching import TOLERANCES
from xtal.crystals import CrystalTable
from xtal.patterns import write_xye
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

DATA = Path(__file__).parents[1] / "data"
PACKED, FAMILIES = DATA / "hmof_like_small.npz", DATA / "core_mof_families.npz"


@pytest.fixture(scope="module")
def crystals():
    table = CrystalTable.load(PACKED)
    return [table[row] for row in range(len(table))]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


def test_the_benchmark_reports_every_way_and_draws(tmp_path):
    figures = (tmp_path / "rates.png", tmp_path / "trajectory.png")
    options = ("--split", "test", "--limit", "1", "-n", "2", "--steps", "3", "--template", "none", "--json")
    source = f"packed:{FAMILIES}"
    done = run("benchmark", "--source", source, *options, "--plot", figures[0], "--trajectory", figures[1])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["queries"] == 1
    ways = {curve["way"] for curve in result["curves"]}
    assert ways == {"generated", "retrieved, same formula", "random, right cell"}
    assert {curve["tolerance"] for curve in result["curves"]} == {t.name for t in TOLERANCES}
    for curve in result["curves"]:
        assert list(curve["percent"]) == sorted(curve["percent"])
    assert all(figure.stat().st_size > 10_000 for figure in figures)


def test_the_truth_matches_and_scattered_atoms_do_not(crystals):
    samples = [Sample.of(pattern) for pattern in simulate_all(crystals[:2], 0.0, 0)]
    questions = [Question(crystal, sample) for crystal, sample in zip(crystals[:2], samples, strict=True)]
    rng = np.random.default_rng(0)
    wrong = [[type(c)(c.lattice, rng.random((len(c), 3)), c.numbers)] for c in crystals[:2]]
    late = [[*made, crystal] for made, crystal in zip(wrong, crystals[:2], strict=True)]
    curves, given_up = compare(questions, {"truth": [[c] for c in crystals[:2]], "wrong": wrong, "second": late})
    overall = {(c.way, c.tolerance): c for c in curves if c.subset == "all"}
    for tolerance in TOLERANCES:
        assert overall["truth", tolerance.name].percent == (100.0,)
        assert overall["truth", tolerance.name].rmse < 0.01
        assert overall["wrong", tolerance.name].percent == (0.0,)
        assert overall["second", tolerance.name].percent == (0.0, 100.0)
    assert given_up == 0
    assert sum(overall["truth", "strict"].histogram) == 2


def test_a_formula_that_is_none_exits_2_before_anything_is_opened(crystals, tmp_path):
    write_xye(simulate_all(crystals[:1], 0.0, 0)[0], tmp_path / "a.xye", "test")
    done = run("run", tmp_path / "a.xye", "--formula", "Zn(OH)2")
    assert done.exit_code == 2
    assert "no formula" in done.stderr
    assert run("run", tmp_path / "missing.xye").exit_code == 2


def test_limits_are_said():
    assert run("run", "a.xye", "-n", "0").exit_code == 2
    assert "lie in 1 to 200" in run("run", "a.xye", "-n", "300").stderr


def test_a_figure_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    done = run("benchmark", "--source", f"packed:{PACKED}", "--plot", tmp_path / "no" / "x.png")
    assert done.exit_code == 2
    assert "no folder" in done.stderr
