"""Long calls of programs: how far each is, where it stands in the queue, and what ends it before it is done.

A generation takes minutes and others wait for it. It ends when the program that asked leaves or never listens, when it
is told to stop (``POST /gradio_api/cancel`` with ``{"event_id": ...}``), and when its time is up; what the search found
is the answer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from gradio.context import LocalContext
from gradio.server_messages import ProcessCompletedMessage
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from generate.preview import Cancelled
from ui.library import Library

if TYPE_CHECKING:
    from search.options import Event

LONGEST = 600.0  # seconds of one generation, the wait for one of the page's included
UNHEARD = 30.0  # seconds in which nobody reads what is told of a call, or asks how far it is
STOPPED = "the generation was stopped on request"
LEFT = "the generation was stopped because nobody waits for it"
TIME_IS_UP = "the generation was stopped after {:.0f} s, the limit; ask for fewer candidates or steps"
CANCELLED = {"error": "cancelled before it began"}
BAD, UNKNOWN = 400, 404  # HTTP


class Call:
    """One call that is being worked on.

    Attributes:
        stopped: whether it was told to stop.
        share: of the generation that is done, 0 to 1.
    """

    def __init__(self, event: Any = None, unread: Callable[[], int] = lambda: 0) -> None:
        """Take gradio's event of the call, None where nobody queued, and what counts the messages that wait for it."""
        self.stopped, self.share = False, 0.0
        self._event, self._unread, self._began = event, unread, time.monotonic()
        self._heard = self._began

    @property
    def seconds(self) -> float:
        """Time since it began."""
        return time.monotonic() - self._began

    def asked_after(self) -> None:
        """Take note that somebody wants to know how far it is."""
        self._heard = time.monotonic()

    def hear(self, event: "Event") -> None:
        """Take note of news."""
        if event.preview is None:
            return
        self.share = max(self.share, event.preview.share)
        self.go_on()

    def go_on(self) -> None:
        """End the generation by raising `Cancelled` if it is time to."""
        if self.stopped:
            raise Cancelled(STOPPED)
        if not self._unread():
            self._heard = time.monotonic()
        left = self._event is not None and not self._event.alive
        if left or time.monotonic() > self._heard + UNHEARD:
            raise Cancelled(LEFT)
        if self.seconds > LONGEST:
            raise Cancelled(TIME_IS_UP.format(LONGEST))


@contextmanager
def watched(library: Library) -> Iterator[Call]:
    """Give what a generation tells of itself to, for the call that this thread works on."""
    blocks, name = LocalContext.blocks.get(None), LocalContext.event_id.get(None) or ""
    event = None if blocks is None else blocks._queue.event_ids_to_events.get(name)
    call = Call() if blocks is None or event is None else Call(event, partial(_unread, blocks._queue, event))
    library.calls[name] = call
    try:
        yield call
    finally:
        library.calls.pop(name, None)


def call_routes(library: Library) -> list[Route]:
    """Return ``GET /calls/ID`` and ``POST /gradio_api/cancel``, which takes the place of gradio's.

    An id is known to who asked alone, so that no password is asked for besides.
    """

    async def tell(request: Request) -> JSONResponse:
        """Say how far a call is: its place among those that wait, from 1, or what share is done."""
        name = request.path_params["name"]
        call = library.calls.get(name)
        if call is not None:
            call.asked_after()
            return JSONResponse({"state": "working", "seconds": round(call.seconds, 1), "share": round(call.share, 3)})
        event = _queue(request).event_ids_to_events.get(name)
        if event is None:
            return JSONResponse({"error": "no call of this id waits or is worked on"}, UNKNOWN)
        waiting = list(_queue(request).event_queue_per_concurrency_id[event.concurrency_id].queue)
        if event not in waiting:
            return JSONResponse({"state": "working"})
        return JSONResponse({"state": "waiting", "place": waiting.index(event) + 1, "of": len(waiting)})

    async def cancel(request: Request) -> JSONResponse:
        """Stop a call: one that waits is never begun, a generation ends with what the search found."""
        try:
            name = str((await request.json())["event_id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return JSONResponse({"error": 'say which call: {"event_id": ...}'}, BAD)
        queue = _queue(request)
        call, event = library.calls.get(name), queue.event_ids_to_events.get(name)
        if call is not None:
            call.stopped = True
        elif event is not None:
            queue.send_message(event, ProcessCompletedMessage(output=CANCELLED, success=False))
            await queue.clean_events(event_id=name)
        return JSONResponse({"success": call is not None or event is not None})

    paths = Route("/calls/{name}", tell, methods=["GET"]), Route("/gradio_api/cancel", cancel, methods=["POST"])
    return list(paths)


def _unread(queue: Any, event: Any) -> int:
    """Return how many messages to who asked wait to be read: the first is there before a call is worked on."""
    messages = queue.pending_messages_per_session.get(event.session_hash)
    return 0 if messages is None else int(messages.qsize())


def _queue(request: Request) -> Any:
    return request.app.get_blocks()._queue
