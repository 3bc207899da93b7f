"""Simulated patterns of a framework in another pore state: disordered guests in its pores, its cell stretched.

Guests are molecules of common solvents at places in the voids, each smeared out and repeated by the symmetry of the
framework with a small occupancy, as disorder is. Breathing is a strain that the metric symmetry of the cell allows. On
top comes what a laboratory does to a pattern, with larger errors of the intensities, for linkers turn as a framework
breathes.
"""

from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from xtal.crystals import Crystal
from xtal.crystals.lattices import mappings
from xtal.patterns import Pattern, q_from_two_theta
from xtal.patterns.wavelengths import K_ALPHA_2
from xtal.physics import reflections
from xtal.physics.artefacts import Artefacts, Scan, apply
from xtal.refinement.voids import ROOM, void_points

SOLVENTS = (  # heavy atoms of water, methanol, ethanol, DMF, DMSO, acetonitrile, benzene; and a counter-ion
    (8,),
    (8, 6),
    (8, 6, 6),
    (6, 6, 6, 7, 8),
    (6, 6, 8, 16),
    (6, 6, 7),
    (6, 6, 6, 6, 6, 6),
    (17,),
)
DENSITY = (0.13, 0.8)  # electrons per Å³ of the places where a molecule's centre may be; molecules reach beyond them
MOST_SITES = 20  # of the asymmetric unit: few are ordered guests, many a liquid
SMEAR = (0.2, 1.0)  # Å, standard deviation of an atom's place
SIZE = 1.0  # Å, of a molecule
COPIES, MOST_OPERATIONS = 2, 24
BREATH, MOST_BREATH = 0.022, 0.045  # strain: standard deviation of a component, and the largest
SAME_METRIC, SAME_PLACE = 0.005, 0.05  # relative; Å
LINE_ERROR = 0.4  # of ln intensity
WIDTHS, FIRSTS, LASTS = (0.07, 0.25), (2.0, 5.0), (30.0, 50.0)  # degrees 2θ
DOUBLET = 0.7  # of the instruments have Kα2
K_ALPHA_1 = 1.54056  # Å, of copper
MARGIN = 1.06  # of the last q, beyond which strain moves no line into the scan


def in_another_state(crystal: Crystal, rng: Generator) -> Pattern | None:
    """Measure a framework with guests and another cell; None where it has no room for guests."""
    filled = with_guests(crystal, rng)
    if filled is None:
        return None
    widths = np.log(WIDTHS)
    artefacts = replace(
        Artefacts.draw(1.0, rng),
        strain=breathing(crystal, rng),
        line_error=LINE_ERROR,
        fwhm=float(np.exp(rng.uniform(*widths))),
    )
    double = rng.random() < DOUBLET
    scan = Scan(float(rng.uniform(*FIRSTS)), float(rng.uniform(*LASTS)), second=K_ALPHA_2 if double else 0.0)
    scan = scan if double else replace(scan, wavelength=K_ALPHA_1)
    last = float(q_from_two_theta(scan.last, scan.wavelength)) * MARGIN
    return apply(artefacts, reflections(filled, last, wavelength=scan.wavelength), rng, scan)


def with_guests(crystal: Crystal, rng: Generator) -> Crystal | None:
    """Fill the pores of a crystal with disordered molecules; None where there is no room."""
    import spglib

    places, share = void_points(crystal)
    if share < ROOM:
        return None
    found = spglib.get_symmetry((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=SAME_PLACE)
    turns, shifts = (
        (np.eye(3)[None], np.zeros((1, 3))) if found is None else (found["rotations"], found["translations"])
    )
    few = rng.permutation(len(turns))[:MOST_OPERATIONS]
    turns, shifts = turns[few], shifts[few]
    smear, inverse = rng.uniform(*SMEAR), np.linalg.inv(crystal.lattice)
    atoms: list[NDArray[np.float64]] = []
    numbers: list[int] = []
    for _ in range(round(np.exp(rng.uniform(0, np.log(MOST_SITES))))):
        centre = places[rng.integers(len(places))] @ crystal.lattice
        molecule = SOLVENTS[rng.integers(len(SOLVENTS))]
        for number in molecule:
            place = centre + (rng.normal(0, SIZE, 3) if len(molecule) > 1 else 0.0)
            atoms.extend((place + rng.normal(0, smear, (COPIES, 3))) @ inverse)
            numbers.extend([number] * COPIES)
    frac = (np.einsum("rij,nj->nri", turns, np.array(atoms)) + shifts).reshape(-1, 3) % 1.0
    every = np.repeat(numbers, len(turns))
    wanted = rng.uniform(*DENSITY) * share * crystal.volume
    occupancy = np.full(len(every), min(1.0, wanted / every.sum()))
    return Crystal(
        crystal.lattice,
        np.concatenate([crystal.frac_coords, frac % 1.0]),
        np.concatenate([crystal.numbers, every]),
        np.concatenate([crystal.occupancies, occupancy]),
    )


def breathing(crystal: Crystal, rng: Generator) -> NDArray[np.float64]:
    """Draw a strain (3, 3) that keeps the metric symmetry of a crystal's cell."""
    raw = rng.normal(0, BREATH, (3, 3))
    metric = crystal.lattice @ crystal.lattice.T
    turns = np.linalg.inv(crystal.lattice) @ mappings(metric, metric, SAME_METRIC) @ crystal.lattice
    strain = np.mean(turns @ ((raw + raw.T) / 2) @ turns.swapaxes(1, 2), axis=0)
    largest = float(np.abs(np.linalg.eigvalsh(strain)).max())
    return np.asarray(strain * min(1.0, MOST_BREATH / max(largest, 1e-9)))
