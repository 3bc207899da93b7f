"""``search refine`` and ``search solve --refine`` on the examples that are shipped, and on what people get wrong."""

import json
import re
import shutil
from pathlib import Path

import gemmi
import numpy as np
import pytest
from api_server import build_home
from search_helpers import INDEX
from typer.testing import CliRunner

from search.__main__ import app
from search.engine import Engine
from xtal.crystals import read_cif
from xtal.patterns import write_xye

ROOT = Path(__file__).parents[3]
CIFS = ROOT / "tests" / "data" / "cifs"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with an index whose answers the shipped calibration judges."""
    return build_home(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def engine(home):
    return Engine.open(INDEX, home)


@pytest.fixture
def invoke(home):
    def run(command, *arguments):
        words = [command, "--index", INDEX, *map(str, arguments)]
        return CliRunner().invoke(app, words, env={"XTALSCOUT_HOME": str(home), "COLUMNS": "200"})

    return run


@pytest.fixture(scope="module")
def sample(engine, tmp_path_factory):
    """A pattern of an entry, and its id."""
    from xtal.physics.simulate import simulate

    row = int(np.argmin(engine.index.entries.n_atoms))
    path = tmp_path_factory.mktemp("refine") / "sample.xye"
    write_xye(simulate(engine.index.crystal(row), 0.0, np.random.default_rng(2)), path, "test")
    return path, str(engine.index.entries.ids[row])


def test_an_entry_is_refined_and_written(invoke, sample, tmp_path):
    path, entry = sample
    cif, csv = tmp_path / "out.cif", tmp_path / "out.csv"
    done = invoke("refine", path, "--structure", entry, "--cif", cif, "--csv", csv)
    assert done.exit_code == 0, done.output
    assert "sample.xye: Rwp" in done.output
    assert "GoF: " in done.output
    assert f"# {entry}: entry {entry} of index {INDEX}" in cif.read_text()
    assert gemmi.cif.read_string(cif.read_text()).sole_block().find_value("_pd_proc_ls_prof_wR_factor")
    assert csv.read_text().startswith("two_theta,observed,calculated,background,difference,sigma\n")


def test_a_cif_is_refined_without_any_index(sample, engine, tmp_path, monkeypatch):
    from xtal.crystals import write_cif

    path, entry = sample
    (tmp_path / "My Structure.CIF").write_text(write_cif(engine.crystal(entry)))
    monkeypatch.setenv("XTALSCOUT_HOME", str(tmp_path / "no-index-here"))
    arguments = ["refine", str(path), "--structure", str(tmp_path / "My Structure.CIF"), "--json", "--seconds", "40"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["finished"]
    assert data["r_wp"] <= data["r_wp_before"] + 1e-3
    assert data["origins"] == ["file My Structure.CIF"]
    assert data["phases"][0]["name"] == "My Structure"
    truth = read_cif(data["cif"])
    assert truth.reduced_formula == engine.crystal(entry).reduced_formula


@pytest.mark.parametrize(
    ("structures", "said"),
    [
        (["nothing.cif"], r"there is no file nothing.cif"),
        (["NO_SUCH_ENTRY"], r"NO_SUCH_ENTRY"),
        ([CIFS / "quartz.cif"] * 5, "1 to 4 structures can be refined together, got 5"),
        ([CIFS / "halite.cif"], r"explains \d+% of the intensity .*nothing to refine"),
    ],
)
def test_mistakes_are_told_in_a_sentence(invoke, sample, structures, said):
    options = [word for structure in structures for word in ("--structure", structure)]
    done = invoke("refine", sample[0], *options)
    assert "Traceback" not in done.output
    assert re.search(said, done.output, re.DOTALL)
    assert done.exit_code == 2


def test_a_place_that_is_not_there_is_told_before_anything_is_refined(invoke, sample, tmp_path):
    done = invoke("refine", sample[0], "--structure", sample[1], "--cif", tmp_path / "no" / "out.cif")
    assert done.exit_code == 2
    assert "there is no folder" in done.output


def test_solve_refines_nothing_where_nothing_matches(invoke, tmp_path):
    shutil.copy(ROOT / "search" / "examples" / "UiO-66.xye", tmp_path / "uio.xye")  # not among the first entries
    done = invoke("solve", tmp_path / "uio.xye", "--generate", "never", "--no-cache", "--refine", "--json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["verdict"]["kind"] == "miss"
    assert data["refinement"] == {"error": "nothing was refined: there is no match"}
    alone = invoke("refine", tmp_path / "uio.xye")
    assert alone.exit_code == 2
    assert "name what to refine with --structure" in alone.output


def test_solve_writes_the_first_hit_of_a_match(invoke, sample, engine, tmp_path):
    path, entry = sample
    out = tmp_path / "out"
    done = invoke("solve", path, "--generate", "never", "--no-cache", "--refine", "--out", out)
    assert done.exit_code == 0, done.output
    hit = next(out.glob("*/hit.cif")).read_text()
    assert "cell fitted to the pattern by the search, not refined" in hit
    found, wanted = (engine.index.row_of(name) for name in (re.search(r"_xtalscout_entry '?([^'\s]+)", hit)[1], entry))
    assert engine.index.entries.group[found] == engine.index.entries.group[wanted]
    assert "refined by rietx" in done.output
    assert next(out.glob("*/refined.cif")).read_text().startswith("# Refined against sample.xye")


def test_without_a_structure_the_first_hit_is_refined(invoke, sample):
    done = invoke("refine", sample[0], "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["origins"][0].startswith("entry ")
