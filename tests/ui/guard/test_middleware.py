"""What goes on outside of everything that gradio does."""

import anyio
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ui.guard.hosts import Hosts
from ui.guard.middleware import Guard


def client(error: Exception) -> TestClient:
    """A server whose only answer breaks off."""

    async def broken():
        yield "data: 1\n\n"
        await anyio.sleep(0)
        raise error

    async def news(_: Request) -> StreamingResponse:
        return StreamingResponse(broken(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/news", news)])
    return TestClient(Guard(app, Hosts.of("127.0.0.1")), base_url="http://127.0.0.1")


def test_news_that_gradio_refuses_on_the_way_end_without_a_traceback():
    """The answer has begun: no status can be told any more."""
    assert client(HTTPException(404)).get("/news").text == "data: 1\n\n"


def test_what_breaks_otherwise_is_told():
    with pytest.raises(RuntimeError, match="really"):
        client(RuntimeError("really")).get("/news")
