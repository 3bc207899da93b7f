"""Under which names the server answers, and whose web pages may talk to it.

A page on the web can point its own name at 127.0.0.1 (DNS rebinding). The browser of its visitor then takes this
server for that page, and lets it read all answers, but it still says the name: in ``Host``. A page that keeps its name
can send requests too, without reading what comes back; the browser says so in ``Origin`` and ``Sec-Fetch-Site``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from xtal.errors import UserError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
OWN_PAGES = ("same-origin", "none")  # values of Sec-Fetch-Site: of this server, and typed by a person


@dataclass(frozen=True)
class Hosts:
    """Names of this server.

    Attributes:
        names: in lower case, without ports.
        named: those of them that a person allowed; pages of these may come through a proxy that changes ``Host``.
        addresses: whether every IP address is one too. None of them can be pointed elsewhere, so they are safe.
    """

    names: frozenset[str]
    named: frozenset[str] = frozenset()
    addresses: bool = False

    @classmethod
    def of(cls, host: str, allowed: Iterable[str] = ()) -> "Hosts":
        """Return the names of a server that listens on `host` and may be called `allowed`.

        Raises:
            UserError: one of them is no name of a host.
        """
        own, named = _plain(host), frozenset(_plain(name) for name in allowed)
        return cls(frozenset({*LOOPBACK, own, *named}), named, _is_address(own) and ip_address(own).is_unspecified)

    def refusal(self, method: str, headers: Mapping[str, str]) -> str:
        """Return why a request is refused, or nothing."""
        host = headers.get("host", "")
        name = _host_of(host)
        if name not in self.names and not (self.addresses and _is_address(name)):
            return f"this server is not called {name[:80]!r}; if it should be, start it with --allow-host {name[:80]}"
        origin = headers.get("origin")
        if origin is not None and not self._ours(origin, host):
            return f"pages of {origin[:80]!r} may not use this server; to let them, start it with --allow-host"
        if origin is None and not _asked_by_us(method, headers):
            return "pages of other servers may link to this one, but not use it"
        return ""

    def _ours(self, origin: str, host: str) -> bool:
        try:
            asked = urlsplit(origin)
        except ValueError:
            return False
        return asked.scheme in ("http", "https") and (
            asked.netloc.lower() == host.lower() or (asked.hostname or "") in self.named
        )


def _asked_by_us(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a request without an origin is a program's, our page's, or a link that a person followed."""
    if headers.get("sec-fetch-site", "none") in OWN_PAGES:
        return True
    return method in ("GET", "HEAD") and (
        (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    )


def _plain(name: str) -> str:
    """Return a name without case, brackets or dot at its end."""
    plain = name.strip().lower().strip("[]").rstrip(".")
    if not (NAME.fullmatch(plain) or _is_address(plain)):
        raise UserError(f"{name!r} is no name of a host: give it without http:// and without a port, like lab.example")
    return plain


def _host_of(header: str) -> str:
    """Return the name in a ``Host`` header; nothing where it holds none."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return ""
    whole = parts.netloc == header and "@" not in header
    return (parts.hostname or "").rstrip(".") if whole else ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
