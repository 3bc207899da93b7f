"""What programs are told when they ask for what there is not: one line, and no traceback at the terminal."""

from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError
from gradio.route_utils import FnIndexInferError
from starlette.requests import Request
from starlette.responses import JSONResponse

from ui.uploads import HOW

CALLS = "/gradio_api/call/"
BAD, UNKNOWN = 400, 404  # HTTP


async def _no_endpoint(request: Request, error: Exception) -> JSONResponse:
    """Answer a call of an endpoint that is not there."""
    if not request.url.path.startswith(CALLS):
        raise error
    return JSONResponse({"error": "there is no such endpoint; see /gradio_api/info"}, UNKNOWN)


async def _no_parameter(request: Request, error: Exception) -> JSONResponse:
    """Answer a call with a parameter that its endpoint has not, or without one that it needs."""
    if not request.url.path.startswith(CALLS):
        raise error
    return JSONResponse({"error": str(error).partition(" Please click")[0]}, BAD)


REFUSALS: dict[Any, Any] = {KeyError: _no_endpoint, FnIndexInferError: _no_endpoint, TypeError: _no_parameter}
"""What `fastapi.FastAPI(exception_handlers=...)` takes."""


def tell_refusals(page: gr.Blocks) -> None:
    """Make a complete page tell what is wrong with what it is handed: gradio would tell nobody but the terminal."""
    read = page.preprocess_data

    async def told(*given: Any, **named: Any) -> Any:
        """Do what `read` does."""
        try:
            return await read(*given, **named)
        except gr.Error:
            raise
        except (InvalidPathError, OSError) as error:
            raise gr.Error(f"the file must be an upload of this server; {HOW}", print_exception=False) from error
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            words = f"this call does not take such values ({type(error).__name__}); see /gradio_api/info"
            raise gr.Error(words, print_exception=False) from error

    page.preprocess_data = told
