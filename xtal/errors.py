"""The one family of errors that a user can act on."""

from collections.abc import Mapping
from typing import ClassVar


class UserError(ValueError):
    """Something the user can mend: the message says what, got, allowed, next.

    A message names no option, box or argument: what these are called, only the surface knows that the user is at. It
    adds its own advice, by the reason.

    Attributes:
        exit_code: what a command line ends with: 2 for a usage error, 1 where a subclass says so.
        reason: one word for programs (`no_wavelength`), "" where there is none.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason

    def told(self, advice: Mapping[str, str]) -> str:
        """Return the message with what a surface advises for its reason."""
        more = advice.get(self.reason)
        return f"{self}; {more}" if more else str(self)
