"""A state of rietx as our own result."""

from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.cell import cell_lattice
from xtal.crystals.conventional import Conventional
from xtal.refinement.asked import Beam, Choices, Observed, Start
from xtal.refinement.refined import Agreement, RefinedPhase, Refinement, Texture, Value
from xtal.refinement.remarks import remarks_on
from xtal.refinement.rietx_model import CELL, in_words, profile_of
from xtal.refinement.rietx_plan import Outcome
from xtal.refinement.rietx_steps import State
from xtal.refinement.voids import is_porous

B_TO_U = 1 / (8 * np.pi**2)
CORRELATED = 0.95


def read(
    outcome: Outcome, start: Start, observed: Observed, beam: Beam, choices: Choices, seconds: float
) -> Refinement:
    """Return what a refinement of `start` ended with."""
    state, result = outcome.state, outcome.state.result
    names = [phase.name or f"phase {i}" for i, phase in enumerate(start.phases, 1)]
    free = choices.mode != "rietveld"
    phases = tuple(_phase(state, start, i, free) for i in range(len(start.phases)))
    displaced = "instrument.geometry.sample_displacement" in state.free
    numbers, support = result.statistics, result.data_support
    found = Refinement(
        program=f"rietx {version('rietx')}",
        mode=choices.mode,
        finished=outcome.finished,
        phases=phases,
        agreement=Agreement(
            r_wp=float(numbers.rwp),
            r_wp_net=_maybe(numbers.rwp_background_subtracted),
            r_exp=float(numbers.rexp),
            gof=float(numbers.gof),
            points=int(numbers.n_points),
            parameters=int(numbers.n_free_parameters),
            reflections=0 if support is None else int(support.n_unique_reflections),
        ),
        zero_shift=_value(state.instrument.zero_shift),
        displacement=_value(state.instrument.geometry.sample_displacement) if displaced else None,
        profile=profile_of(result),
        steps=state.steps,
        at_bounds=tuple(in_words(p.path, names) for p in result.parameters if p.at_bound),
        correlations=_correlations(result, names),
        remarks=outcome.remarks,
        wavelengths=tuple(w for w, _ in beam.lines),
        seconds=seconds,
    )
    return replace(found, remarks=(*outcome.remarks, *remarks_on(found, observed)))


def _phase(state: State, start: Start, number: int, free: bool) -> RefinedPhase:
    """Return phase `number`; `free` intensities say nothing of weight and atoms."""
    given, model, result = start.phases[number], state.structure.phases[number], state.result
    values = [getattr(model.cell, name) for name in CELL]
    structure, errors = _structure(given, model, [v.value for v in values])
    quantity = None if free or result.qpa is None else result.qpa.phases[number]
    agreement = result.phase_agreement[number] if number < len(result.phase_agreement) else None
    oriented = model.preferred_orientation
    displacement = tuple(_value(atom.biso, B_TO_U) for atom in model.atoms)
    single = len(start.phases) == 1
    share = None
    if quantity is not None and quantity.weight_fraction is not None:
        share = Value(quantity.weight_fraction, None if single else quantity.weight_fraction_stderr)
    ticks = np.unique(np.array(result.ticks.get(model.name, []), dtype=np.float64).round(4))
    return RefinedPhase(
        structure=structure,
        cell=_cell(values, given),
        errors=errors,
        displacement=displacement,
        share=share,
        r_bragg=None if free or agreement is None else _maybe(agreement.r_bragg),
        texture=None if oriented is None else Texture(tuple(oriented.axis), _value(oriented.r)),
        ticks=ticks,
        porous=is_porous(structure.whole()),
        moved=bool(np.isfinite(errors).any()),
    )


def _structure(given: Conventional, model: Any, cell: list[float]) -> tuple[Conventional, NDArray[np.float64]]:
    """Return the refined structure, and the uncertainties of its coordinates."""
    places = [[atom.x, atom.y, atom.z] for atom in model.atoms]
    frac = np.array([[p.value for p in place] for place in places])
    errors = np.array([[np.nan if p.stderr is None else p.stderr for p in place] for place in places])
    moved = np.abs(frac - given.frac_coords).max() > 0
    return replace(given, lattice=cell_lattice(cell), frac_coords=frac - np.floor(frac)), (
        errors if moved else np.full_like(errors, np.nan)
    )


def _cell(values: list[Any], given: Conventional) -> tuple[Value, ...]:
    """Return the cell; lengths that symmetry makes one share one uncertainty."""
    found = [_value(v) for v in values]
    for i in range(3):
        if found[i].error is None:
            like = [
                v for v, length in zip(found[:3], given.cell[:3], strict=True) if length == given.cell[i] and v.error
            ]
            found[i] = replace(found[i], error=like[0].error if like else None)
    return tuple(found)


def _value(parameter: Any, factor: float = 1.0) -> Value:
    error = None if parameter.stderr is None else float(parameter.stderr) * factor
    return Value(float(parameter.value) * factor, error)


def _maybe(value: Any) -> float | None:
    return None if value is None else float(value)


def _correlations(result: Any, names: list[str]) -> tuple[tuple[str, str, float], ...]:
    pairs = () if result.identifiability is None else result.identifiability.top_correlations
    return tuple(
        (in_words(pair.path_a, names), in_words(pair.path_b, names), float(pair.rho))
        for pair in pairs
        if abs(pair.rho) > CORRELATED
    )
