"""Refine structures against a pattern with whichever program is asked for."""

import time
from typing import Literal

from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.refinement.asked import Beam, Choices, Observed, Start
from xtal.refinement.refined import Refinement

Program = Literal["rietx", "gsas"]
PROGRAMS: tuple[Program, ...] = ("rietx", "gsas")


def refine(
    pattern: Pattern,
    start: Start,
    choices: Choices | None = None,
    program: Program = "rietx",
    observed: Observed | None = None,
) -> Refinement:
    """Refine phases against a pattern, within the time that `choices` give.

    Args:
        pattern: as measured.
        start: phases and what is known of the instrument.
        choices: the defaults when None.
        program: rietx, or gsas where GSAS-II is installed.
        observed: the weighted points of `pattern`, where they are made already.

    Raises:
        UserError: the program is not known or not installed, or not even the scale could be refined in the time.
    """
    choices = choices or Choices()
    if program not in PROGRAMS:
        raise UserError(f"the program must be one of {', '.join(PROGRAMS)}, got {program!r}")
    observed = observed or Observed.of(pattern)
    beam = Beam.of(pattern.wavelength, start.second)
    if program == "gsas":
        from xtal.refinement.gsas import refine_with_gsas

        return refine_with_gsas(start, observed, beam, choices)
    return _with_rietx(start, observed, beam, choices)


def _with_rietx(start: Start, observed: Observed, beam: Beam, choices: Choices) -> Refinement:
    from xtal.refinement.rietx_plan import run
    from xtal.refinement.rietx_read import read
    from xtal.refinement.rietx_steps import OutOfTimeError, StepFailedError

    began = time.monotonic()
    try:
        outcome = run(start, observed, beam, choices)
    except OutOfTimeError:
        sites = sum(map(len, start.phases))
        raise UserError(
            f"not even the scale could be refined in {choices.seconds:g} s ({sites} independent sites, "
            f"{len(observed.two_theta):,} points); allow more time"
        ) from None
    except StepFailedError as error:
        raise UserError(f"the refinement could not begin: {error}") from None
    return read(outcome, start, observed, beam, choices, time.monotonic() - began)
