import re

import numpy as np
import pytest
from ui_fakes import pattern

from search.edited_lines import measured_lines
from ui.show.lines import count_words, given_lines, lines_html, with_line, without_line
from xtal.errors import UserError
from xtal.patterns import Lines
from xtal.patterns.linefinder import find_lines

PATTERN = pattern()
FOUND = find_lines(PATTERN)


def places(lines) -> list[str]:
    """What the buttons of the table call the lines."""
    return re.findall(r'data-remove="([^"]+)"', lines_html(lines, PATTERN.wavelength, edited=False, stale=False))


def strengths(lines) -> list[float]:
    return measured_lines(lines, PATTERN.wavelength)[:, 2].tolist()


def test_the_table_tells_place_spacing_intensity_and_width():
    table = lines_html(FOUND, PATTERN.wavelength, edited=False, stale=False)
    first = re.findall(r"<td>([\d.]+)</td>", table)[:4]
    assert float(first[0]) == pytest.approx(31.7, abs=0.02)
    assert float(first[1]) == pytest.approx(1.5406 / 2 / np.sin(np.radians(31.7 / 2)), abs=1e-3)
    assert float(first[3]) == pytest.approx(0.167, abs=0.03)
    assert f"{len(FOUND)} peaks found" in table
    assert table.count('tabindex="0"') == 1


def test_a_line_is_removed_by_its_place():
    kept = without_line(PATTERN, FOUND, places(FOUND)[0])
    assert places(kept) == places(FOUND)[1:]
    assert without_line(PATTERN, kept, places(FOUND)[0]) is kept  # a second click on the same button


def test_the_last_line_stays():
    alone = given_lines(PATTERN, [[31.7, 1.0]])
    with pytest.raises(UserError, match="at least one peak, and this is the last one; add another"):
        without_line(PATTERN, alone, places(alone)[0])


def test_a_line_is_added_in_its_place_and_as_wide_as_the_others():
    more = with_line(PATTERN, FOUND, " 38.5 ", "50")
    row = measured_lines(more, PATTERN.wavelength)[np.abs(measured_lines(more, PATTERN.wavelength)[:, 0] - 38.5) < 1e-6]
    assert row[0, 2] == pytest.approx(50)
    assert row[0, 3] == pytest.approx(float(np.median(measured_lines(FOUND, PATTERN.wavelength)[:, 3])), rel=0.5)
    assert len(more) == len(FOUND) + 1
    back = without_line(PATTERN, more, "38.500000")
    np.testing.assert_allclose(measured_lines(back, 1.5406), measured_lines(FOUND, 1.5406), rtol=1e-6)


def test_a_stronger_line_becomes_the_measure_of_the_others():
    more = with_line(PATTERN, FOUND, "38.5", "200")
    assert max(strengths(more)) == pytest.approx(100)
    assert max(strengths(without_line(PATTERN, more, "38.500000"))) == pytest.approx(100)


def test_the_first_line_of_an_empty_list_can_be_added():
    assert len(with_line(PATTERN, Lines(np.empty(0), np.empty(0)), "30", "1")) == 1


@pytest.mark.parametrize(
    ("place", "height", "words"),
    [
        ("", "50", "nothing was typed for the 2θ of the peak; type one, for example"),
        ("30", "", "nothing was typed for the intensity"),
        ("<b>", "50", "'<b>' is no number for the 2θ"),
        ("38,5", "50", "'38,5' is no number for the 2θ of the peak; type one, for example 28.44"),
        ("19.9", "50", "must lie in the measured range, 20 to 49.98°, got 19.9°"),
        ("nan", "50", "measured range"),
        ("1e999", "50", "measured range"),
        ("30", "-5", "must be positive and finite, got -5"),
        ("30", "0", "must be positive and finite, got 0"),
        ("30", "inf", "must be positive and finite, got inf"),
    ],
)
def test_what_cannot_be_a_line_is_explained(place, height, words):
    with pytest.raises(UserError, match=words):
        with_line(PATTERN, FOUND, place, height)


def test_a_line_is_not_added_twice():
    there = f"{measured_lines(FOUND, PATTERN.wavelength)[0, 0]:.3f}"
    with pytest.raises(UserError, match=r"there is a peak at .* already; remove it first"):
        with_line(PATTERN, FOUND, there, "50")


def test_there_is_a_limit():
    full = given_lines(PATTERN, [[21 + n / 10, 1] for n in range(256)])
    with pytest.raises(UserError, match="1 to 256 lines can be searched with, got 257"):
        with_line(PATTERN, full, "49.5", "1")


def test_programs_give_pairs():
    assert given_lines(PATTERN, None) is None
    given = given_lines(PATTERN, [[45.4, 2], (31.7, 1.0)])
    assert measured_lines(given, PATTERN.wavelength)[:, [0, 2]] == pytest.approx(np.array([[31.7, 50], [45.4, 100]]))


@pytest.mark.parametrize(
    "rows", ["31.7 100", [31.7, 100], [[31.7]], [[31.7, "100"]], [[31.7, True]], [[31.7, float("nan")]], {"a": 1}]
)
def test_what_is_no_list_of_pairs_is_refused(rows):
    with pytest.raises(UserError, match="lines must be a list of pairs"):
        given_lines(PATTERN, rows)


def test_a_number_beyond_all_bounds_is_refused():
    with pytest.raises(UserError, match="both finite numbers"):
        given_lines(PATTERN, [[31.7, 10**400]])


def test_lines_without_an_explanation_are_marked():
    table = lines_html(FOUND, PATTERN.wavelength, edited=False, stale=False, unexplained=(float(places(FOUND)[1]),))
    assert table.count("not explained") == 1
    assert table.index("not explained") > table.index(places(FOUND)[0])


def test_the_panel_says_what_was_searched_with():
    words = [
        lines_html(FOUND, 1.5406, edited, stale) for edited, stale in ((False, False), (True, False), (True, True))
    ]
    assert "Remove those that are not the sample" in words[0]
    assert "edited peaks" in words[1]
    assert "not searched with yet" in words[2]
    assert "are listed here" in lines_html(None, 0.0, edited=False, stale=False)


def test_lines_are_counted():
    assert [count_words(n, e) for n, e in ((1, False), (2, False), (1, True), (2, True))] == [
        "1 peak found",
        "2 peaks found",
        "1 edited peak",
        "2 edited peaks",
    ]
