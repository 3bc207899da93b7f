"""One question of a benchmark answered: by whoever has the models, the known crystals and their parts."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import models
from generate.benchmark.questions import Material, Question
from generate.candidate import Candidate
from generate.engine import CandidateGenerator
from generate.known import Gallery
from generate.parts import Library
from generate.request import Request
from generate.run import generate_with
from models.ccsg.denoiser import Denoiser
from xtal.errors import UserError


@dataclass(frozen=True, eq=False)
class Asking:
    """What all questions are answered with.

    Attributes:
        generator: with its models.
        material: the questions, and the known crystals.
        library: parts of these.
        request: how candidates are sampled.
    """

    generator: CandidateGenerator
    material: Material
    library: Library
    request: Request


@dataclass(frozen=True, eq=False)
class Answered:
    """What became of one question.

    Attributes:
        candidates: generated, best first.
        built, templates: what generation begins from where it uses known crystals, refined and ranked as these are.
        seconds: for the candidates.
    """

    candidates: list[Candidate]
    built: list[Candidate]
    templates: list[Candidate]
    seconds: float


@dataclass(frozen=True, eq=False)
class Sent:
    """The recipe of `Asking`: all but the models, which each worker opens for itself.

    Attributes:
        material, library, request: see `Asking`; the known crystals are in memory.
        model: folder of an exported model; None for the one that comes with the package.
        model_id: of it.
    """

    material: Material
    library: Library
    request: Request
    model: Path | None
    model_id: str

    @classmethod
    def of(cls, asking: Asking, model: Path | None) -> Self:
        """Take all crystals into memory."""
        return cls(asking.material.alone(), asking.library, asking.request, model, asking.generator.denoiser.model_id)

    def made(self) -> Asking:
        """Return what questions are answered with, made once in this process; UserError where the model is another."""
        return self._asking

    @cached_property
    def _asking(self) -> Asking:
        denoiser = Denoiser(self.model)
        if denoiser.model_id != self.model_id:
            raise UserError(f"a worker of the cluster has another model in {self.model} than this machine")
        return Asking(CandidateGenerator(denoiser, models.load()), self.material, self.library, self.request)


def answered(asking: Asking, number: int) -> Answered:
    """Answer one question, with nothing known of its own formula."""
    question, request = asking.material.questions[number], asking.request
    known = asking.material.gallery.without(question.truth.reduced_formula)
    begun = time.perf_counter()
    own = asking.generator.knowing(asking.library.without(question.numbers))
    candidates = _candidates(own, question, request, known)
    seconds = time.perf_counter() - begun
    if request.template != "auto" or question.given != "formula":
        return Answered(candidates, [], [], seconds)
    return Answered(
        candidates, *asking.generator.undiffused(question.sample, question.numbers, request, known), seconds
    )


def _candidates(own: CandidateGenerator, question: Question, request: Request, gallery: Gallery) -> list[Candidate]:
    """Generate with what is given; nothing where that makes no cell."""
    known = question.known
    told = replace(request, metals=known.metals, linkers=known.linkers) if known else request
    if question.given in ("formula", "both"):
        return own.generate(question.sample, question.numbers, told, gallery)
    formula = question.truth.reduced_formula if question.given == "composition" else ""
    try:
        return generate_with(own, gallery, question.sample, formula, None, told).candidates
    except UserError:
        return []
