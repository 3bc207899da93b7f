"""How phases and cells change along a series of scans."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from search.paper.series import SeenPhase, SeriesScan, courses, in_order, natural, scan_of, series_csv
from search.paper.series_figure import series_bytes
from search.solution import Solution
from search.verdict import Verdict
from xtal.errors import UserError
from xtal.patterns import Pattern

CELL = np.array([10.0, 10.0, 10.0, 90.0, 90.0, 90.0])


def phase(id_="A", formula="ClNa", share=1.0, primitive=250.0):
    return SeenPhase(id_, id_, formula, 0.9, share, CELL, 1000.0, primitive)


def scan(file, *phases, wavelength=1.54, last=40.0):
    angles = np.linspace(5.0, last, 500)
    pattern = Pattern(angles, 10 + 100 * np.exp(-((angles - 20) ** 2)), wavelength)
    return SeriesScan(file, pattern, "match" if phases else "no match", phases)


def test_scans_are_in_the_order_of_their_numbers():
    scans = [scan("s10.xy"), scan("s2.xy"), scan("s1.xy")]
    assert [each.file for each in in_order(scans)] == ["s1.xy", "s2.xy", "s10.xy"]
    assert natural("2") < natural("10") < natural("a") < natural("Z8") < natural("z10")


def test_entries_of_one_framework_are_one_phase_and_a_collapsed_cell_is_another():
    scans = [
        scan("1", phase("A", primitive=250)),
        scan("2", phase("B", share=0.6, primitive=255), phase("Z", "OZn", 0.4, 47)),
        scan("3", phase("A", primitive=260)),
        scan("4", phase("C", primitive=180)),
        scan("5"),
    ]
    first, *rest = courses(scans)
    assert first.name == "A"
    np.testing.assert_allclose(first.share, [1, 0.6, 1, 0, 0])
    np.testing.assert_allclose(first.volume, [250, 255, 260, np.nan, np.nan])
    assert sorted(course.name for course in rest) == ["C", "Z"]


def test_the_table_has_a_row_for_each_phase_and_for_a_scan_without_one():
    rows = list(csv.DictReader(io.StringIO(series_csv([scan("2.xy"), scan("=1.xy", phase(), phase("Z"))]))))
    assert [(row["scan"], row["file"], row["phase"]) for row in rows] == [
        ("1", "2.xy", ""),
        ("2", "'=1.xy", "A"),
        ("2", "'=1.xy", "Z"),
    ]
    assert rows[1]["a"] == "10.0000"
    assert rows[0]["verdict"] == "no match"


def test_a_fitted_cell_is_followed_in_the_conventional_setting(engine, answers):
    solution = Solution("0" * 64, answers[0], Verdict("match", 0.9, ()))
    (found,) = scan_of(engine, solution, "a.xy").phases
    hit = answers[0].hits[0]
    crystal = engine.crystal(hit.id)
    assert (found.id, found.share) == (hit.id, 1.0)
    assert found.primitive == pytest.approx(crystal.volume * hit.scale**3, rel=0.01)
    assert found.volume / found.primitive == pytest.approx(round(found.volume / found.primitive), abs=1e-6)
    missed = replace(solution, verdict=Verdict("miss", 0.1, ()))
    assert scan_of(engine, missed, "a.xy").phases == ()


@pytest.mark.parametrize("second", [phase("B", share=0.5), None])
def test_a_series_is_drawn_whatever_was_found(second):
    scans = [scan("a1.xy", phase()), scan("a2.xy", *([second] if second else [])), scan("a3.xy", wavelength=0.7)]
    assert series_bytes(scans, ".svg").startswith(b"<?xml")
    assert series_bytes([scan("a"), scan("b")], ".pdf").startswith(b"%PDF")


def test_one_scan_or_scans_that_share_no_angle_are_no_series():
    with pytest.raises(UserError, match="two scans or more, got 1"):
        series_bytes([scan("a")], ".svg")
    far = replace(scan("b"), pattern=Pattern(np.linspace(50, 60, 50), np.arange(50.0), 1.54))
    with pytest.raises(UserError, match="no angles in common"):
        series_bytes([scan("a"), far], ".svg")
