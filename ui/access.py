"""Who may use the page: nobody is asked unless a user is named, then everybody is."""

import hmac
import sys

from xtal import settings
from xtal.errors import UserError

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


def _asked(name: str) -> str:
    """Ask the person at the terminal."""
    if not sys.stdin.isatty():
        raise UserError(f"--user {name} needs a password and nobody can be asked here; set XTALSCOUT_PASSWORD")
    import typer

    return str(typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True))
