"""What programs give to the endpoints: looked at, and read."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import gradio as gr

from ui.library import Library
from ui.uploads import uploaded
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.solve import Solver
    from xtal.patterns import Pattern

ADVICE = {
    "no_wavelength": "give wavelength: CuKa, MoKa, ..., a number in Å, or an energy like 17.4 keV",
    "several_wavelengths": "say which one with wavelength",
}
P = ParamSpec("P")
R = TypeVar("R")


def told(endpoint: Callable[P, R]) -> Callable[P, R]:
    """Give what the user can mend to the client in its own words, without a traceback here."""

    @wraps(endpoint)
    def telling(*args: P.args, **kwargs: P.kwargs) -> R:
        """Call the endpoint."""
        try:
            return endpoint(*args, **kwargs)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return telling


def ready(library: Library) -> "Solver":
    """Return what answers; UserError while there is none."""
    solver, progress = library.solver, library.progress
    if solver is None:
        why = progress.error or f"it is {progress.stage}"
        raise UserError(f"the index {library.index_name} is not ready ({why}); ask again when health says so")
    return solver


def uploaded_pattern(file: Any, wavelength: Any) -> "Pattern":
    """Read an upload with its own wavelength or the one given."""
    return pattern_in(uploaded(file), wavelength)


def pattern_in(path: Path, wavelength: Any) -> "Pattern":
    """Read a file with its own wavelength or the one given."""
    from xtal.patterns import parse_wavelength
    from xtal.readers import read_pattern

    typed = str(wavelength) if isinstance(wavelength, float) else text("wavelength", wavelength).strip()
    try:
        return read_pattern(path, parse_wavelength(typed) if typed else None)
    except UserError as error:
        raise UserError(error.told(ADVICE), error.reason) from None


def filters(elements: Any, must: Any) -> dict[str, Any]:
    """Return the options that say which entries may be hits."""
    from xtal.crystals import parse_elements

    required = parse_elements(text("must", must)) or frozenset()
    return {"elements": parse_elements(text("elements", elements)), "required": required}


def text(name: str, value: Any) -> str:
    """Return a text; UserError for anything else."""
    if not isinstance(value, str):
        raise UserError(f"{name} must be a text, got {value!r}")
    return value


def number(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number; 10.0 is one, for JSON knows no other numbers."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if not whole or not low <= value <= high:
        raise UserError(f"{name} must be a whole number from {low} to {high}, got {value!r}")
    return int(value)
