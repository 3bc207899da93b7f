"""``python -m generate`` with the shipped model."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from generate.__main__ import app
from generate.benchmark.benchmark import compare, matched
from generate.benchmark.matching import TOLERANCES
from generate.benchmark.questions import Question
from xtal.crystals import CrystalTable, write_cif
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


def test_any_crystals_are_asked_for_and_others_are_known(crystals, tmp_path):
    """A folder of CIF files, of which none is known; what is known comes from elsewhere."""
    for crystal in crystals:
        (tmp_path / f"{crystal.name}.cif").write_text(write_cif(crystal))
    asked = ("--source", f"cif:{tmp_path}", "--split", "all", "--min-atoms", "35", "--to", "40")
    known = ("--gallery", f"packed:{PACKED}", "--gallery", f"packed:{FAMILIES}")
    few = ("--limit", "1", "-n", "2", "--steps", "2")
    done = run("benchmark", *asked, *known, *few, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["choice"]["atoms"] == [35, 64]
    assert result["choice"]["end"] == 40
    assert result["choice"]["gallery"] == list(known[1::2])
    assert result["known"] == len(crystals) + len(CrystalTable.load(FAMILIES))
    assert result["memory"] > 100
    curves = {c["way"]: c for c in result["curves"] if c["tolerance"] == "strict" and c["subset"] == "all"}
    assert curves["retrieved, same formula"]["close"][0] == 100  # it is in the gallery,
    assert curves["generated"]["close"][-1] == 0  # but nothing is built from it
    words = run("benchmark", *asked, *known, *few, "--template", "none").stdout
    assert "35 to 64 atoms, patterns to 40°" in words
    assert "those of a question's own formula left out" in words
    assert "rmse<0.2" in words


def test_nobody_is_asked_where_nobody_fits():
    done = run("benchmark", "--source", f"packed:{PACKED}", "--split", "all", "--min-atoms", "60")
    assert done.exit_code == 2
    assert "60 to 64 atoms is in split 'all'" in done.stderr


def test_the_truth_matches_and_scattered_atoms_do_not(crystals):
    samples = [Sample.of(pattern) for pattern in simulate_all(crystals[:2], 0.0, 0)]
    questions = [Question(crystal, sample) for crystal, sample in zip(crystals[:2], samples, strict=True)]
    rng = np.random.default_rng(0)
    wrong = [[type(c)(c.lattice, rng.random((len(c), 3)), c.numbers)] for c in crystals[:2]]
    late = [[*made, crystal] for made, crystal in zip(wrong, crystals[:2], strict=True)]
    curves, given_up = compare(
        questions, matched(questions, {"truth": [[c] for c in crystals[:2]], "wrong": wrong, "second": late})
    )
    overall = {(c.way, c.tolerance): c for c in curves if c.subset == "all"}
    for tolerance in TOLERANCES:
        assert overall["truth", tolerance.name].percent == (100.0,)
        assert overall["truth", tolerance.name].rmse < 0.01
        assert overall["wrong", tolerance.name].percent == (0.0,)
        assert overall["second", tolerance.name].percent == overall["second", tolerance.name].close == (0.0, 100.0)
    assert given_up == 0
    assert sum(overall["truth", "strict"].histogram) == 2


def test_a_formula_that_is_none_exits_2_before_anything_is_opened(crystals, tmp_path):
    write_xye(simulate_all(crystals[:1], 0.0, 0)[0], tmp_path / "a.xye", "test")
    done = run("run", tmp_path / "a.xye", "--contents", "Zn(OH")
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
