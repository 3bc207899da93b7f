"""Frameworks cut into parts and laid out as problems, with what a search is not told."""

from functools import cache
from pathlib import Path

import numpy as np
import spglib

from generate.parts import Chemistry
from generate.parts.chemistry import measured
from generate.parts.survey import survey
from generate.solving.assign import Need
from generate.solving.problem import Placed, Problem, Setting
from generate.solving.roots import Roots
from generate.solving.sites import sites
from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.parts import Part, cut
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

FAMILIES = CrystalTable.load(Path(__file__).parents[2] / "data" / "core_mof_families.npz")
STILL = (np.array([1.0, 0, 0, 0]), np.eye(4))


def alone(lattice) -> Setting:
    """A cell without symmetry."""
    return Setting(np.asarray(lattice, float), np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))


def symmetric(crystal: Crystal, tolerance: float = 0.05) -> Setting:
    """The cell of a crystal with its group."""
    found = spglib.get_symmetry((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=tolerance)
    return Setting(crystal.lattice, found["rotations"].astype(np.int64), found["translations"])


def clean_sample(crystal: Crystal, seed: int = 0) -> Sample:
    """A simulated pattern without artefacts."""
    return Sample.of(simulate_all([crystal], 0.0, seed)[0])


@cache
def usual_chemistry() -> Chemistry:
    """What the frameworks of the test data say of bonds and contacts."""
    seen = [survey(FAMILIES[row]) for row in range(len(FAMILIES))]
    return measured(
        *(np.concatenate([getattr(one, name) for one in seen]) for name in ("bonds", "coordination", "contacts"))
    )


def where_it_is(crystal: Crystal, sample: Sample) -> tuple[Problem, np.ndarray]:
    """All parts of a crystal as a problem without symmetry, and the pose in which they are the crystal."""
    setting, pieces = alone(crystal.lattice), cut(crystal).pieces
    general = sites(setting.rotations, setting.translations)[0]
    placed = [Placed((piece.part,), general, *STILL) for piece in pieces]
    problem = Problem.of(setting, placed, Roots.of(sample, crystal.lattice, setting.rotations), usual_chemistry())
    centres = [((crystal.frac_coords[p.atoms] + p.cell) @ crystal.lattice).mean(axis=0) for p in pieces]
    pose = [[*centre, 2 * radius, 0, 0, 0] for centre, radius in zip(centres, problem.radius, strict=True)]
    return problem, np.concatenate(pose)


def needs_of(crystal: Crystal, seed: int = 0) -> tuple[Need, ...]:
    """The parts of a crystal, one of each kind, turned at random, with their numbers."""
    rng = np.random.default_rng(seed)
    kinds: dict[str, list[Part]] = {}
    for piece in cut(crystal).pieces:
        kinds.setdefault(piece.part.key, []).append(piece.part)
    found = []
    for parts in kinds.values():
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        turn *= np.linalg.det(turn)
        first = parts[0]
        turned = Part(first.numbers, first.position @ turn.T, first.bonds, first.donors, first.key)
        found.append(Need((turned,), len(parts)))
    return tuple(found)
