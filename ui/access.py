"""Who may use the page: nobody is asked unless a user is named, then everybody is."""

import errno
import hmac
import socket
import sys

from xtal import settings
from xtal.errors import UserError

HERE = ("127.0.0.1", "localhost", "::1")  # this machine alone
LAST_PORT = 65535
Login = tuple[str, str]
"""User and password."""


def login(user: str | None) -> Login | None:
    """Return what ``launch(auth=...)`` takes; None where nobody is asked to log in.

    The password comes from ``XTALSCOUT_PASSWORD`` or is asked for: on the command line, every process could read it.

    Raises:
        UserError: a name or password is missing.
    """
    password = settings.password()
    if user is None:
        if password is not None:
            raise UserError("XTALSCOUT_PASSWORD is set but no user: nobody would be asked for it; add --user NAME")
        return None
    name = user.strip()  # the page strips what is typed there
    if not name:
        raise UserError(f"--user needs a name, got {user!r}")
    password = _asked(name) if password is None else password
    if not password:
        raise UserError(f"the password of {name} is empty; set XTALSCOUT_PASSWORD to a text")
    return name, password


def admits(allowed: Login, user: str, password: str) -> bool:
    """Tell whether user and password are the right ones, in a time that does not depend on how alike they are."""
    pairs = zip(allowed, (user, password), strict=True)
    return sum(not hmac.compare_digest(right.encode(), given.encode()) for right, given in pairs) == 0


def check_address(host: str, port: int | None, allowed: Login | None) -> str:
    """Return what to know of the address that is listened on, "" for nothing.

    Raises:
        UserError: the port is none, or another program has it.
    """
    if port is not None and not 1 <= port <= LAST_PORT:
        raise UserError(f"--port must lie in 1 to {LAST_PORT}, got {port}")
    if port is not None and _taken(host, port):
        raise UserError(f"another program listens on port {port}; choose another with --port, or stop that program")
    if allowed is None and host not in HERE:
        return f"warning: everybody who reaches {host} can use this page and see all answers; add --user NAME"
    return ""


def _taken(host: str, port: int) -> bool:
    """Whether a port cannot be listened on because another program does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was closed just now is free
        try:
            trial.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _asked(name: str) -> str:
    """Ask the person at the terminal."""
    if not sys.stdin.isatty():
        raise UserError(f"--user {name} needs a password and nobody can be asked here; set XTALSCOUT_PASSWORD")
    import typer

    return str(typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True))
