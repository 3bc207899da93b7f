"""The order in which rietx is given what to refine (McCusker et al., J. Appl. Cryst. 32 (1999) 36).

Scale and background, cell, zero shift, width and shape of the lines, one displacement parameter per phase, texture;
then, where the data allow it, displacements by element and positions. What is not needed to reach a fit (growth of the
widths, displacement of the sample, texture, positions) stays only where it pays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from xtal.crystals.cell import cell_lattice
from xtal.refinement.asked import Beam, Choices, Observed, Start
from xtal.refinement.rietx_model import CELL, element_paths, instrument_of, profile_of, structure_of
from xtal.refinement.rietx_steps import OutOfTimeError, State, StepFailedError, Steps, pays
from xtal.refinement.texture import promising
from xtal.refinement.voids import is_organic

BACKGROUND = "instrument.background.c*"
ZERO, DISPLACED = "instrument.zero_shift", "instrument.geometry.sample_displacement"
MARCH = (0.15, 6.0)  # r beyond which no powder is
FEW_ERRORS = 3.0  # standard uncertainties that r must be away from 1
FARTHEST_CELL = 0.03  # relative change of a length that is no refinement any more
SAME_CELL = 5e-5  # relative: closer ones are not told apart
FARTHEST_ATOM = 0.4  # Å
PER_PARAMETER = 5.0  # independent observations that a parameter of the structure needs (McCusker et al., section 9)
TEXTURE_PAYS = 0.01  # relative, of Rwp, and what the residual must promise of χ²
MOST_AXES = 2  # tried: the most promising


Optional = Callable[[Steps, State], State]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The last good state, whether all steps were done, and what went on, in sentences."""

    state: State
    finished: bool
    remarks: tuple[str, ...]


def run(start: Start, observed: Observed, beam: Beam, choices: Choices) -> Outcome:
    """Refine `start` step by step.

    Raises:
        OutOfTimeError: not even scale and background were reached.
        StepFailedError: they could not be refined.
    """
    steps = Steps(observed, choices.mode, choices.seconds)
    state = State(structure_of(start), instrument_of(start, observed, beam))
    good = steps.step(state, "scale and background", "phases.*.scale", BACKGROUND)
    try:
        for good in _stages(steps, good, start, beam, choices):  # noqa: B007, B020 - the last good state
            pass
    except OutOfTimeError as error:
        said = (
            f"the time ({choices.seconds:g} s) was up at the step {str(error)!r}: this is the last good state, and "
            "more time may improve it"
        )
        return Outcome(good, False, (said, *good.said))
    except StepFailedError as error:
        return Outcome(good, False, (f"a step failed ({error}); this is the last good state before it", *good.said))
    return Outcome(good, True, good.said)


def _stages(steps: Steps, state: State, start: Start, beam: Beam, choices: Choices) -> Iterator[State]:
    """Yield each good state that is reached."""
    for name, paths in (
        ("cell and zero shift", ["phases.*.cell.*", ZERO]),
        ("line width", ["instrument.profile.w", "instrument.profile.x"]),
    ):
        after = steps.step(state, name, *paths)
        run_away = _run_away(after, start)
        if run_away:
            said = f"the cell of {run_away} ran away and was held where the search had it"
            state = replace(state, free=tuple(p for p in state.free if "cell" not in p), said=(*state.said, said))
            continue
        state = after
        yield state
    if choices.mode == "rietveld":
        groups = [tuple(path for group in element_paths(p, i) for path in group) for i, p in enumerate(start.phases)]
        state = replace(state, ties=tuple(group for group in groups if len(group) > 1))
        state = _displacement(steps, state, [group[0] for group in groups])
        yield state
    skipped = []
    for name, step in _optional(start, beam, choices):
        if steps.spare:
            state = step(steps, state)
            yield state
        else:
            skipped.append(name)
    if skipped:
        left_out = f"not tried, as the time would not have been enough: {', '.join(skipped)}"
        state = replace(state, said=(*state.said, left_out))
    yield steps.step(state, "all together", quick=False)


