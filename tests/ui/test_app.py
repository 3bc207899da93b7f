"""The page as it is put together."""

from ui.app import build_page
from ui.library import Library


def test_programs_see_the_named_endpoints_and_nothing_else():
    named = build_page(Library("x")).get_api_info()["named_endpoints"]
    assert set(named) == {"/solve", "/search", "/history", "/answer", "/structure", "/health"}
