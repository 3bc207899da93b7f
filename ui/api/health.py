"""Whether the server can answer: for monitors, load balancers and programs that wait for the index."""

import time
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ui.library import Library

STARTED = time.monotonic()  # this module is loaded when the server starts
READY, NOT_READY = 200, 503  # HTTP


def health(library: Library) -> dict[str, Any]:
    """Return the state of the server.

    Returns:
        ``status`` is ``ready``, ``starting`` or ``failed``. Entries, the build of the index, the ids of the models and
        whether answers are cached are null until it is ready.
    """
    solver, progress = library.solver, library.progress
    origin, cache = (None, None) if solver is None else (solver.origin, solver.cache)
    waiting = "failed" if progress.error else "starting"
    return {
        "status": waiting if solver is None else "ready",
        "version": version("xtalscout"),
        "uptime_seconds": round(time.monotonic() - STARTED, 1),
        "index": library.index_name,
        "entries": None if solver is None else len(solver.engine),
        "build_id": None if origin is None else origin.build_id,
        "embedder_id": None if origin is None else origin.embedder_id,
        "denoiser_id": None if origin is None else origin.denoiser_id,
        "cache_usable": None if solver is None else cache is not None and cache.usable,
        "stage": progress.stage if solver is None else "",
        "done": progress.done if solver is None else None,
        "total": progress.total if solver is None else None,
        "error": progress.error,
    }


def health_route(library: Library) -> Route:
    """Return ``GET /health``: 200 once the index is loaded, 503 before and where it cannot be.

    It asks for no password: monitors have none, and it tells nothing about patterns. It waits for no thread, so that
    it answers also while all of them work.
    """

    async def answer(_request: Request) -> JSONResponse:
        """Tell the state at this moment."""
        state = health(library)
        return JSONResponse(state, READY if state["status"] == "ready" else NOT_READY)

    return Route("/health", answer, methods=["GET"])