def _optional(start: Start, beam: Beam, choices: Choices) -> list[tuple[str, Optional]]:
    """Return the steps that are kept only where they pay, with their names, in order."""
    found: list[tuple[str, Optional]] = []
    several, intensities = len(start.phases) > 1, choices.mode == "rietveld"
    if several:
        widths = [f"phases.{number}.lor_size" for number in range(1, len(start.phases))]
        found.append(("width of each phase", partial(_if_it_pays, name="width of each phase", paths=widths)))
    if intensities and choices.texture:
        for number in range(len(start.phases)):
            name = f"texture of phase {number + 1}" if several else "texture"
            found.append((name, partial(_textured, name=name, number=number, start=start, beam=beam)))
    if beam.laboratory:
        found.append(("sample displacement", _displaced))
    shape = ["instrument.profile.u", "instrument.profile.y"]
    found.append(("line shape", partial(_if_it_pays, name="line shape", paths=shape)))
    if intensities and choices.coordinates and not several and not is_organic(start.phases[0].whole()):
        found.append(("positions", partial(_moved, start=start)))
    return found


def _if_it_pays(steps: Steps, state: State, name: str, paths: Sequence[str]) -> State:
    """Return the state with `paths` free where that lowers χ² enough, else the one given."""
    try:
        after = steps.step(state, name, *paths, needed=False)
    except StepFailedError:
        return state
    return after if pays(state, after) and not _stopped(after, paths) else state


def _stopped(state: State, paths: Sequence[str]) -> bool:
    """Whether one of the parameters ended at a bound."""
    return any(p.at_bound and p.path in paths for p in state.result.parameters)


def _displaced(steps: Steps, state: State) -> State:
    """Return the state with a displaced sample in place of a zero shift, where that fits better.

    The two can hardly be told apart, and are never refined together.
    """
    if not _sure(state.instrument.zero_shift):
        return state
    instrument = state.instrument.model_copy(deep=True)
    instrument.zero_shift.value = 0.0
    other = replace(state, instrument=instrument).freed(DISPLACED, without=(ZERO,))
    try:
        after = steps.step(other, "sample displacement", needed=False)
    except StepFailedError:
        return state
    if after.chi_square >= state.chi_square:
        return state
    change = max(abs(a / b - 1) for a, b in zip(_cell(state, 0)[:3], _cell(after, 0)[:3], strict=True))
    if change < SAME_CELL:
        return after
    said = (
        "the sample was taken as displaced from the axis, which fits better than a zero shift; with a zero shift "
        f"instead a length of the cell would differ by up to {change:.2%}"
    )
    return replace(after, said=(*after.said, said))


def _displacement(steps: Steps, state: State, paths: Sequence[str]) -> State:
    """Return the state with one displacement parameter for each phase, or held ones where the data do not fix them."""
    after = steps.step(state, "displacement", *paths)
    if not _stopped(after, paths):
        return after
    held = "atomic displacements were held at U = 0.01 Å²: refined, they ended at the limit of what is possible"
    return replace(state, said=(*state.said, held))


def _sure(parameter: Any) -> bool:
    """Whether a parameter differs from 0 by more than its uncertainty explains."""
    return parameter.stderr is not None and abs(parameter.value) > FEW_ERRORS * parameter.stderr


def _cell(state: State, number: int) -> list[float]:
    return [getattr(state.structure.phases[number].cell, name).value for name in CELL]


def _run_away(state: State, start: Start) -> str:
    """Name the phase whose cell left all reason, "" where none did."""
    for number, given in enumerate(start.phases):
        if (np.abs(np.array(_cell(state, number)[:3]) / given.cell[:3] - 1) > FARTHEST_CELL).any():
            return given.name or f"phase {number + 1}"
    return ""


