"""Columns of text: their dialects, comments, headings and values."""

import numpy as np
import pytest
from reader_helpers import COUNTS, TWO_THETA, rows

from xtal.errors import UserError
from xtal.readers import read_pattern


def test_a_third_column_without_a_name_is_no_uncertainty(write):
    table = "".join(f"{x:.2f} {y:g} {x / 10:.3f}\n" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    assert read_pattern(write("a.xy", table), 1.54).sigma is None
    named = read_pattern(write("b.xy", "2theta I esd\n" + table), 1.54)
    np.testing.assert_allclose(named.sigma, TWO_THETA / 10, atol=1e-3)


@pytest.mark.parametrize("mark", ["#", "!", ";", "'", "//", "%", "* "])
def test_comments_anywhere(write, mark):
    lines = rows().splitlines()
    text = "\n".join([f"{mark} made by hand", "", *lines[:30], f"{mark} half way 5 6", *lines[30:], f"{mark} 1 2 3"])
    np.testing.assert_array_equal(read_pattern(write("a.xy", text), 1.54).intensity, COUNTS)


@pytest.mark.parametrize(
    "convert",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(" ", ","),
        lambda text: text.replace(" ", ", "),
        lambda text: text.replace(" ", ";"),
        lambda text: text.replace(" ", "\t"),
        lambda text: text.replace(".", ","),
        lambda text: text.replace(".", ",").replace(" ", ";"),
        lambda text: text.replace(".", ",").replace(" ", "\t"),
        lambda text: text.replace(" ", "   ").replace("\n", "  \n"),
        lambda text: "Angle;Counts\n" + text.replace(" ", ";"),
        lambda text: '"2theta","counts"\n' + "".join(f'"{a}","{b}"\n' for a, b in map(str.split, text.splitlines())),
        lambda text: text.rstrip("\n"),
    ],
)
def test_text_dialects(write, convert):
    pattern = read_pattern(write("a.csv", convert(rows())), 1.54)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA, atol=1e-6)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_text_encodings(write, encoding):
    path = write("a.txt", ("Probe 5 µm\nWinkel [°] Intensität\n" + rows()).encode(encoding))
    np.testing.assert_array_equal(read_pattern(path, 1.54).intensity, COUNTS)


@pytest.mark.parametrize("title", ["Thorite R050123", "Q sample", "time 12:30", "d 3"])
def test_titles_are_no_headings(write, title):
    np.testing.assert_allclose(read_pattern(write("a.xy", f"# {title}\n" + rows()), 1.54).two_theta, TWO_THETA)


def test_columns_are_found_by_name_and_refused_without(write):
    table = "".join(f"{i},{y:g},{x:.2f},0\n" for i, (x, y) in enumerate(zip(TWO_THETA, COUNTS, strict=True)))
    pattern = read_pattern(write("a.csv", "index,I(obs),2theta,background\n" + table), 1.54)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    with pytest.raises(UserError, match="4 columns and no line above them that names them"):
        read_pattern(write("b.csv", table), 1.54)
    with pytest.raises(UserError, match="none of the columns index, I, x, b is named 2theta or q"):
        read_pattern(write("c.csv", "index,I,x,b\n" + table), 1.54)


def test_descending_scans_are_turned_round_and_zero_is_left_out(write):
    pattern = read_pattern(write("a.xy", rows(TWO_THETA[::-1], COUNTS[::-1])), 1.54)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    shifted = read_pattern(write("b.xy", rows(TWO_THETA - 20.1)), 1.54)
    assert len(shifted) == 54
    assert shifted.two_theta[0] == pytest.approx(0.02)


def test_small_negative_values_become_zero_and_mostly_negative_is_refused(write):
    noisy = COUNTS - 45.0
    assert noisy.min() < 0
    read = read_pattern(write("a.xy", rows(counts=noisy)), 1.54).intensity
    np.testing.assert_allclose(read, noisy.clip(0), atol=1.0)
    with pytest.raises(UserError, match=r"b\.xy: the intensities are mostly negative"):
        read_pattern(write("b.xy", rows(counts=COUNTS - 900)), 1.54)


def test_a_background_that_was_taken_off_too_far_is_raised(write):
    """Cut off at 0, the feet of the lines would be gone with the noise."""
    angle = 5 + 0.02 * np.arange(600)
    counts = np.random.default_rng(0).poisson(100 + 900 * np.exp(-(((angle - 11) / 0.3) ** 2))).astype(float)
    read = read_pattern(write("a.xy", rows(angle, counts - 120)), 1.54).intensity
    assert read.min() == 0
    np.testing.assert_allclose(np.diff(read[280:320]), np.diff(counts[280:320]))  # the line is whole
    assert (read > 0).mean() > 0.7
    assert (counts > 120).mean() < 0.2
