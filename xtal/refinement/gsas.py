"""Refinement by GSAS-II, where it is installed: the same start, the same result.

Scale, background, cell, zero shift and widths are refined; atoms, displacements and texture stay as they are. GSAS-II
cannot be broken off, so the time is looked at between its steps.
"""

import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from xtal.crystals.cell import NAMES as CELL_NAMES
from xtal.crystals.cell import cell_lattice
from xtal.crystals.cif.conventional import write_conventional
from xtal.errors import UserError
from xtal.physics.gsas import session
from xtal.physics.powder import U_ISO
from xtal.refinement.asked import Beam, Choices, Observed, Start
from xtal.refinement.refined import Agreement, Profile, RefinedPhase, Refinement, Value
from xtal.refinement.remarks import remarks_on
from xtal.refinement.voids import is_porous

TERMS = 10  # of the background
CYCLES = 8
OF_WIDTH = 0.6  # a Gaussian and a Lorentzian part of so much of a width make about that width
FWHM = np.sqrt(8 * np.log(2))  # full width at half maximum of a Gaussian over its standard deviation
CENTI = 100  # hundredths of a degree, GSAS-II's unit of widths
INSTEAD = "refine with rietx, which comes with Xtalscout"
ATOMS = "GSAS-II was asked for scale, background, cell, zero shift and widths only: no texture, no displacements"


def refine_with_gsas(start: Start, observed: Observed, beam: Beam, choices: Choices) -> Refinement:
    """Refine with GSAS-II.

    Raises:
        UserError: it is not installed, or the mode is not rietveld.
    """
    if choices.mode != "rietveld":
        raise UserError(f"mode {choices.mode} goes through rietx only; ask for rietveld, or for the program rietx")
    began = time.monotonic()
    with session(INSTEAD) as (scriptable, folder):
        project, histogram, phases = _project(scriptable, folder, start, observed, beam)
        done = _refined(project, histogram, phases, began + choices.seconds)
        return _read(project, histogram, phases, start, observed, beam, done, began)


def _project(scriptable: Any, folder: Path, start: Start, observed: Observed, beam: Beam) -> tuple[Any, Any, list[Any]]:
    """Return a project with the pattern as its histogram and the phases linked to it."""
    points, instrument = folder / "pattern.xye", folder / "instrument.instprm"
    np.savetxt(points, np.column_stack([observed.two_theta, observed.intensity, observed.sigma]), fmt="%.6f")
    instrument.write_text(_instrument(start, beam))
    project = scriptable.G2Project(newgpx=str(folder / "project.gpx"))
    histogram = project.add_powder_histogram(str(points), str(instrument), fmthint="xye")
    phases = []
    for number, phase in enumerate(start.phases, 1):
        file = folder / f"phase{number}.cif"
        plain = phase.group.hm  # GSAS-II takes the origin and the axes of the reference setting without being told
        file.write_text(write_conventional(phase).replace(phase.group.xhm(), plain))
        phases.append(project.add_phase(str(file), phasename=f"phase{number}", histograms=[histogram], fmthint="CIF"))
    project.set_Controls("cycles", CYCLES)
    return project, histogram, phases


def _instrument(start: Start, beam: Beam) -> str:
    """Return an instrument parameter file; widths in hundredths of a degree."""
    part = OF_WIDTH * start.width * CENTI
    first, *second = beam.lines
    lines = ["#GSAS-II instrument parameter file", "Type:PXC", "Bank:1.0"]
    if second:
        lines += [f"Lam1:{first[0]}", f"Lam2:{second[0][0]}", f"I(L2)/I(L1):{second[0][1]}"]
    else:
        lines.append(f"Lam:{first[0]}")
    polarised = 0.5 if beam.laboratory else 0.99
    lines += [f"Zero:{start.zero_shift:.5f}", f"Polariz.:{polarised}", "U:0.0", "V:0.0"]
    lines += [f"W:{(part / FWHM) ** 2:.4f}", f"X:{part:.4f}", "Y:0.0", "Z:0.0", "SH/L:0.002", "Azimuth:0.0"]
    return "\n".join(lines) + "\n"