def _textured(steps: Steps, state: State, name: str, number: int, start: Start, beam: Beam) -> State:
    """Return the state with preferred orientation of one phase about the best axis, where that pays."""
    import rietx

    phase = replace(start.phases[number], lattice=cell_lattice(_cell(state, number)))
    shift = state.instrument.zero_shift.value
    found = promising(phase, profile_of(state.result), beam.lines[0][0], shift, start.width)
    r, tried = f"phases.{number}.preferred_orientation.r", []
    for axis, share in found[:MOST_AXES]:
        if share < TEXTURE_PAYS:
            break
        structure = state.structure.model_copy(deep=True)
        value = rietx.Parameter(value=1.0, min=MARCH[0], max=MARCH[1])
        structure.phases[number].preferred_orientation = rietx.PreferredOrientation(axis=axis, r=value)
        trial = replace(state, structure=structure, free=("phases.*.scale",), ties=())
        try:  # few parameters: only which axis is asked
            trial = steps.step(trial, f"texture {axis}", r, needed=False)
        except StepFailedError:
            continue
        tried.append(trial)
    if not tried:
        return state
    best = min(tried, key=lambda trial: trial.chi_square)
    try:
        after = steps.step(replace(state, structure=best.structure), name, r, needed=False)
    except StepFailedError:
        return state
    value = after.structure.phases[number].preferred_orientation.r
    sure = value.stderr is not None and abs(value.value - 1) > FEW_ERRORS * value.stderr
    lower = after.result.statistics.rwp < (1 - TEXTURE_PAYS) * state.result.statistics.rwp
    return after if sure and lower and pays(state, after) and not _stopped(after, (r,)) else state


def _moved(steps: Steps, state: State, start: Start) -> State:
    """Return the state with displacements by element and positions free, as far as the data allow and it pays."""
    phase = start.phases[0]
    groups = element_paths(phase, 0)
    heavy = [i for i, z in enumerate(phase.numbers) if z > 1]
    observations = state.result.data_support.n_effective_observations or 0.0
    shared = {tuple(np.round(x, 6)) for x in phase.frac_coords}
    if len(shared) < len(phase):
        return state  # several elements on one site would drift apart
    for name, extra, ties in (
        ("displacement by element", [group[0] for group in groups], tuple(tuple(g) for g in groups if len(g) > 1)),
        ("positions", [f"phases.0.atoms.{i}.dof.*" for i in heavy], None),
    ):
        asked = replace(state, ties=state.ties if ties is None else ties)
        if observations < PER_PARAMETER * _structural(asked, extra):
            continue
        try:
            after = steps.step(asked, name, *extra, needed=False)
        except StepFailedError:
            continue
        stopped = any(p.at_bound and ".atoms." in p.path for p in after.result.parameters)
        if pays(state, after) and not stopped and not _strayed(after, start):
            state = after
    return state


def _structural(state: State, extra: list[str]) -> int:
    """Count the parameters of atoms that would be free."""
    from fnmatch import fnmatchcase

    import rietx

    refinement = rietx.Refinement(
        state.structure.model_copy(deep=True), state.instrument.model_copy(deep=True), history=False
    )
    for group in state.ties:
        refinement.tie_equal(list(group), source=group[0])
    wanted = [path for path in (*state.free, *extra) if ".atoms." in path]
    rows: Any = refinement.parameters()
    return sum(
        1 for row in rows if row.tie is None and not row.locked and any(fnmatchcase(row.path, path) for path in wanted)
    )


def _strayed(state: State, start: Start) -> bool:
    """Whether an atom left its place."""
    given = start.phases[0]
    found = np.array([[a.x.value, a.y.value, a.z.value] for a in state.structure.phases[0].atoms])
    away = (found - given.frac_coords) @ given.lattice
    return bool((np.linalg.norm(away, axis=1) > FARTHEST_ATOM).any())
