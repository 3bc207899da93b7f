"""Refine structures of an index, or of files, against a pattern."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from search.refinement.start import fitted
from xtal.crystals import Crystal, read_cif
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.refinement import Choices, Observed, Program, Refinement, refine
from xtal.refinement.cif import refinement_cif

if TYPE_CHECKING:
    from search.answer import Answer
    from search.engine import Engine
    from search.verdict import Verdict

SUFFIX = ".cif"
LEAST_EXPLAINED = 0.05  # of the intensity, below which there is nothing to refine


@dataclass(frozen=True, eq=False)
class Model:
    """A structure to refine, and where it came from."""

    crystal: Crystal
    origin: str


@dataclass(frozen=True, eq=False)
class Refined:
    """A refinement with what it was made of.

    Attributes:
        found: the refinement.
        pattern: as measured.
        models: in the order of its phases.
        r_wp_before: of the search's fit, which it started from, at the same points and weights.
    """

    found: Refinement
    pattern: Pattern
    models: tuple[Model, ...]
    r_wp_before: float

    def cif(self) -> str:
        """Return the refined structures with the profile as CIF."""
        return refinement_cif(self.found, self.pattern, [model.origin for model in self.models])


def refine_models(
    pattern: Pattern, models: Sequence[Model], choices: Choices | None = None, program: Program = "rietx"
) -> Refined:
    """Fit structures to a pattern, then refine them together.

    Raises:
        UserError: no structure, too many, or one that does not fit at all.
    """
    fit = fitted(pattern, [model.crystal for model in models])
    if fit.explained < LEAST_EXPLAINED:
        first = models[0].crystal.name or "the structure"
        raise UserError(
            f"{first} explains {fit.explained:.0%} of the intensity of {pattern.source or 'the pattern'}: there is "
            "nothing to refine; check the wavelength, or search for the structure first"
        )
    observed = Observed.of(pattern)
    found = refine(pattern, fit.start, choices, program, observed)
    same = observed if len(found.profile.two_theta) == len(observed.two_theta) else observed.quick()
    before = same.r_wp(fit.overlay.calculated)
    if found.agreement.r_wp > before:
        worse = f"Rwp is no lower than that of the search's fit ({before:.1%}): the refinement found no way down"
        found = replace(found, remarks=(worse, *found.remarks))
    return Refined(found, pattern, tuple(models), before)


def model_of(text: str, engine: "Engine | None") -> Model:
    """Return the structure that a person names: a CIF file, or an entry of the index.

    Raises:
        UserError: there is no such file or entry, or the CIF is none.
    """
    if text.lower().endswith(SUFFIX):
        path = Path(text)
        if not path.is_file():
            raise UserError(f"there is no file {text}; name a CIF file, or an entry of the index without {SUFFIX!r}")
        return Model(read_cif(path.read_bytes(), path.stem), f"file {path.name}")
    if engine is None:
        raise UserError(f"{text!r} is no CIF file, and no index is open")
    return model_of_entry(engine, text)


def model_of_entry(engine: "Engine", entry: str) -> Model:
    """Return an entry of an index; UserError when it has none of this id."""
    crystal = replace(engine.crystal(entry), name=entry)
    return Model(crystal, f"entry {entry} of index {engine.index.manifest.name}")


def matching(engine: "Engine", answer: "Answer", verdict: "Verdict") -> list[Model]:
    """Return what a search found to match: all phases of a mixture, or the first hit; nothing after a miss.

    A framework in another pore state is no structure to refine either: what fills its pores is not known.
    """
    if verdict.kind in ("miss", "other_state") or not answer.hits:
        return []
    hits = [phase.hit for phase in verdict.phases] or [answer.hits[0]]
    return [model_of_entry(engine, hit.id) for hit in hits]
