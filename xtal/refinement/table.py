"""A refinement as rows to show, as data for programs, and its profile as columns."""

from typing import Any

from xtal.refinement.cif import percent
from xtal.refinement.refined import RADIUS, RefinedPhase, Refinement, Value

CELL = ("a", "b", "c", "alpha", "beta", "gamma")
SIGNS = ("a", "b", "c", "α", "β", "γ")
COLUMNS = "two_theta,observed,calculated,background,difference,sigma"


def fit_rows(found: Refinement) -> list[tuple[str, str]]:
    """Return what is said of the whole fit, as pairs of a name and a text."""
    fit = found.agreement
    rows = [
        ("Rwp", f"{fit.r_wp:.1%}"),
        ("Rwp above the background", "" if fit.r_wp_net is None else f"{fit.r_wp_net:.1%}"),
        ("Rexp", f"{fit.r_exp:.1%}"),
        ("GoF", f"{fit.gof:.2f}"),
        ("Points, parameters, reflections", f"{fit.points:,}, {fit.parameters}, {fit.reflections:,}"),
    ]
    if found.displacement is None:
        rows.append(("Zero shift (°)", str(found.zero_shift)))
    else:
        rows.append((f"Sample displacement (mm, of {RADIUS} mm radius)", str(found.displacement)))
    return [row for row in rows if row[1]]


def phase_rows(phase: RefinedPhase) -> list[tuple[str, str]]:
    """Return what is said of one phase, as pairs of a name and a text."""
    structure = phase.structure
    alike = [i for i in range(3) if phase.cell[i] not in phase.cell[:i]]  # lengths that symmetry makes one stand once
    free = [*alike, *(i for i in range(3, 6) if phase.cell[i].error is not None)]
    rows = [
        ("Space group", structure.group.xhm()),
        *((f"{SIGNS[i]} ({'Å' if i < 3 else '°'})", str(phase.cell[i])) for i in free),
        ("Volume (Å³)", str(phase.volume)),
        ("Weight share (%)", "" if phase.share is None or phase.share.error is None else str(percent(phase.share))),
        ("R_Bragg", "" if phase.r_bragg is None else f"{phase.r_bragg:.1%}"),
    ]
    if phase.texture is not None:
        axis = " ".join(map(str, phase.texture.axis))
        rows.append(("Texture", f"March-Dollase r = {phase.texture.r} about [{axis}]*"))
    return [row for row in rows if row[1]]


def as_text(found: Refinement) -> str:
    """Return the whole as lines for a terminal."""
    lines = [f"{name}: {text}" for name, text in fit_rows(found)]
    for number, phase in enumerate(found.phases, 1):
        title = phase.structure.name or f"phase {number}"
        lines += ["", title, *(f"  {name}: {text}" for name, text in phase_rows(phase))]
    lines += ["", f"refined by {found.program} in {found.seconds:.1f} s: {', '.join(found.steps)}"]
    return "\n".join([*lines, *(f"  - {sentence}" for sentence in found.remarks)])


def as_data(found: Refinement) -> dict[str, Any]:
    """Return the whole as data for JSON, without the profile."""
    fit = found.agreement
    return {
        "program": found.program,
        "mode": found.mode,
        "finished": found.finished,
        "r_wp": fit.r_wp,
        "r_wp_net": fit.r_wp_net,
        "r_exp": fit.r_exp,
        "gof": fit.gof,
        "points": fit.points,
        "parameters": fit.parameters,
        "reflections": fit.reflections,
        "zero_shift": _value(found.zero_shift),
        "displacement": None if found.displacement is None else _value(found.displacement),
        "wavelengths": list(found.wavelengths),
        "phases": [_phase_data(phase) for phase in found.phases],
        "steps": list(found.steps),
        "at_bounds": list(found.at_bounds),
        "correlations": [list(pair) for pair in found.correlations],
        "remarks": list(found.remarks),
        "seconds": found.seconds,
    }


def profile_csv(found: Refinement) -> str:
    """Return the profile as columns: 2θ in degrees, and intensities as measured."""
    profile = found.profile
    columns = (profile.two_theta, profile.observed, profile.calculated, profile.background, profile.difference)
    rows = zip(*columns, profile.sigma, strict=True)
    return "\n".join([COLUMNS, *(f"{t:.5f}," + ",".join(f"{v:.6g}" for v in rest) for t, *rest in rows)]) + "\n"


def _phase_data(phase: RefinedPhase) -> dict[str, Any]:
    texture = phase.texture
    return {
        "name": phase.structure.name,
        "formula": phase.structure.formula,
        "space_group": phase.structure.group.xhm(),
        "number": phase.structure.group.number,
        "cell": {name: _value(value) for name, value in zip(CELL, phase.cell, strict=True)},
        "volume": _value(phase.volume),
        "share": None if phase.share is None else _value(phase.share),
        "r_bragg": phase.r_bragg,
        "texture": None if texture is None else {"axis": list(texture.axis), "r": _value(texture.r)},
        "positions_refined": phase.moved,
        "porous": phase.porous,
    }


def _value(value: Value) -> dict[str, float | None]:
    return {"value": value.value, "error": value.error}
