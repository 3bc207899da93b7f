from html.parser import HTMLParser

import pytest
from ui_fakes import hit

from ui.show.table import COLUMNS, formula_html, hits_table


class Cells(HTMLParser):
    """Collects the text of each cell."""

    def __init__(self, text: str):
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, _attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        self.cells[-1] += data


def test_a_row_tells_all_that_was_found():
    cells = Cells(hits_table([hit()], 1)).cells
    assert cells[: len(COLUMNS)] == [name for name, _ in COLUMNS]
    assert cells[len(COLUMNS) :] == ["1", "halite", "ClNa", "0.900", "0.800", "-0.020°", "1.0010", "2"]


def test_names_from_a_database_cannot_become_markup():
    evil = hit(1, "<img src=x onerror=alert(1)>", formula="<script>", name='"><script>')
    assert Cells(hits_table([evil], 1)).tags <= {"table", "thead", "tbody", "tr", "th", "td", "span", "sub"}


def test_bars_stay_in_their_cell_whatever_the_number():
    table = hits_table([hit(similarity=1.3, fit=-0.4)], 1)
    assert "--share:100.0%" in table
    assert "--share:0.0%" in table


@pytest.mark.parametrize(("plain", "html"), [("C12H8", "C<sub>12</sub>H<sub>8</sub>"), ("O2.5Si", "O<sub>2.5</sub>Si")])
def test_counts_are_lowered(plain, html):
    assert formula_html(plain) == html


def test_a_hit_that_was_never_fitted_shows_dashes():
    unfitted = hit(fit=None, zero_shift=None, scale=None, width=None)
    assert Cells(hits_table([unfitted], 1)).cells[-5:] == ["0.900", "–", "–", "–", "2"]


def test_before_a_search_there_is_a_sentence():
    assert "after a search" in hits_table(None, 0)
