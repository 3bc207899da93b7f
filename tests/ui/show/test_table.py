from html.parser import HTMLParser

import pytest
from ui_fakes import hit

from search.frameworks import Details, Framework, Setting
from search.frameworks.described import Parts
from search.frameworks.entry import EntryId
from ui.show.details import details_html
from ui.show.table import COLUMNS, bar, formula_html, hits_table


class Cells(HTMLParser):
    """Collects the text of each cell."""

    def __init__(self, text: str):
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self.open = True
        self.feed(text)

    def handle_starttag(self, tag, _attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        self.open = self.open and tag != "table"

    def handle_data(self, data):
        if self.open:
            self.cells[-1] += data


SALT = Framework((hit(), hit(2, "halite_b")), 0.973, "rock salt", ("", "rock salt (K)"), ("Na", "K"), ("Cl<sup>",))


def test_a_row_has_one_number_that_the_table_is_ordered_by():
    cells = Cells(hits_table([SALT], 0)).cells
    assert cells[: len(COLUMNS)] == [name for name, _ in COLUMNS]
    assert cells[len(COLUMNS) :] == ["1", "97 %", "rock salt halite + 1", "Na, K · Cl<sup>", "NaCl"]


def test_the_open_row_lists_its_other_entries_and_details():
    cells = Cells(hits_table([SALT, Framework((hit(3),), 0.001)], 2, details_html(hit(2), None, 0.42))).cells
    member, details, other = cells[2 * len(COLUMNS) : 3 * len(COLUMNS)], cells[3 * len(COLUMNS)], cells[-4:]
    assert member == ["", "", "rock salt (K) halite b", "Na", "NaCl"]
    for words in ("This very structure42 %", "1 − R0.80", "+0.10 % against", "−0.020°", "fingerprints0.90", "2 in the"):
        assert words in details
    assert other[:2] == ["less than 1 %", "halite"]


def test_every_column_is_explained_without_a_pointer():
    table = hits_table([SALT], 1)
    assert table.count("<dt>") == len(COLUMNS)
    assert "<summary>What the columns mean</summary>" in table


def test_names_from_a_database_cannot_become_markup():
    nasty = hit(1, "<img src=x onerror=alert(1)>", formula="C<script>", name='"><script>')
    rows = [Framework((nasty, hit(2, "<u>")), 0.5, "<i>", ("<i>", "<i>"), ("<u>",), ("<u>",))]
    entry = EntryId("<u>", "<u>", "<u>", ("<u>",), "<u>", 'javascript:"<u>')
    about = Details(entry, Setting("<u>", (1.0,) * 6), Parts(("<u>",), ("<u>",)))
    tags = Cells(hits_table(rows, 1, details_html(nasty, about))).tags
    assert tags.isdisjoint({"img", "script", "i", "u"})


def test_bars_stay_in_their_cell_whatever_the_number():
    assert "--share:100.0%" in bar(1.3)
    assert "--share:0.0%" in bar(-0.4)


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        ("C12H8", "C<sub>12</sub>H<sub>8</sub>"),
        ("O2.5Si", "SiO<sub>2.5</sub>"),
        ("ClNa", "NaCl"),
        ("no formula", "no formula"),
    ],
)
def test_counts_are_lowered(plain, html):
    assert formula_html(plain) == html


def test_of_a_hit_that_was_never_fitted_only_the_similarity_is_known():
    told = details_html(hit(fit=None, zero_shift=None, scale=None, width=None), None)
    assert "0.90" in told
    assert not [words for words in ("1 − R", "Zero shift", "against") if words in told]


def test_an_entry_is_told_with_its_source_cell_and_doubts():
    about = Details(EntryId.of("RUBTAK02_SL"), Setting("Fm-3m", (20.7,) * 3 + (90.0,) * 3), Parts(("BDC",), ("odd",)))
    told = details_html(hit(), about)
    for words in ("Ccdcid=RUBTAK02", "CSD RUBTAK02", "Fm-3m", "20.700", "BDC", "⚠ odd", "mended by hand"):
        assert words in told


def test_before_a_search_there_is_a_sentence():
    assert "after a search" in hits_table(None, 0)
