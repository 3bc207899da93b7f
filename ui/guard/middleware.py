"""The guard as the outermost layer of the server: outside of gradio's own, which answers some requests by itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import ceil
from typing import Any

from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.guard.bodies import UPLOAD, Body
from ui.guard.hosts import Hosts
from ui.guard.kept import room_left
from ui.guard.tries import Tries

FORBIDDEN, TOO_LARGE, TOO_MANY, FULL = 403, 413, 429, 507  # HTTP


class Guard:
    """Lets pass what comes under a name of this server, from its own page or a program, and is not too large."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        """Guard `app`."""
        self._app, self._hosts, self._tries = app, hosts, Tries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if why := self._hosts.refusal(scope.get("method", ""), headers):
            await _refused(FORBIDDEN, why)(scope, receive, send)
            return
        body = Body(scope, receive, send)
        if body.announced_too_large(headers):
            await _refused(TOO_LARGE, body.words)(scope, receive, send)
            return
        if scope["path"].rstrip("/") == UPLOAD and not await run_sync(room_left):
            await _refused(FULL, "too much was uploaded within the last hour; try again later")(scope, receive, send)
            return
        if (wait := self._tries.wait(scope, headers)) > 0:
            words = f"too many wrong passwords; try again in {ceil(wait)} s"
            await _refused(TOO_MANY, words, {"Retry-After": str(ceil(wait))})(scope, receive, send)
            return
        await self._passed(scope, body, self._tries.watched(scope, headers, body.answer))

    async def _passed(self, scope: Scope, body: Body, answer: Send) -> None:
        try:
            await self._app(scope, body.read, answer)
        except MultiPartException:
            if not body.too_large:  # else the client left, and hears nothing
                return
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):  # gradio refuses the news of a page that has left
                raise
        if body.too_large and not body.told:
            await _refused(TOO_LARGE, body.words)(scope, body.receive, body.send)


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


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> JSONResponse:
    # the rest of a body that was not read would be taken for the next request
    return JSONResponse({"error": why}, status, {"Connection": "close", **(headers or {})})
