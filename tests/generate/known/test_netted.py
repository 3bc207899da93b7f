"""Frameworks that no database holds, in nets by rule, from their pattern, their atoms and their cell."""

from dataclasses import replace

import numpy as np
import pytest

import models
from generate.benchmark.matching import match_all
from generate.knowledge import linker_kinds
from generate.known import Builder
from generate.known.archetypes import archetypes
from generate.known.centring import in_lattice
from generate.known.exchange import exchanged, in_net, plans
from generate.known.isoreticular import Key, Recipe, recipes
from generate.known.nets import nets_in
from generate.known.shelf import Shelf, lone_linkers
from generate.known.starts import _usual
from generate.parts import Library
from xtal.crystals import Crystal, take_apart
from xtal.patterns.sample import Sample
from xtal.physics import PAPER_SCAN, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

VANADIUM, ZINC = 23, 30
ACIDS = ("BDC", "BPDC")
DRAWN = replace(Artefacts.draw(0.0, np.random.default_rng(0)), fwhm=0.1, eta=0.5, counts=20_000.0)


def assembled(host: Crystal, names: tuple[str, ...], skew: float, folds: int) -> Crystal:
    """Linkers in a host, its last two vectors made less upright, as so many nets in each other."""
    every = np.array([1, 6, 7, 8])
    linkers = {row: lone_linkers(linker_kinds(name), every)[0] for row, name in enumerate(names)}
    (plan, *_) = plans(take_apart(host), [((row,), linker) for row, linker in linkers.items()])
    lattice = plan.lattice.copy()
    lattice[1] += skew * lattice[0] * np.linalg.norm(lattice[1]) / np.linalg.norm(lattice[0])
    lattice[1] *= np.linalg.norm(plan.lattice[1]) / np.linalg.norm(lattice[1])
    crystal = exchanged(in_net(plan, lattice), linkers)
    return in_lattice(crystal, np.vstack([crystal.lattice.sum(axis=0) / folds, crystal.lattice[1:]]))


def of(lattice: np.ndarray, zero_shift: float) -> IndexedCell:
    volume = float(abs(np.linalg.det(lattice)))
    return IndexedCell(lattice, lattice, "P", "triclinic", volume, zero_shift, 20.0, 20, 0.1, 0.0, 0.97)


@pytest.mark.parametrize(
    ("truth", "zero"),
    [
        (assembled(archetypes(ZINC)[1], (*ACIDS, "bpy"), 0.12, 2), 0.0),
        (assembled(archetypes(VANADIUM)[2], ACIDS, 0.0, 1), 0.06),
    ],
    ids=["two sheared nets of paddle wheels", "rods of octahedra"],
)
def test_a_framework_is_assembled_in_the_net_of_its_cell(truth, zero):
    numbers = np.sort(truth.numbers).astype(np.int64)
    sample = Sample.of(
        apply(replace(DRAWN, zero_shift=zero), reflections(truth, 2.3), np.random.default_rng(1), PAPER_SCAN)
    )
    embedder = models.load("profile")
    vector = embedder.embed_patterns([sample.lines])[0]
    cells = [of(reduced(truth.lattice), zero)]
    builder = Builder(embedder, sample, vector, (), (), (), Library.load().without(numbers), cells)
    found = builder.build(numbers, 5)
    assert found[0].id.endswith("with other linkers, interpenetrated") == (truth.numbers == ZINC).any()
    errors = [match[0].rmse for match in match_all([(start.crystal, truth) for start in found], workers=1)]
    assert errors[0] is not None
    assert min(error for error in errors if error is not None) < 0.2


def test_linkers_that_reach_in_a_net_are_tried_in_known_frameworks_too():
    by_rule = take_apart(archetypes(ZINC)[1])
    truth = assembled(archetypes(ZINC)[1], (*ACIDS, "bpy"), 0.0, 1)
    numbers = np.sort(truth.numbers).astype(np.int64)
    linkers = [lone_linkers(linker_kinds(name), numbers)[0] for name in (*ACIDS, "bpy")]
    shelf = Shelf.of([by_rule], numbers, spare=linkers)
    sets: dict[Key, list[Recipe]] = {}
    for recipe in recipes([by_rule, by_rule], shelf, numbers, nets_in([of(reduced(truth.lattice), 0.0)]), 1):
        sets.setdefault(recipe.key, []).append(recipe)
    (reaching,) = {recipe.key for found in sets.values() for recipe in found if recipe.nets}
    chosen = [recipe for recipe in _usual(sets.values()) if recipe.key == reaching]
    assert {(recipe.host, bool(recipe.nets)) for recipe in chosen} == {(0, True), (1, False)}