def _refined(project: Any, histogram: Any, phases: list[Any], end: float) -> tuple[str, ...]:
    """Refine step by step until the time is up; return the names of the steps that were done."""
    done: list[str] = []
    for name in ("scale and background", "cell and zero shift", "line width"):
        if done and time.monotonic() > end:
            break
        if name == "scale and background":
            histogram.set_refinements({"Background": {"no. coeffs": TERMS, "refine": True}})
            if len(phases) > 1:  # the phases' own scales, relative to the histogram's
                histogram.data["Sample Parameters"]["Scale"][1] = False
                for phase in phases:
                    phase.set_HAP_refinements({"Scale": True}, histograms=[histogram])
        elif name == "cell and zero shift":
            histogram.set_refinements({"Instrument Parameters": ["Zero"]})
            for phase in phases:
                phase.set_refinements({"Cell": True})
        else:
            histogram.set_refinements({"Instrument Parameters": ["W", "X"]})
        project.refine()
        done.append(name)
    return tuple(done)


def _read(
    project: Any,
    histogram: Any,
    phases: list[Any],
    start: Start,
    observed: Observed,
    beam: Beam,
    done: tuple[str, ...],
    began: float,
) -> Refinement:
    """Return the refined project as our own result."""
    values = project.data["Covariance"]["data"]["Rvals"]
    x, observed_y, calculated, background = (
        np.asarray(histogram.getdata(name)) for name in ("x", "yobs", "ycalc", "background")
    )
    profile = Profile(x, observed_y, calculated, background, _sigma(histogram))
    shares = histogram.ComputeMassFracs() if len(phases) > 1 else {}
    found = tuple(
        _phase(phase, number, histogram, start, shares, single=len(phases) == 1) for number, phase in enumerate(phases)
    )
    r_wp, r_exp = histogram.get_wR() / 100, float(histogram.residuals.get("wRmin", np.nan)) / 100
    net = histogram.residuals.get("wRb")
    result = Refinement(
        program=_program(),
        mode="rietveld",
        finished=len(done) == 3,
        phases=found,
        agreement=Agreement(
            r_wp=float(r_wp),
            r_wp_net=None if net is None else float(net) / 100,
            r_exp=r_exp,
            gof=float(values.get("GOF", r_wp / r_exp)),
            points=int(values.get("Nobs", len(profile.two_theta))),
            parameters=int(values.get("Nvars", 0)),
            reflections=sum(len(phase.ticks) for phase in found),
        ),
        zero_shift=_zero_shift(project, histogram),
        displacement=None,
        profile=profile,
        steps=done,
        at_bounds=(),
        correlations=(),
        remarks=(),
        wavelengths=tuple(w for w, _ in beam.lines),
        seconds=time.monotonic() - began,
    )
    return _remarked(result, observed)


def _remarked(result: Refinement, observed: Observed) -> Refinement:
    said = [] if result.finished else ["the time was up before all was refined: this is the last good state"]
    return replace(result, remarks=(*said, ATOMS, *remarks_on(result, observed)))


def _phase(phase: Any, number: int, histogram: Any, start: Start, shares: dict[str, Any], single: bool) -> RefinedPhase:
    given = start.phases[number]
    cell, errors = phase.get_cell_and_esd()
    values = tuple(Value(float(cell[name]), _error(errors.get(name))) for name in CELL_NAMES)
    structure = replace(given, lattice=cell_lattice([value.value for value in values]))
    share = Value(1.0) if single else Value(*map(float, shares[phase.name]))
    bragg = next((v for k, v in histogram.residuals.items() if k.startswith(f"{number}:") and k.endswith("Rf^2")), None)
    reflections = np.asarray(histogram.reflections()[phase.name]["RefList"])
    return RefinedPhase(
        structure=structure,
        cell=values,
        errors=np.full((len(given), 3), np.nan),
        displacement=tuple(Value(U_ISO) for _ in given.numbers),
        share=share,
        r_bragg=None if bragg is None else float(bragg) / 100,
        texture=None,
        ticks=np.unique(reflections[:, 5].round(4)),
        porous=is_porous(structure.whole()),
        moved=False,
    )


def _zero_shift(project: Any, histogram: Any) -> Value:
    """Return the zero shift; that a project knows of its last refinement depends on the version of GSAS-II."""
    known = project.data["Covariance"]["data"]
    errors = dict(zip(known.get("varyList", ()), known.get("sig", ()), strict=False))
    _, value, _ = histogram.data["Instrument Parameters"][0]["Zero"]
    return Value(float(value), _error(errors.get(":0:Zero")))


def _sigma(histogram: Any) -> np.ndarray:
    weight = np.asarray(histogram.getdata("yweight"))
    return np.where(weight > 0, 1 / np.sqrt(np.maximum(weight, 1e-30)), np.inf)


def _error(value: Any) -> float | None:
    return None if value is None or not value > 0 else float(value)


def _program() -> str:
    try:
        return f"GSAS-II {version('GSAS-II')}"
    except PackageNotFoundError:
        return "GSAS-II"
