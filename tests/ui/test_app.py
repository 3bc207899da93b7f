"""The page as it is put together."""

import gradio as gr

from ui.app import build_page
from ui.library import Library


def test_programs_see_the_named_endpoints_and_nothing_else():
    named = build_page(Library("x")).get_api_info()["named_endpoints"]
    known = "solve search left history answer structure figure refine health"
    assert set(named) == {f"/{name}" for name in known.split()}


def test_no_timer_runs_before_the_page_knows_that_there_is_no_index():
    """Its tick would find an index that was there all along, and start what is dropped meanwhile a second time."""
    timers = [block for block in build_page(Library("x")).blocks.values() if isinstance(block, gr.Timer)]
    assert [timer.active for timer in timers] == [False]
