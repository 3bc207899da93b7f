"""How much a request may bring, enforced while it is read: what is too much is neither kept in memory nor on disk."""

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive, Scope, Send

MIB = 2**20
UPLOAD, SEARCH = "/gradio_api/upload", "/search"
LARGEST = {UPLOAD: 256 * MIB, SEARCH: 64 * MIB}  # bytes: a thousand scans; a search looks more closely itself
OTHERS = 16 * MIB  # bytes of any other request: text, and a pattern as data: URL
WORDS = "the request is too large: it exceeds the maximum allowed size of {:,} bytes"


class Body:
    """The body of one request, counted while it is read, and what is sent back.

    Attributes:
        told: whether anything has been sent back.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        self.receive, self.send, self.told = receive, send, False
        self._most, self._form = LARGEST.get(path, OTHERS), path in LARGEST
        self._got, self._whole = 0, False

    @property
    def too_large(self) -> bool:
        """Whether more came than is allowed."""
        return self._got > self._most

    @property
    def words(self) -> str:
        """Why it is refused."""
        return WORDS.format(self._most)

    def announced_too_large(self, headers: Headers) -> bool:
        """Tell whether a request says beforehand that it is too large."""
        stated = headers.get("content-length", "")
        return stated.isdecimal() and (len(stated) > len(str(self._most)) or int(stated) > self._most)

    async def read(self) -> Message:
        """Pass on the next piece.

        Raises:
            MultiPartException: there is too much, or the client leaves in the middle of a form: its parser then removes
                what it has written.
        """
        message = await self.receive()
        if message["type"] == "http.request":
            self._got += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
        elif self._form and not self._whole:
            raise MultiPartException("the client left before its request was complete")
        if self.too_large:
            raise MultiPartException(self.words)
        return message

    async def answer(self, message: Message) -> None:
        """Pass on a piece of the answer, unless the request was too large: then there is only one answer to it."""
        if not self.too_large:
            self.told = True
            await self.send(message)
