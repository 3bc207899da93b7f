"""What a request may bring: too much is refused while it is read, and leaves nothing in the folder of uploads."""

import socket
import time
from pathlib import Path

import httpx
import pytest
from api_server import serving
from gradio.utils import get_upload_folder

from ui.guard import bodies, kept


@pytest.fixture
def small(api_home, monkeypatch, tmp_path):
    """A server with limits that are quickly reached, and a folder of its own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setattr(bodies, "LARGEST", {bodies.UPLOAD: 100_000, bodies.SEARCH: 100_000})
    monkeypatch.setattr(bodies, "OTHERS", 10_000)
    with serving(api_home, ready=False) as (address, _):
        yield address


def stored() -> list[Path]:
    return [path for path in Path(get_upload_folder()).rglob("*") if path.is_file()]


def pieces(content: bytes):
    yield from (content[at : at + 5000] for at in range(0, len(content), 5000))


def test_several_files_count_together(small):
    files = [("files", (f"{n}.xy", b"1 2\n" * 10_000)) for n in range(6)]
    request = httpx.Request("POST", f"{small}{bodies.UPLOAD}", files=files)
    body, kind = request.read(), {"Content-Type": request.headers["Content-Type"]}
    for content in (body, pieces(body)):  # its size said before, and not
        said = httpx.post(request.url, content=content, headers=kind)
        assert (said.status_code, said.json()["error"]) == (413, bodies.WORDS.format(100_000))
        assert stored() == []
    assert httpx.post(request.url, files=files[:2]).status_code == 200
    assert len(stored()) == 2


@pytest.mark.parametrize("path", ["/gradio_api/call/v2/health", "/gradio_api/queue/join", "/gradio_api/cancel"])
def test_no_other_request_is_large(small, path):
    body = b'{"data": ["' + b"x" * 50_000 + b'"]}'
    for content in (body, pieces(body)):
        said = httpx.post(f"{small}{path}", content=content, headers={"Content-Type": "application/json"})
        assert (said.status_code, "maximum allowed size of 10,000 bytes" in said.json()["error"]) == (413, True)


def test_a_client_that_leaves_in_the_middle_leaves_nothing(small):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.xy"\r\n\r\n' + b"1 2\n" * 5000
    head = f"POST {bodies.UPLOAD} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n"
    with socket.create_connection(("127.0.0.1", int(small.rpartition(":")[2]))) as client:
        client.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + part)
        _until(lambda: len(stored()) == 1)
    _until(lambda: stored() == [])


def test_the_disk_is_not_filled(small, monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 1000)
    file = {"files": b"1 2\n" * 500}
    assert httpx.post(f"{small}{bodies.UPLOAD}", files=file).status_code == 200
    _until(lambda: len(stored()) == 1)
    said = httpx.post(f"{small}{bodies.UPLOAD}", files=file)
    assert (said.status_code, "within the last hour" in said.json()["error"]) == (507, True)


def _until(what) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)
