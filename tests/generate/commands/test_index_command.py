"""``python -m generate index`` and ``benchmark-index``."""

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from generate.__main__ import app
from xtal.crystals import CrystalTable
from xtal.patterns import Pattern, write_xye
from xtal.physics.profile import render
from xtal.physics.simulate import simulate_all

DATA = Path(__file__).parents[2] / "data"


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})


def test_cells_and_groups_are_printed(tmp_path):
    crystal = CrystalTable.load(DATA / "core_mof_families.npz")[0]
    pattern = simulate_all([crystal], 0.0, 1)[0]
    file = tmp_path / "scan.xye"
    write_xye(pattern, file, "simulated")
    options = ("--wavelength", pattern.wavelength, "--volume", 0.8 * crystal.volume, 1.2 * crystal.volume)
    done = run("index", file, *options, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert isinstance(result["ambiguous"], bool)
    assert 0.75 < result["cells"][0]["primitive_volume"] / crystal.volume < 1.25
    assert result["ambiguous"] == (result["cells"][0]["probability"] < 0.9)
    assert result["space_groups"][0]["number"] >= 1
    words = run("index", file, *options).stdout
    assert "space groups of the first cell" in words
    assert ("ambiguous" in words) == result["ambiguous"]


def test_too_few_lines_are_a_usage_error(tmp_path):
    angles = np.linspace(3, 30, 1351)
    curve = 1000 * render(angles, np.array([9.0, 17.0]), np.ones(2), 0.2) + 10
    file = tmp_path / "scan.xye"
    write_xye(Pattern(angles, curve, 1.5406), file, "two lines")
    done = run("index", file, "--wavelength", "1.5406")
    assert done.exit_code == 2
    assert "indexing needs at least 5" in done.stderr


def test_a_volume_range_must_rise(tmp_path):
    done = run("index", tmp_path / "none.xy", "--volume", "900", "800")
    assert done.exit_code == 2
    assert "--volume needs" in done.stderr


def test_the_benchmark_counts():
    source = f"packed:{DATA / 'core_mof_families.npz'}"
    done = run("benchmark-index", "--source", source, "--limit", "1", "--with-volume", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert result["queries"] == 1
    assert result["rates"][-1]["system"] == "all"
    assert sum(rate["queries"] for rate in result["rates"][:-1]) == 1
