"""A start as rietx's objects, and its parameters by names that people read."""

import re
from typing import Any

import gemmi
import numpy as np

from xtal.crystals.conventional import Conventional
from xtal.patterns.wavelengths import HC
from xtal.physics.powder import U_ISO
from xtal.refinement.asked import Beam, Observed, Start
from xtal.refinement.refined import RADIUS, Profile

TERMS = 10  # of the polynomial that corrects the estimated background
DISPLACEMENT = 8 * np.pi**2 * U_ISO  # Å², B of all atoms at first
MOST_DISPLACED = 20.0  # Å², B of a molecule that hardly holds on
FIRST_SCALE = 1e-3
OF_WIDTH = 0.6  # a Gaussian and a Lorentzian part of so much of a width make about that width
POLARISED = 0.99  # share of a synchrotron's beam that is polarised in the plane of the ring
CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_WORDS = {
    "instrument.zero_shift": "zero shift",
    "instrument.geometry.sample_displacement": "sample displacement",
    "instrument.profile.w": "line width W",
    "instrument.profile.u": "line width U",
    "instrument.profile.x": "line width X",
    "instrument.profile.y": "line width Y",
}
_OF_PHASE = {"scale": "scale", "lor_size": "line width (size)", "preferred_orientation.r": "texture r"}


def structure_of(start: Start) -> Any:
    """Return the phases as a ``rietx.Structure``."""
    import rietx

    return rietx.Structure(phases=[_phase(phase, i) for i, phase in enumerate(start.phases)])


def instrument_of(start: Start, observed: Observed, beam: Beam) -> Any:
    """Return beam, geometry, line widths and background as a ``rietx.Instrument``."""
    import rietx
    from rietx.schemas.instrument import Dispersion, EmissionLine, Geometry, ProfileTCHZ, Source

    number = rietx.Parameter
    lines = [EmissionLine(wavelength=w, weight=number(value=k, min=0.0)) for w, k in beam.lines]
    polarisation = number(value=0.5 if beam.laboratory else POLARISED, min=0.0, max=1.0)
    flat = Geometry(kind="bragg_brentano", goniometer_radius_mm=RADIUS)
    part = OF_WIDTH * start.width
    profile = ProfileTCHZ()
    profile.w.value, profile.x.value, profile.u.value = part**2, part, start.growth * part**2
    background = rietx.BackgroundFixedPlusChebyshev(
        fixed_two_theta=observed.two_theta.tolist(),
        fixed_intensity=observed.background.tolist(),
        chebyshev=rietx.BackgroundChebyshev(coefficients=[number(value=0.0) for _ in range(TERMS)]),
    )
    dispersion = Dispersion(overrides=anomalous_terms(start, beam.lines[0][0]))
    return rietx.Instrument(
        source=Source(lines=lines, polarization=polarisation, dispersion=dispersion),
        geometry=flat if beam.laboratory else Geometry(kind="debye_scherrer"),
        zero_shift=number(value=start.zero_shift),
        profile=profile,
        background=background,
    )


def anomalous_terms(start: Start, wavelength: float) -> dict[str, tuple[float, float]]:
    """Return f' and f'' of each element at `wavelength` (Å), the same as elsewhere here (Cromer and Liberman, 1981).

    rietx has them too, but refuses where an absorption edge is near, as that of europium is to copper's Kα.
    """
    numbers = np.unique(np.concatenate([phase.numbers for phase in start.phases]))
    energy = HC * 1000 / wavelength  # eV
    terms = {}
    for number in map(int, numbers):
        real, imaginary = gemmi.cromer_liberman(number, energy)
        terms[gemmi.Element(number).name] = (float(real), float(imaginary))
    return terms


def data_of(observed: Observed) -> Any:
    """Return the points as ``rietx.PatternData``."""
    import rietx

    return rietx.PatternData(
        two_theta=observed.two_theta.tolist(), intensity=observed.intensity.tolist(), sigma=observed.sigma.tolist()
    )


def profile_of(result: Any) -> Profile:
    """Return the profile of rietx's result."""
    names = ("two_theta", "y_obs", "y_calc", "y_background", "sigma")
    return Profile(*(np.array(getattr(result, name), dtype=np.float64) for name in names))


def element_paths(phase: Conventional, number: int) -> list[list[str]]:
    """Return the displacement parameters of each element of phase `number`, which are one parameter."""
    elements = sorted(set(phase.numbers.tolist()))
    return [
        [f"phases.{number}.atoms.{i}.biso" for i, z in enumerate(phase.numbers) if z == element] for element in elements
    ]


def in_words(path: str, names: list[str]) -> str:
    """Say what a parameter of rietx is; `names` are those of the phases."""
    if path in _WORDS:
        return _WORDS[path]
    if path.startswith("instrument.background"):
        return f"background term {path.rsplit('.', 1)[-1].lstrip('c')}"
    found = re.fullmatch(r"phases\.(\d+)\.(.+)", path)
    if found is None:
        return path
    what, of = found[2], f" of {names[int(found[1])]}" if len(names) > 1 else ""
    if what.startswith("cell."):
        return what.removeprefix("cell.") + of
    if what.startswith("atoms."):
        _, atom, rest = what.split(".", 2)
        kind = "displacement" if rest == "biso" else "position"
        return f"{kind} of atom {int(atom) + 1}{of}"
    return _OF_PHASE.get(what, what) + of


def _phase(phase: Conventional, number: int) -> Any:
    """Return one phase; its name is unique by its number."""
    import rietx

    value = rietx.Parameter
    atoms = [
        rietx.Atom(
            label=f"{gemmi.Element(int(z)).name}{i}",
            species=gemmi.Element(int(z)).name,
            x=value(value=float(x)),
            y=value(value=float(y)),
            z=value(value=float(w)),
            occ=value(value=float(occupancy), min=0.0, max=1.0),
            biso=value(value=DISPLACEMENT, min=0.0, max=MOST_DISPLACED),
        )
        for i, (z, (x, y, w), occupancy) in enumerate(
            zip(phase.numbers, phase.frac_coords, phase.occupancies, strict=True), 1
        )
    ]
    cell = rietx.Cell(**{name: value(value=float(v)) for name, v in zip(CELL, phase.cell, strict=True)})
    return rietx.Phase(
        name=f"phase {number + 1}",
        space_group=phase.group.xhm(),
        cell=cell,
        atoms=atoms,
        scale=value(value=FIRST_SCALE, min=0.0),
        lor_size=value(value=0.0, min=0.0),
    )
