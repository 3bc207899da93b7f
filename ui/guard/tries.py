"""A brake on guessing passwords: after a few wrong ones, an address waits longer and longer before its next try."""

import time
from collections import OrderedDict
from ipaddress import ip_address
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

FREE = 5  # wrong passwords before anybody waits
FIRST, LONGEST = 1.0, 300.0  # seconds; each further wrong one doubles the wait
FORGOTTEN = 900.0  # seconds without a try, after which an address begins anew
KEPT = 10_000  # addresses that are remembered
LOGIN, SEARCH = "/login", "/search"
RIGHT, UNKNOWN, FORBIDDEN = 200, 401, 403  # HTTP


class Past(NamedTuple):
    """Wrong passwords of one address: how many, and when the last was."""

    wrong: int
    last: float


class Tries:
    """Counts wrong passwords by address: those typed at the page, and those that programs send with each search."""

    def __init__(self) -> None:
        self._past: OrderedDict[str, Past] = OrderedDict()

    def wait(self, scope: Scope, headers: Headers) -> float:
        """Return the seconds that are left before a request with a password is looked at; 0 for all others."""
        if not _asks(scope, headers):
            return 0.0
        address, now = _address(scope), time.monotonic()
        past = self._past.get(address)
        if past is None or past.wrong < FREE:
            return 0.0
        left = min(LONGEST, FIRST * 2 ** min(past.wrong - FREE, 20)) - (now - past.last)
        if left <= 0:
            self._past[address] = past._replace(last=now)  # others that come beside it wait again
        return max(0.0, left)

    def watched(self, scope: Scope, headers: Headers, send: Send) -> Send:
        """Return `send`, which takes note of how the password of a request was answered."""
        if not _asks(scope, headers):
            return send
        typed = _path(scope) == LOGIN

        async def noting(message: Message) -> None:
            """Pass on a piece of the answer."""
            if message["type"] == "http.response.start":
                status = message["status"]
                right = status == RIGHT if typed else status not in (UNKNOWN, FORBIDDEN)
                self._note(_address(scope), right)
            await send(message)

        return noting

    def _note(self, address: str, right: bool) -> None:
        past, now = self._past.pop(address, Past(0, 0.0)), time.monotonic()
        if right:
            return
        before = past.wrong if now - past.last < FORGOTTEN else 0
        self._past[address] = Past(before + 1, now)
        while len(self._past) > KEPT:
            self._past.popitem(last=False)


def _asks(scope: Scope, headers: Headers) -> bool:
    """Tell whether a request brings a password."""
    path = _path(scope)
    return scope.get("method") == "POST" and (path == LOGIN or (path == SEARCH and "authorization" in headers))


def _path(scope: Scope) -> str:
    return str(scope["path"]).rstrip("/")


def _address(scope: Scope) -> str:
    """Return who asks: the address, of IPv6 the network, which one person may have whole."""
    host = (scope.get("client") or ("",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(int(address) >> 64)
