"""The guard as the outermost layer of the server: outside of gradio's own, which answers some requests by itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.guard.hosts import Hosts

FORBIDDEN = 403  # HTTP


class Guard:
    """Lets pass what `Hosts` does not refuse."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        """Guard `app`."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if why := self._hosts.refusal(scope.get("method", ""), Headers(scope=scope)):
            await _refused(FORBIDDEN, why)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def guarded(hosts: Hosts) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return the lifespan of a server whose requests are guarded from the first on.

    Middleware that is handed to gradio would stand inside of gradio's own.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        """Put the guard around everything, before the server listens."""
        app.middleware_stack = Guard(app.middleware_stack, hosts)
        yield

    return lifespan


def _refused(status: int, why: str) -> JSONResponse:
    # the rest of a body that was not read would be taken for the next request
    return JSONResponse({"error": why}, status, {"Connection": "close"})
