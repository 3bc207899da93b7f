"""A refinement as a CIF with the items of the powder dictionary (Toby, J. Appl. Cryst. 36 (2003) 1285).

One phase stands in one block with the pattern. Several have a block each, and the pattern another, which links them.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

from xtal.crystals.cif.conventional import CREATOR, block_name, pair, quoted, structure_lines
from xtal.patterns import Pattern
from xtal.patterns.wavelengths import ANODES
from xtal.refinement.refined import RADIUS, RefinedPhase, Refinement, Value, with_uncertainty

METHODS = {"rietveld": "Rietveld Refinement", "lebail": "Le Bail extraction", "pawley": "Pawley refinement"}
DIGITS = 5  # of coordinates that were not refined
ANGLE_DIGITS = 3  # of angles that symmetry fixes
SAME = 1e-3  # relative, of wavelengths


def refinement_cif(found: Refinement, pattern: Pattern, origins: Sequence[str] = (), day: date | None = None) -> str:
    """Write what was refined against `pattern`.

    Args:
        found: the refinement.
        pattern: as measured.
        origins: where each phase came from, in the order of the phases.
        day: of writing, by default today (UTC).
    """
    day = day or datetime.now(UTC).date()
    names = _block_names(found)
    head = [
        f"# Refined against {pattern.source or 'a pattern'} by {CREATOR} through {found.program}, {day.isoformat()}."
    ]
    head += [f"# {name}: {origin}" for name, origin in zip(names, origins, strict=False)]
    head += [f"# {sentence[:1].upper()}{sentence[1:]}." for sentence in found.remarks]
    head = [" ".join(line.split()) for line in head]  # a comment ends with its line
    whole = [*_pattern_lines(found, pattern), *_profile_lines(found)]
    if len(found.phases) == 1:
        only = found.phases[0]
        blocks = [f"data_{names[0]}", *_audit(found, day), *_phase_lines(only), *whole]
    else:
        blocks = []
        for name, phase in zip(names, found.phases, strict=True):
            blocks += [f"data_{name}", pair("_pd_block_id", name), *_audit(found, day), *_phase_lines(phase), ""]
        blocks += ["data_pattern", pair("_pd_block_id", "pattern"), *_audit(found, day)]
        blocks += [*_phase_loop(found, names), *whole]
    return "\n".join([*head, *blocks]).encode("ascii", "replace").decode() + "\n"


def _block_names(found: Refinement) -> list[str]:
    """Return a name for each phase, none of them twice."""
    names: list[str] = []
    for number, phase in enumerate(found.phases, 1):
        name = block_name(phase.structure.name)
        names.append(f"{name}_{number}" if name in (*names, "pattern") else name)
    return names


def _audit(found: Refinement, day: date) -> list[str]:
    return [
        pair("_audit_creation_date", day.isoformat()),
        pair("_audit_creation_method", f"refined by {CREATOR}"),
        pair("_computing_structure_refinement", found.program),
    ]


def _phase_lines(phase: RefinedPhase) -> list[str]:
    """Return structure and agreement of one phase."""
    cell = [
        with_uncertainty(value.value, value.error, DIGITS - 1 if i < 3 else ANGLE_DIGITS)
        for i, value in enumerate(phase.cell)
    ]
    places = [
        [
            with_uncertainty(float(x), None if np.isnan(e) else float(e), DIGITS)
            for x, e in zip(row, errors, strict=True)
        ]
        for row, errors in zip(phase.structure.frac_coords, phase.errors, strict=True)
    ]
    displacement = [with_uncertainty(u.value, u.error) for u in phase.displacement]
    lines = structure_lines(phase.structure, cell, str(phase.volume), places, displacement)
    if phase.r_bragg is not None:
        lines.append(pair("_refine_ls_R_I_factor", f"{phase.r_bragg:.4f}"))
    if phase.texture is None:
        lines.append(pair("_pd_proc_ls_pref_orient_corr", "none"))
    else:
        axis, r = phase.texture.axis, phase.texture.r
        lines.append(
            pair("_pd_proc_ls_pref_orient_corr", f"March-Dollase, axis {axis[0]} {axis[1]} {axis[2]}, r = {r}")
        )
    return lines


def _phase_loop(found: Refinement, names: Sequence[str]) -> list[str]:
    lines = ["loop_", "_pd_phase_block_id", "_pd_phase_name", "_pd_phase_mass_%"]
    for name, phase in zip(names, found.phases, strict=True):
        share = "." if phase.share is None else str(percent(phase.share))
        lines.append(f"{name} {quoted(phase.structure.name or name)} {share}")
    return lines


def percent(value: Value) -> Value:
    """Return a share in per cent."""
    return Value(100 * value.value, None if value.error is None else 100 * value.error)


def _pattern_lines(found: Refinement, pattern: Pattern) -> list[str]:
    """Return what holds for the whole pattern."""
    agreement, profile = found.agreement, found.profile
    step = float(np.median(np.diff(profile.two_theta)))
    lines = [
        *_radiation(found),
        pair("_pd_meas_number_of_points", str(len(pattern))),
        pair("_pd_meas_2theta_range_min", f"{pattern.two_theta[0]:.4f}"),
        pair("_pd_meas_2theta_range_max", f"{pattern.two_theta[-1]:.4f}"),
        pair("_pd_proc_2theta_range_inc", f"{step:.5f}"),
        pair("_pd_proc_number_of_points", str(agreement.points)),
        pair("_pd_calc_method", METHODS[found.mode]),
        pair("_pd_calib_2theta_offset", str(Value(-found.zero_shift.value, found.zero_shift.error))),  # to be added
        pair("_pd_proc_ls_background_function", "estimated curve and a Chebyshev polynomial"),
        pair("_pd_proc_ls_profile_function", "pseudo-Voigt (Thompson, Cox and Hastings, 1987)"),
        pair("_pd_proc_ls_prof_R_factor", f"{profile.r_p:.4f}"),
        pair("_pd_proc_ls_prof_wR_factor", f"{agreement.r_wp:.4f}"),
        pair("_pd_proc_ls_prof_wR_expected", f"{agreement.r_exp:.4f}"),
        pair("_refine_ls_goodness_of_fit_all", f"{agreement.gof:.2f}"),
        pair("_refine_ls_number_parameters", str(agreement.parameters)),
        pair("_refine_ls_number_reflns", str(agreement.reflections)),
        pair("_refine_ls_structure_factor_coef", "Inet"),
        pair("_refine_ls_matrix_type", "full"),
        pair("_refine_ls_weighting_scheme", "sigma"),
    ]
    said = [*(f"Set free: {', '.join(found.steps)}.",), *(f"{s[:1].upper()}{s[1:]}." for s in found.remarks)]
    if found.displacement is not None:
        said.insert(0, f"Sample displacement {found.displacement} mm (goniometer radius {RADIUS} mm), no zero shift.")
    text = "\n".join(said).replace("\n;", "\n ;")
    return [*lines, "_pd_proc_ls_special_details", ";", text, ";"]


def _radiation(found: Refinement) -> list[str]:
    """Return the wavelengths, and the anode where there is one."""
    first = found.wavelengths[0]
    anode = next(
        (name for name, a in ANODES.items() if abs(first / a.ka1 - 1) < SAME or abs(first / a.ka - 1) < SAME), ""
    )
    lines = [pair("_diffrn_radiation_probe", "x-ray")]
    if anode:
        lines.append(pair("_diffrn_radiation_type", f"{anode} K\\a"))
    lines += [
        "loop_",
        "_diffrn_radiation_wavelength_id",
        "_diffrn_radiation_wavelength",
        "_diffrn_radiation_wavelength_wt",
    ]
    return lines + [f"{i} {w:.6f} {1.0 if i == 1 else 0.5:.3f}" for i, w in enumerate(found.wavelengths, 1)]


def _profile_lines(found: Refinement) -> list[str]:
    """Return the refined points as a loop."""
    profile = found.profile
    tags = ("_pd_meas_2theta_scan", "_pd_meas_intensity_total", "_pd_calc_intensity_total")
    columns = (profile.two_theta, profile.observed, profile.calculated, profile.background, profile.sigma**-2)
    rows = (f"{t:.4f} {o:.6g} {c:.6g} {b:.6g} {w:.4g}" for t, o, c, b, w in zip(*columns, strict=True))
    return ["loop_", *tags, "_pd_proc_intensity_bkg_calc", "_pd_proc_ls_weight", *rows]
