from datetime import UTC, datetime, timedelta

import pytest
from ui_fakes import FakeEngine, library, pattern

from generate.request import Request
from search.cache import Cache, HistoryEntry
from search.cache.asked import filters_of
from search.cache.key import canonical
from search.edited_lines import lines_at
from search.options import Options
from ui.show.elements import symbols
from ui.show.history import _row, history_html


@pytest.fixture
def cache(tmp_path):
    with Cache.open(tmp_path / "cache.duckdb") as opened:
        yield opened


def asked(cache, *names: str) -> list[str]:
    solver = library(FakeEngine(), cache=cache).solver
    options = [Options(k=k, generate="never") for k in range(1, len(names) + 1)]
    return [solver.solve(pattern(name), o).key[:8] for name, o in zip(names, options, strict=True)]


def test_answers_are_listed_newest_first(cache):
    first, second = asked(cache, "salt.xy", "other.xy")
    listed = history_html(cache)
    assert listed.index(second) < listed.index(first)
    assert "match, 97 %" in listed
    assert "Forget all 2" in listed
    assert listed.count('tabindex="0"') == 1


def test_words_narrow_the_list(cache):
    asked(cache, "salt.xy", "other.xy")
    assert "salt.xy" not in history_html(cache, "other")
    assert "No answer holds these words" in history_html(cache, "nowhere")


def test_answers_to_edited_lines_are_marked_and_found(cache):
    asked(cache, "plain.xy")
    lines = lines_at(pattern(), [31.7, 45.4], [100, 40])
    library(FakeEngine(), cache=cache).solver.solve(pattern("mine.xy"), Options(lines=lines, generate="never"))
    listed = history_html(cache)
    assert listed.count("</span>, edited peaks</span>") == 1
    assert "plain.xy" not in history_html(cache, "edited peaks")
    assert "mine.xy" in history_html(cache, "edited peaks")


def test_answers_tell_their_filters(cache):
    asked(cache, "plain.xy")
    request = Request(count=1, metals=("Zn",), linkers=("BDC",))
    options = Options(elements=frozenset({"Na", "Cl"}), required=frozenset({"Na"}), request=request, generate="never")
    library(FakeEngine(), cache=cache).solver.solve(pattern("mine.xy"), options)
    listed = history_html(cache)
    assert listed.count('class="xs-filters"') == 1
    assert "only Cl, Na; with Na; metal Zn; linker BDC" in listed


def test_many_allowed_elements_are_told_by_those_that_are_not():
    allowed = frozenset(symbols()) - {"Cl", "U"}
    assert filters_of(canonical(Options(elements=allowed, reduced_formula="C6H2CuO4"))) == (
        "without Cl, U; formula C6H2CuO4"
    )
    assert filters_of(canonical(Options())) == ""


def test_names_are_escaped(cache):
    asked(cache, '"><img src=x>.xy')
    assert "<img" not in history_html(cache)


def test_an_empty_history_says_what_it_is_for(cache):
    assert "kept here" in history_html(cache)
    assert "once the index is ready" in history_html(None)


def test_a_cache_that_cannot_be_used_says_why(cache):
    cache.close()
    assert "is closed" in history_html(cache)


def test_todays_answers_carry_a_time_and_older_ones_a_day():
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    entry = HistoryEntry("ab" * 32, now.replace(tzinfo=None), "a.xy", "", "salts", "miss", 0.1, None, 3)
    assert f"{now.astimezone():%H:%M}" in _row(entry, now, first=True)
    assert '<span title="no hit">no hit</span>, 3 generated' in _row(entry, now, first=True)
    assert "23 Nov 2026" in _row(entry, now + timedelta(days=9), first=True)
