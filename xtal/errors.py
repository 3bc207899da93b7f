"""The one family of errors that a user can act on."""

from typing import ClassVar


class UserError(ValueError):
    """Something the user can mend: the message says what, got, allowed, next.

    `exit_code` is what a command line ends with: 2 for a usage error, 1 where a subclass says so.
    """

    exit_code: ClassVar[int] = 2
