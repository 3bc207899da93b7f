"""What a generation benchmark asks, and what is known when it asks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from generate.benchmark.knowing import Known, known_of
from generate.known import Gallery
from indexer.storage import open_index
from models.ccsg.denoiser import LARGEST
from models.ccsg.training.dataset import usable
from models.cpcp.training.dataset import split_of
from models.embedder import Embedder
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.artefacts import LABORATORY_SCAN
from xtal.physics.simulate import simulate_all

Split = Literal["val", "test", "all"]
Given = Literal["formula", "composition", "linkers", "both"]


@dataclass(frozen=True, eq=False)
class Question:
    """One held-out crystal and its pattern, what is `given` with it, and what is `known` of its linkers then."""

    truth: Crystal
    sample: Sample
    given: Given = "formula"
    known: Known | None = None

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) atomic numbers of the cell, ascending."""
        return np.sort(self.truth.numbers).astype(np.int64)


@dataclass(frozen=True)
class Choice:
    """What a benchmark asks for, and what it may know.

    Attributes:
        source: of the questions.
        split: of it; ``all`` takes every crystal, none of which is known then.
        limit: questions.
        atoms: fewest and most per primitive cell.
        severity: of the artefacts in the patterns.
        end: last 2θ of the patterns in degrees.
        given: with each: the ``formula`` of its primitive cell, or its ``composition`` in any multiple; ``linkers`` are
            told with the metals, of frameworks with one or two, and no formula, or ``both``, with the formula.
        gallery: further sources of known crystals, whole; indexes of the same fingerprints by their names.
        seed: of the choice and the patterns.
    """

    source: str
    split: Split = "test"
    limit: int = 100
    atoms: tuple[int, int] = (1, 64)
    severity: float = 0.0
    end: float = LABORATORY_SCAN.last
    given: Given = "formula"
    gallery: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Material:
    """What a benchmark works on: questions, and the known crystals."""

    questions: tuple[Question, ...]
    gallery: Gallery

    def alone(self) -> Self:
        """Return the same with all known crystals in memory, so that it can be sent."""
        return replace(self, gallery=self.gallery.alone())


def draw(choice: Choice, embedder: Embedder) -> Material:
    """Choose crystals at random, measure one pattern of each, and embed the known ones.

    Raises:
        UserError: a source cannot be opened, or nothing of it may be asked for.
    """
    low, high = choice.atoms
    parts: dict[str, list[Crystal]] = {"train": [], "val": [], "test": []}
    for id_, crystal in usable([choice.source], high):
        parts[split_of(crystal.reduced_formula)].append(replace(crystal, name=id_))
    every = [crystal for part in parts.values() for crystal in part]
    held = [crystal for crystal in (every if choice.split == "all" else parts[choice.split]) if len(crystal) >= low]
    if not held:
        raise UserError(f"no crystal of {choice.source} with {low} to {high} atoms is in split {choice.split!r}")
    shuffled = (held[row] for row in np.random.default_rng(choice.seed).permutation(len(held)))
    chosen, told = _asked(shuffled, choice)
    scan = replace(LABORATORY_SCAN, last=choice.end)
    samples = [Sample.of(pattern) for pattern in simulate_all(chosen, choice.severity, choice.seed, scan)]
    known = [] if choice.split == "all" else parts["train"]
    galleries = [Gallery.of_crystals(known, embedder), *(_gallery(name, embedder) for name in choice.gallery)]
    asked = zip(chosen, samples, told, strict=True)
    questions = tuple(Question(crystal, sample, choice.given, known) for crystal, sample, known in asked)
    return Material(questions, Gallery.joined(galleries))


def _asked(crystals: Iterable[Crystal], choice: Choice) -> tuple[list[Crystal], list[Known | None]]:
    """Take as many crystals as are asked for, and what is known of the linkers of each where these are given.

    Raises:
        UserError: of none so much is known.
    """
    if choice.given in ("formula", "composition"):
        chosen = list(islice(crystals, choice.limit))
        return chosen, [None] * len(chosen)
    told = ((crystal, known_of(crystal)) for crystal in crystals)
    pairs = list(islice(((crystal, known) for crystal, known in told if known), choice.limit))
    if not pairs:
        raise UserError(f"no crystal of {choice.source} has one or two linkers that a SMILES leads back to")
    return [crystal for crystal, _ in pairs], [known for _, known in pairs]


def _gallery(name: str, embedder: Embedder) -> Gallery:
    """Open the index of a name or, where there is none of these fingerprints, embed the source."""
    try:
        return Gallery.of_index(open_index(name, embedder=embedder))
    except UserError:
        crystals = [replace(crystal, name=id_) for id_, crystal in usable([name], LARGEST)]
        return Gallery.of_crystals(crystals, embedder)
