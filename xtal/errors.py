"""The one family of errors that a user can act on."""


class UserError(ValueError):
    """Something the user can mend: the message says what, got, allowed, next. Command lines exit with code 2."""
