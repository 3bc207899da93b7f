"""``python -m search``."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from search_helpers import INDEX
from typer.testing import CliRunner

from search.__main__ import app
from search.commands.stream import growing
from xtal.patterns import write_xye
from xtal.readers import read_pattern

ROOT = Path(__file__).parents[2]


@pytest.fixture
def invoke(home):
    """Run a command in this process, which spares its start."""

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], env={"XTALSCOUT_HOME": str(home), "COLUMNS": "200"})

    return run


@pytest.fixture(scope="session")
def folder(patterns, tmp_path_factory):
    """Two good files, one without a wavelength, one that is no pattern."""
    made = tmp_path_factory.mktemp("files")
    for number in range(2):
        write_xye(patterns[number], made / f"good{number}.xye", "simulated")
    rows = (made / "good0.xye").read_text().splitlines()
    (made / "bare.xy").write_text("\n".join(" ".join(row.split()[:2]) for row in rows if not row.startswith("#")))
    (made / "bad.xy").write_text("this is no pattern\n")
    return made


def test_json_has_one_object_per_file_and_line(invoke, folder, engine, answers):
    done = invoke("query", folder / "good0.xye", folder / "good1.xye", "-k", "3", "--json")
    assert done.exit_code == 0, done.output
    first, second = map(json.loads, done.stdout.splitlines())
    assert set(first) == {"file", "pattern", "lines", "lines_edited", "hits", "timings"}
    names = {"source", "wavelength", "points", "two_theta_range", "q_range", "lines", "overridden_wavelength"}
    assert set(first["pattern"]) == names
    assert (first["file"], second["file"]) == (str(folder / "good0.xye"), str(folder / "good1.xye"))
    assert first["pattern"]["source"] == first["file"]  # files of one name in two folders can be told apart
    assert first["pattern"]["wavelength"] == pytest.approx(1.5418)
    assert (first["pattern"]["points"], first["pattern"]["two_theta_range"]) == (1351, [3.0, 30.0])
    assert set(first["timings"]) == {"lines", "search", "rerank"}
    assert [hit["rank"] for hit in first["hits"]] == [1, 2, 3]
    assert set(first["hits"][0]) >= {"id", "name", "formula", "similarity", "fit", "group", "group_size", "scale"}
    for printed, answer in zip((first, second), answers, strict=False):
        assert printed["hits"][0]["id"] == answer.hits[0].id
        assert 0 <= printed["hits"][0]["fit"] <= 1
    assert engine.index.row_of(first["hits"][0]["id"]) == first["hits"][0]["row"]


def test_the_table_names_the_hits_and_what_to_do_next(invoke, folder, answers):
    done = invoke("query", folder / "good0.xye", "-k", "2")
    assert done.exit_code == 0
    head, titles, first, _, last = done.stdout.splitlines()
    assert head.startswith(f"{folder / 'good0.xye'}: 1351 points, 2θ 3.00 to 30.00°, λ = 1.54180 Å, ")
    assert titles.split()[:4] == ["rank", "id", "formula", "fit"]
    assert first.split()[:3] == ["1", answers[0].hits[0].id, answers[0].hits[0].formula]
    assert last == "Look at it: python -m ui"


def test_a_bad_file_among_good_ones_is_reported_and_the_rest_answered(invoke, folder):
    done = invoke("query", folder / "bad.xy", folder / "good0.xye", folder / "missing.xy", "--json")
    assert done.exit_code == 3
    bad, good, missing = map(json.loads, done.stdout.splitlines())
    assert (bad["file"], bad["error"]["reason"]) == (str(folder / "bad.xy"), "no_pattern")
    assert (missing["file"], missing["error"]["reason"]) == (str(folder / "missing.xy"), "unreadable")
    assert good["hits"]
    assert f"error: {bad['error']['message']}" in done.stderr
    assert "missing.xy" in done.stderr


def test_bad_files_alone_are_a_usage_error(invoke, folder):
    done = invoke("query", folder / "bad.xy", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["reason"] == "no_pattern"
    assert invoke("query", folder / "bad.xy").stdout == ""


def test_each_file_is_answered_before_the_next_is_read():
    """The first of many is not kept waiting, and batches grow no larger than they pay."""
    taken = []
    items = (taken.append(number) or number for number in range(40))
    sizes = []
    for batch in growing(items):
        sizes.append(len(batch))
        assert len(taken) == sum(sizes)
    assert sizes == [1, 2, 4, 8, 16, 9]


def test_a_pattern_comes_from_standard_input(home, folder):
    done = CliRunner().invoke(
        app, ["query", "-", "--json"], env={"XTALSCOUT_HOME": str(home)}, input=(folder / "good0.xye").read_bytes()
    )
    from_file = CliRunner().invoke(
        app, ["query", str(folder / "good0.xye"), "--json"], env={"XTALSCOUT_HOME": str(home)}
    )
    answer = json.loads(done.stdout)
    assert answer["file"] == "stdin"
    assert answer["hits"] == json.loads(from_file.stdout)["hits"]


def test_an_overridden_wavelength_is_said(invoke, folder):
    done = invoke("query", folder / "good0.xye", folder / "bare.xy", "--json", "--wavelength", "0.7")
    good, bare = (json.loads(row)["pattern"] for row in done.stdout.splitlines())
    assert good["overridden_wavelength"] == pytest.approx(1.5418)
    assert bare["overridden_wavelength"] is None
    assert f"note: {folder / 'good0.xye'} states 1.54180 Å; 0.70000 Å is used" in done.stderr
    assert done.stderr.count("note: ") == 1


def test_a_missing_wavelength_names_the_option(invoke, folder):
    done = invoke("query", folder / "bare.xy", "--json")
    assert done.exit_code == 2
    assert "bare.xy" in done.stderr
    assert "--wavelength" in done.stderr
    with_it = invoke("query", folder / "bare.xy", "--json", "--wavelength", "CuKa")
    assert with_it.exit_code == 0
    stated = json.loads(invoke("query", folder / "good0.xye", "--json").stdout)
    given = json.loads(with_it.stdout)
    assert given["pattern"]["wavelength"] == pytest.approx(stated["pattern"]["wavelength"], abs=1e-4)
    # without the uncertainties of the counts, hits that are nearly equal may change places
    assert stated["hits"][0]["group"] in [hit["group"] for hit in given["hits"][:3]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--wavelength", "copper"], "copper"),
        (["--elements", "Zn,Qq"], "no element symbol"),
        (["--formula", "Zn(BDC)2"], "no formula; write symbols with counts"),
        (["--elements", "He"], "no entry of the index has only the elements He"),
        (["--index", "nothing"], "index 'nothing' not found in .*; built indexes: coremof2019-asr"),
        (["--index", "../etc"], "index name '../etc' is not allowed"),
        (["-k", "0"], "-k"),
    ],
)
def test_usage_errors_say_what_is_wrong(invoke, folder, options, words):
    done = invoke("query", folder / "good0.xye", *options)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert re.search(words, done.stderr), done.stderr


def test_filters_reach_the_search(invoke, folder, engine):
    formula = str(engine.index.entries.formulas[7])
    done = invoke("query", folder / "good0.xye", "--formula", formula, "--elements", formula, "--json")
    assert {hit["formula"] for hit in json.loads(done.stdout)["hits"]} == {formula}


def test_a_damaged_index_is_a_failure_and_no_usage_error(home, folder, tmp_path):
    copy = tmp_path / "home"
    subprocess.run(["cp", "-r", home, copy], check=True)
    next(copy.glob(f"indexes/{INDEX}/*/lines.npz")).write_bytes(b"")
    done = CliRunner().invoke(app, ["query", str(folder / "good0.xye")], env={"XTALSCOUT_HOME": str(copy)})
    assert done.exit_code == 1
    assert "is damaged" in done.stderr
    assert f"python -m indexer build {INDEX}" in done.stderr


def test_a_simulated_pattern_is_found_again(invoke, engine, tmp_path):
    entry = str(engine.index.entries.ids[33])
    files = [tmp_path / f"{number}.xye" for number in range(3)]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        done = invoke("simulate", entry, file, "--severity", "0.5", "--seed", seed)
        assert (done.exit_code, done.stdout) == (0, f"wrote {file}: 1351 points\n")
    assert files[0].read_bytes() == files[1].read_bytes() != files[2].read_bytes()
    assert f"simulated from {entry} of {INDEX}, lab, severity 0.5, seed 1" in files[0].read_text()
    assert read_pattern(files[0]).wavelength == pytest.approx(1.5418)
    found = json.loads(invoke("query", files[0], "--json").stdout)["hits"][0]
    assert found["group"] == engine.index.entries.group[33]


def test_simulating_what_does_not_exist(invoke, engine, tmp_path):
    done = invoke("simulate", "nothing", tmp_path / "x.xye")
    assert (done.exit_code, done.stderr) == (2, f"error: index '{INDEX}+lab' has no entry 'nothing'\n")
    done = invoke("simulate", engine.index.entries.ids[0], tmp_path / "no" / "such" / "folder.xye")
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr


def test_benchmark(invoke, tmp_path):
    figure = tmp_path / "b.png"
    options = ["benchmark", INDEX, "--queries", "4", "--severity", "0", "--plot", figure]
    done = invoke(*options, "--json")
    assert done.exit_code == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert (result["queries"], result["patterns"]) == (4, "simulated, severity 0, seed 0")
    assert len(result["rows"]) == 4
    assert figure.is_file()
    text = invoke(*options).stdout
    assert re.search("4 queries .*simulated, severity 0, seed 0.* 120 entries", text)
    assert f"figure: {figure}" in text
    refused = invoke("benchmark", INDEX, "--queries", "1000")
    assert refused.exit_code == 2
    assert "allows 1 to 120 queries, got 1000" in refused.stderr


@pytest.mark.parametrize("name", ["figure.nothing", "figure", "no/such/folder/figure.png"])
def test_a_figure_that_cannot_be_written_is_refused_before_the_work(invoke, tmp_path, name, monkeypatch):
    monkeypatch.setattr("search.benchmark.benchmark_simulated", lambda *_: pytest.fail("too late"))
    done = invoke("benchmark", INDEX, "--queries", "2", "--severity", "0", "--plot", tmp_path / name)
    assert done.exit_code == 2
    assert "figure" in done.stderr


def test_the_program_as_a_person_starts_it(home, folder):
    command = [sys.executable, "-m", "search", "query", str(folder / "good0.xye"), "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "XTALSCOUT_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["hits"]
    assert "Traceback" not in done.stderr
