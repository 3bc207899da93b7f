"""Stretch the cells of candidates until their lines stand where lines were found, then compare profiles.

The best candidates by fingerprint are asked whether their cell, free within its symmetry, explains the places of the
found lines (`xtal.physics.indexing.nearby`). Those that do best are stretched, fitted to the profile, and fitted once
more reflection by reflection: a framework with other guests shows wrong intensities at low angles and right ones
beyond, a wrong framework of a like cell shows wrong ones everywhere.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer
from search.ranking import STRAIN_MARGIN
from search.ranking.prepared import prepared
from search.verdict.residual import LOW
from search.verdict.scrutiny import Scrutiny
from xtal.crystals import Crystal
from xtal.crystals.lattices import strain_onto
from xtal.patterns import q_from_two_theta
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, Sticks, powder_lines
from xtal.physics.fit import Fit, in_degrees, refine
from xtal.physics.powder import expected_reflections
from xtal.physics.target import Target

if TYPE_CHECKING:
    from search.engine import Engine
    from xtal.physics.indexing.nearby import Near, Places

CANDIDATES, COMPARED, FITTED = 300, 40, 8  # by fingerprint; by the places of their lines; and by their intensities
MOST_STRAIN = 0.08
BEYOND = (LOW / (2 * np.pi)) ** 2  # Å⁻²: where low angles end
WORTH = 40.0  # nats that a full agreement of the intensities is worth where candidates are chosen
STAGES = ((0.010, 3), (0.0, 4))  # blur in Å⁻¹, steps
MOST_WAVES = 3e6  # reflections times atoms of a candidate, some hundredths of a second
FEWEST_LINES = 10  # found: fewer suit any cell
SECONDS = 0.6  # of each half of the work, after which nothing more is begun


@dataclass(frozen=True, eq=False)
class Stretched:
    """A candidate as it suits the pattern best.

    Attributes:
        row: of the entry.
        near: its cell and how well that suits the found lines.
        strain: (3, 3) that takes the entry's lattice to this cell.
        crystal: the strained one.
        fit: of its profile, one row; its strains come on top.
        scrutiny: what it takes to make it fit then.
        similarity: of the fingerprints.
    """

    row: int
    near: "Near"
    strain: NDArray[np.float64]
    crystal: Crystal
    fit: Fit
    scrutiny: Scrutiny
    similarity: float


@dataclass(frozen=True, eq=False)
class Found:
    """All candidates of a pattern: those that were stretched, and the lines they were held against."""

    answer: Answer
    target: Target
    places: "Places"
    stretched: tuple[Stretched, ...]


def find_states(
    engine: "Engine", answer: Answer, allowed: NDArray[np.int64] | None = None, seconds: float = SECONDS
) -> Found | None:
    """Stretch the candidates of an answer; None where nothing can be told.

    Args:
        engine: that answered.
        answer: with a fitted first hit.
        allowed: rows that pass a filter; None lets all pass.
        seconds: CPU time of this thread for each half of the work.
    """
    from xtal.physics.indexing.nearby import Places
    from xtal.physics.indexing.resolving import resolve

    first, pattern = answer.hits[0], answer.pattern
    target = prepared(pattern, answer.lines).grown(first.growth)
    resolved = resolve(Sample(pattern, target.source[2], answer.lines))
    if len(resolved.angle) < FEWEST_LINES:
        return None
    places = Places.of(resolved)
    if len(places.q) < FEWEST_LINES:
        return None
    vectors = engine.embedder.embed_patterns([answer.lines])
    rows = engine.nearest(vectors, CANDIDATES, allowed)
    suited = _suited(engine, rows, places, seconds)
    stretched = _compared(engine, target, suited, first.second, vectors[0], seconds)
    return Found(answer, target, places, tuple(stretched))


def _suited(engine: "Engine", rows: NDArray[np.int64], places: "Places", seconds: float) -> list[tuple[int, "Near"]]:
    """Return entries with the cells that suit the found lines best, ordered by these and by their intensities."""
    from xtal.physics.indexing.nearby import Known, nearest_lattice

    begun, found = time.thread_time(), []
    for row in rows.tolist():
        known = Known.of(engine.index.crystal(row).lattice, engine.index.lines[row], float(places.q[-1]))
        if known is not None:
            found.append((row, nearest_lattice(known, places)))
        if time.thread_time() - begun > seconds:
            break
    best = sorted(found, key=lambda pair: -pair[1].score)[:COMPARED]
    return sorted(best, key=lambda pair: -pair[1].score - WORTH * pair[1].agreement(places, BEYOND))


def _compared(
    engine: "Engine",
    target: Target,
    suited: Sequence[tuple[int, "Near"]],
    second: float,
    vector: NDArray[np.float32],
    seconds: float,
) -> list[Stretched]:
    """Fit the best to the profile, in their cells, and look at each reflection by reflection."""
    end = float(q_from_two_theta(target.two_theta[-1], target.wavelength)) * STRAIN_MARGIN
    chosen: list[tuple[int, Near, NDArray[np.float64], Crystal]] = []
    for row, near in suited:
        crystal = engine.index.crystal(row)
        moved = strain_onto(crystal.lattice, near.lattice, MOST_STRAIN)
        if moved is not None and expected_reflections(crystal, end) * len(crystal) < MOST_WAVES:
            chosen.append((row, near, moved[0], strained(crystal, moved[0])))
        if len(chosen) == FITTED:
            break
    if not chosen:
        return []
    begun = time.thread_time()
    table = LineTable.stack([powder_lines(one[3], end, wavelength=target.wavelength) for one in chosen])
    sticks, fit = Sticks.of(table, np.arange(len(chosen)), target.wavelength, end), Fit.start(len(chosen))
    for blur, steps in STAGES:
        fit = refine(target, sticks, in_degrees(blur, target.wavelength), steps, fit, second=second)
    made = []
    for place, (row, near, strain, crystal) in enumerate(chosen):
        own = fit.take(np.array([place]))
        scrutiny = Scrutiny.of_crystal(target, crystal, own.parameters[0], second)
        similarity = float(vector @ engine.index.vectors.reconstruct(row))
        made.append(Stretched(row, near, strain, crystal, own, scrutiny, similarity))
        if time.thread_time() - begun > seconds:
            break
    return made


def strained(crystal: Crystal, strain: NDArray[np.float64]) -> Crystal:
    """Return a crystal with another lattice, ``L' = L (1 + ε)``, its atoms at the same fractions of the cell."""
    return Crystal(crystal.lattice @ (np.eye(3) + strain), crystal.frac_coords, crystal.numbers, crystal.occupancies)
