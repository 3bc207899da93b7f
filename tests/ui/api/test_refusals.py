"""What is refused is told in a line, and the terminal stays quiet."""

import httpx
import pytest
from gradio.utils import get_upload_folder

MARK = {"_type": "gradio.FileData"}
WAIT = 60  # seconds
PATHS = ["/etc/passwd", "/proc/self/environ", "..", "x" * 5000, "a\0b", "", "/", "~/.ssh/id_rsa"]
VALUES = [[], [None], [1] * 50, ["x", {}, [], None, 1, 2.5, True], [{"path": 7, "meta": MARK}] * 7]


@pytest.fixture(autouse=True)
def _quiet(capfd):
    yield
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_refused_in_words(api, path):
    at = f"{api[0]}/gradio_api/call/v2/search"
    event = httpx.post(at, json={"file": {"path": path, "meta": MARK}}).json()["event_id"]
    said = httpx.get(f"{at}/{event}", timeout=WAIT).text
    assert "event: error" in said
    assert "must be an upload" in said or "does not take such values" in said
    assert len(said) < 500
    assert "/tmp" not in said.replace(get_upload_folder(), "")  # where the server runs is its own affair


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("v2/nothing", {}, 404),
        ("nothing", {"data": []}, 404),
        ("v2/search", {"nope": 1}, 400),
        ("v2/search", {}, 400),
    ],
)
def test_calls_of_what_there_is_not_are_told(api, path, given, status):
    said = httpx.post(f"{api[0]}/gradio_api/call/{path}", json=given)
    assert said.status_code == status
    assert said.json()["error"]


@pytest.mark.parametrize("given", VALUES)
def test_values_of_the_wrong_kind_are_refused_in_words(api, given):
    at = f"{api[0]}/gradio_api/call/search"
    event = httpx.post(at, json={"data": given}).json()["event_id"]
    said = httpx.get(f"{at}/{event}", timeout=WAIT).text
    assert "event: error" in said
    assert '"error": null' not in said
