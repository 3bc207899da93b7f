"""What the served page remembers of those who ask it, and how it treats its queue."""

import uuid

import httpx
import pytest

from ui.app import SESSIONS, build_page, launch
from ui.library import Library


@pytest.fixture(scope="module")
def served():
    library = Library("none")
    page = build_page(library)
    yield page, launch(page, library, "127.0.0.1", None, open_browser=False)
    page.close()


def call(address: str) -> None:
    at = f"{address.rstrip('/')}/gradio_api/call/v2/health"
    event = httpx.post(at, json={}, timeout=60).json()["event_id"]
    assert "event: complete" in httpx.get(f"{at}/{event}", timeout=60).text


def test_calls_of_programs_share_a_state_and_leave_open_pages_alone(served):
    page, address = served
    states = page.app.state_holder
    before = states["opened1"]
    for _ in range(3):
        call(address)
    assert set(states.session_data) == {"opened1", ""}
    for _ in range(SESSIONS + 1):
        assert states[uuid.uuid4().hex] is states[""]
    assert states["opened1"] is before


def test_pages_have_a_state_each_and_the_oldest_goes_first(served):
    states = served[0].app.state_holder
    assert states["opened2"] is not states["opened3"]
    for number in range(SESSIONS):
        states[f"page{number}"]
    assert "opened2" not in states
    assert len(states.session_data) == SESSIONS


def test_the_queue_keeps_no_record_of_every_call(served):
    page, address = served
    for _ in range(3):
        call(address)
    assert len(page._queue.event_analytics) == 1
    assert page._queue.cached_event_analytics_summary == {"functions": {}}
    assert not page._queue.live_updates
