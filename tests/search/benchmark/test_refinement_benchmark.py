"""The benchmark of refinement, on two patterns of each kind."""

import json
from pathlib import Path

import numpy as np
import pytest
from search_helpers import INDEX
from typer.testing import CliRunner

from search.__main__ import app
from search.benchmark.refinement import Case, simulated, summary
from xtal.crystals import read_cif
from xtal.crystals.conventional import conventional

CIFS = Path(__file__).parents[2] / "data" / "cifs"


def test_the_simulated_sample_keeps_its_symmetry():
    crystal = read_cif((CIFS / "quartz.cif").read_bytes(), "quartz")
    pattern, truth = simulated(crystal, 1.0, np.random.default_rng(0))
    assert truth.group.number == conventional(crystal).group.number
    assert truth.cell != pytest.approx(conventional(crystal).cell, rel=1e-5)
    assert len(pattern) == 1351


def test_shares_are_counted_over_all_and_failures_are_failures():
    good = Case("a", 0.2, 0.1, 1.0, True, 2.0, 3, off=1e-4, sigmas=1.0, back=True, reference=0.1)
    bad = Case("b", 0.2, 0.3, 1.0, False, 30.0, 3, off=1e-2, sigmas=9.0, back=False, reference=0.1)
    lines = "\n".join(summary([good, bad, Case("c", error="no")]))
    assert "Rwp lowered: 1 of 3 = 33.3%" in lines
    assert "time: 1 of 3" in lines
    assert "cell within 3 uncertainties or 0.02%: 1 of 3" in lines
    assert "cell" not in "\n".join(summary([Case("a", 0.2, 0.1, 1.0, True, 2.0, 3)]))
    assert summary([Case("c", error="no")]) == ["1 patterns, none could be refined"]


def test_the_command_prints_each_case_and_the_shares(home, tmp_path):
    environment = {"XTALSCOUT_HOME": str(home)}
    done = CliRunner().invoke(
        app, ["benchmark-refinement", "--index", INDEX, "--queries", "1", "--json"], env=environment
    )
    assert done.exit_code == 0, done.output
    case = json.loads(done.stdout)[0]
    assert case["after"] < case["before"]
    missing = CliRunner().invoke(app, ["benchmark-refinement", str(tmp_path)], env=environment)
    assert missing.exit_code == 2
