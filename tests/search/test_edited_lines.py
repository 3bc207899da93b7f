"""Lines that a person edited: from a table to the answer."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from search.__main__ import app
from search.edited_lines import lines_at, measured_lines, read_lines, sample_with
from xtal.errors import UserError
from xtal.patterns import Lines, write_xye
from xtal.patterns.linefinder import find_lines


@pytest.fixture
def pattern(patterns):
    return patterns[0]


@pytest.fixture
def written(tmp_path):
    """Write a table of lines and return its file."""

    def write(text):
        file = tmp_path / "lines.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    return write


@pytest.fixture
def invoke(home):
    """Run a command in this process, which spares its start."""

    def run(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], env={"XTALSCOUT_HOME": str(home), "COLUMNS": "200"})

    return run


def test_found_lines_written_as_a_table_come_back(pattern, written):
    found = find_lines(pattern)
    table = measured_lines(found, pattern.wavelength)
    np.testing.assert_allclose(table[:, 1], 2 * np.pi / found.q)
    text = "".join(f"{place!r},{d!r},{area!r},{width!r}\n" for place, d, area, width in table.tolist())
    read = read_lines(written("# mine\ntwo_theta,d,Intensity,width\n\n" + text), pattern)
    for name in ("q", "intensity", "width"):
        np.testing.assert_allclose(getattr(read, name), getattr(found, name), rtol=1e-6)
    assert read.q_range == found.q_range


def test_a_table_without_header_and_widths_gets_the_usual_width(pattern, written):
    read = read_lines(written("20.5, 50\n7, 100\n"), pattern)
    assert measured_lines(read, pattern.wavelength)[:, [0, 2]] == pytest.approx(np.array([[7, 100], [20.5, 50]]))
    usual = measured_lines(read, pattern.wavelength)[:, 3]
    assert usual == pytest.approx(usual[0])
    assert 0.02 < usual[0] < 1
    mixed = measured_lines(read_lines(written("7,100,0.3\n20.5,50,\n"), pattern), pattern.wavelength)
    assert mixed[:, 3] == pytest.approx([0.3, usual[0]])


@given(st.lists(st.tuples(st.floats(3, 30), st.floats(1e-3, 1e6)), min_size=1, max_size=30))
def test_any_measured_lines_come_back_in_order(patterns, rows):
    places, areas = np.array(rows).T
    table = measured_lines(lines_at(patterns[0], places, areas), patterns[0].wavelength)
    np.testing.assert_allclose(table[:, 0], np.sort(places))
    assert table[:, 2].max() == pytest.approx(100)
    np.testing.assert_allclose(np.sort(table[:, 2]), np.sort(100 * areas / areas.max()), rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two_theta,intensity\n", r"1 to 256 lines can be searched with, got 0"),
        ("# nothing\n\n", r"lines\.csv holds no lines; give a table of two_theta \(degrees\) and intensity"),
        ("2theta,intensity\n7,1\n", "has no column two_theta, only 2theta, intensity; give a table"),
        ("a,b\n7,1\n", "the row 'a,b' holds no two_theta and intensity; give a table"),
        ("7,1\n8\n", "the row '8' holds no two_theta and intensity"),
        ("7,1\n31,1\n", r"in the measured range, 3 to 30°, got 31°; remove it"),
        ("nan,1\n", "got nan°"),
        ("7,-1\n", "intensities of lines must be positive and finite, got -1; correct or remove it"),
        ("7,inf\n", "positive and finite, got inf"),
        ("7,nan\n", "positive and finite, got nan"),
        ("7,1,-0.2\n", "widths must be positive degrees 2θ, got -0.2"),
        ("7,1,inf\n", "widths must be positive degrees 2θ, got inf"),
        ("7,1\n" * 257, "1 to 256 lines can be searched with, got 257; keep the strongest"),
        (b"\xff\xfe7", "lines cannot be read from .*utf-8"),
    ],
)
def test_what_is_no_table_of_lines_is_refused(pattern, written, text, words):
    with pytest.raises(UserError, match=words):
        read_lines(written(text), pattern)


def test_lines_of_another_range_are_refused(pattern):
    with pytest.raises(UserError, match="in the measured range"):
        sample_with(pattern, Lines(np.array([0.01]), np.array([1.0])))
    with pytest.raises(UserError, match="got 0"):
        sample_with(pattern, Lines(np.empty(0), np.empty(0)))
    with pytest.raises(UserError, match=r"needs 2θ and an intensity, got \(2,\) and \(1,\)"):
        lines_at(pattern, [7, 8], [1])


def test_the_search_takes_the_edited_lines(engine, patterns):
    found = engine.query(patterns[:2])
    lines = found[0].lines
    same, edited = engine.query(patterns[:2], lines=[lines, None])
    assert same.hits == found[0].hits
    assert (same.edited, edited.edited) == (True, False)
    assert edited.hits == found[1].hits
    few = Lines(lines.q[:3], lines.intensity[:3], None, lines.q_range)
    changed = engine.query(patterns[:1], lines=[few])[0]
    assert len(changed.lines) == 3
    assert (changed.lines.width > 0).all()
    assert changed.hits[0].similarity != found[0].hits[0].similarity
    other = engine.query(patterns[:1], lines=[find_lines(patterns[1])], physics=False)[0]
    assert other.hits == engine.query(patterns[1:2], physics=False)[0].hits
    assert engine.query(patterns[:1], lines=[find_lines(patterns[1])])[0].hits[0].fit is not None


def test_the_command_searches_with_the_lines_of_a_table(invoke, patterns, tmp_path, written):
    for number in range(2):
        write_xye(patterns[number], tmp_path / f"{number}.xye", "simulated")
    plain = json.loads(invoke("query", tmp_path / "0.xye", "--json").stdout)
    assert not plain["lines_edited"]
    assert len(plain["lines"]) == plain["pattern"]["lines"]
    first = plain["lines"][0]
    assert first["d"] == pytest.approx(1.5418 / 2 / np.sin(np.radians(first["two_theta"] / 2)))
    file = written("".join(f"{line['two_theta']},{line['intensity']}\n" for line in plain["lines"][:4]))
    done = invoke("query", tmp_path / "0.xye", "--lines", file, "--json")
    edited = json.loads(done.stdout)
    assert edited["lines_edited"]
    assert [line["two_theta"] for line in edited["lines"]] == pytest.approx(
        [line["two_theta"] for line in plain["lines"][:4]]
    )
    assert "4 edited peaks" in invoke("query", tmp_path / "0.xye", "--lines", file).stdout
    several = invoke("query", tmp_path / "0.xye", tmp_path / "1.xye", "--lines", file)
    assert several.exit_code == 2
    assert "belongs to one pattern, got 2; search for that one alone" in several.stderr
    missing = invoke("query", tmp_path / "0.xye", "--lines", tmp_path / "none.csv")
    assert missing.exit_code == 2
    assert "lines cannot be read from" in missing.stderr


def test_widths_survive_a_change_of_wavelength(pattern):
    hard = replace(pattern, wavelength=0.7107)
    lines = lines_at(hard, [7.0], [1.0], 0.25)
    assert measured_lines(lines, 0.7107)[0] == pytest.approx([7.0, 0.7107 / 2 / np.sin(np.radians(3.5)), 100, 0.25])
