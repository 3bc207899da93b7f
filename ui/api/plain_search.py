"""``POST /search``: the search of `ui.api.api` in one plain request, a form with a file in and JSON out."""

import base64
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import anyio
import anyio.to_thread
from gradio_client.utils import strip_invalid_filename_characters  # type: ignore[import-untyped]
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ui.access import Login, admits
from ui.api.searching import searched
from ui.library import Library
from xtal.errors import UserError

LARGEST_BODY = 52 * 2**20  # bytes: the largest pattern that the readers take, and room for the other fields
LARGEST_FIELD = 64 * 2**10  # bytes: 256 lines with all their digits take a fifth of it
FIELDS = {"wavelength": "", "elements": "", "must": "", "formula": "", "hits": "10", "lines": "", "is_it": ""}
HOW = "send a form with the pattern as `file`, like: curl -F file=@sample.xye ADDRESS/search"
BAD, UNKNOWN, FORBIDDEN, TOO_LARGE, NOT_READY = 400, 401, 403, 413, 503  # HTTP


class _TooLargeError(UserError):
    """The body of a request is larger than a pattern can be."""


def search_route(library: Library, login: Login | None) -> Route:
    """Return ``POST /search``: 200 with the answer, 400, 401, 403, 413 or 503 with ``{"error": why}``.

    Args:
        library: to search in.
        login: user and password that every request must carry (HTTP Basic); None where nobody is asked.

    As many requests are worked on as searches may run; the others wait for their turn. A browser's request is refused
    (it names its origin, which programs do not), so that no web page can make its visitors search here.
    """
    turns = anyio.CapacityLimiter(library.searches)

    async def answer(request: Request) -> JSONResponse:
        """Look who asks, read the form, and search in a thread."""
        if "origin" in request.headers:
            return _refused(FORBIDDEN, "this address is for programs; in a browser, use the page")
        if not _allowed(request.headers.get("authorization", ""), login):
            return _refused(UNKNOWN, "this server asks for a user and password: curl -u USER ...")
        try:
            form = await _form(request)
        except _TooLargeError as error:
            return _refused(TOO_LARGE, str(error))
        except UserError as error:
            return _refused(BAD, str(error))
        try:
            found = await anyio.to_thread.run_sync(_answer, library, form, limiter=turns)
        except UserError as error:
            return _refused(BAD if library.solver is not None else NOT_READY, str(error))
        finally:
            await form.close()
        return JSONResponse(found)

    return Route("/search", answer, methods=["POST"])


def _refused(status: int, why: str) -> JSONResponse:
    # the rest of a body that was not read would be taken for the next request
    return JSONResponse({"error": why}, status, {"Connection": "close"} if status != BAD else None)


def _allowed(header: str, login: Login | None) -> bool:
    """Tell whether an ``Authorization`` header names the user and password; its scheme may be in any case."""
    if login is None:
        return True
    scheme, _, given = header.partition(" ")
    try:
        user, _, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no UTF-8
        return False
    return scheme.lower() == "basic" and admits(login, user, password)


async def _form(request: Request) -> FormData:
    """Read the form; large files wait on disk under no name until it is closed."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise UserError(f"this is no form with a file, its content type is {kind[:80]!r}; {HOW}")
    stream = _limited(request)
    parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=20, max_part_size=LARGEST_FIELD)  # type: ignore[arg-type]
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise UserError(f"the form cannot be read: {error.message} {HOW}") from None


async def _limited(request: Request) -> AsyncIterator[bytes]:
    """Pass the body on while it is no larger than allowed, whatever it says of its size."""
    size = int(stated) if (stated := request.headers.get("content-length", "0")).isdecimal() else 0
    got = 0
    if size <= LARGEST_BODY:
        async for chunk in request.stream():
            got += len(chunk)
            if got > LARGEST_BODY:
                break
            yield chunk
    if max(size, got) > LARGEST_BODY:
        raise _TooLargeError(f"the request is too large; a pattern has at most {LARGEST_BODY:,} bytes")


def _answer(library: Library, form: FormData) -> dict[str, Any]:
    """Search for the file of a form; it has a name on disk only while it is read."""
    if unknown := sorted(set(form) - {"file", *FIELDS}):
        raise UserError(f"unknown argument {unknown[0]!r}; known are file, {', '.join(FIELDS)}")
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise UserError(f"the form holds no file; {HOW}")
    given = {name: form.get(name, default) for name, default in FIELDS.items()}
    values = {**given, "hits": _whole(given["hits"]), "lines": _json("lines", given["lines"])}
    with tempfile.TemporaryDirectory(prefix="xtalscout-") as folder:
        path = _written(file.file, Path(folder), file.filename or "")
        return searched(library, path, **values)


def _written(content: BinaryIO, folder: Path, name: str) -> Path:
    """Write an upload into a folder, under the last part of its own name without what could lead elsewhere."""
    safe = strip_invalid_filename_characters(PurePosixPath(name.replace("\\", "/")).name)
    path = folder / (safe if safe.strip(". ") else "pattern")
    path.write_bytes(content.read())
    return path


def _whole(text: Any) -> Any:
    """Return a number that is written out, and anything else as it is: `searched` says what is wrong with it."""
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else text


def _json(name: str, text: Any) -> Any:
    """Return the value of a field in JSON, None for a blank one."""
    if not isinstance(text, str):
        raise UserError(f"{name} must be a text, not a file")
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        raise UserError(f"{name} must be JSON, like [[5.68, 100.0], [8.03, 42.5]], got {text[:80]!r}") from None
