"""What programs give to the endpoints: looked at, and read."""

from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar, Unpack

import gradio as gr

from ui.library import Library
from ui.question import MOST_CANDIDATES
from ui.show.lines import given_lines
from ui.uploads import uploaded
from xtal.errors import UserError

if TYPE_CHECKING:
    from generate.request import Request
    from search.options import Options
    from search.solve import Solver
    from xtal.patterns import Pattern

ADVICE = {
    "no_wavelength": "give wavelength: CuKa, MoKa, ..., a number in Å, or an energy like 17.4 keV",
    "structure": "send a measured pattern, and the name or refcode to compare with as is_it",
    "several_wavelengths": "say which one with wavelength",
}
P = ParamSpec("P")
R = TypeVar("R")


class MoreOptions(TypedDict, total=False):
    """What else `search.options.Options` takes."""

    k: int
    formula: str
    generate: Literal["auto", "never", "always"]
    request: "Request"


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


def options_of(
    pattern: "Pattern", elements: Any, must: Any, formula: Any, lines: Any, /, **more: Unpack["MoreOptions"]
) -> "Options":
    """Return what a pattern is answered with: which entries may be hits, the lines, and what is known already."""
    from search.options import Options
    from xtal.crystals import parse_elements, parse_formula, units_of

    return Options(
        elements=parse_elements(text("elements", elements)),
        required=parse_elements(text("must", must)) or frozenset(),
        reduced_formula=parse_formula(text("formula", formula)),
        written=units_of(text("formula", formula)),
        lines=given_lines(pattern, lines),
        **more,
    )


def request_of(candidates: Any, steps: Any, seed: Any, metals: Any, linkers: Any, guests: Any) -> "Request":
    """Return how crystals are generated."""
    from generate.knowledge import split_metals, split_names
    from generate.request import Request

    return Request(
        number("candidates", candidates, 1, MOST_CANDIDATES),
        number("steps", steps, 1, 1000),
        number("seed", seed, 0, 2**32 - 1),
        metals=split_metals(text("metals", metals)),
        linkers=split_names(text("linkers", linkers)),
        guests=split_names(text("guests", guests)),
    )


def one_of(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """Return one of the allowed values; UserError for any other."""
    if value not in allowed:
        raise UserError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    return value


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
