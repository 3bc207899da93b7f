"""Structures and refinements as programs get them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xtal.errors import UserError
from xtal.patterns import Pattern

if TYPE_CHECKING:
    from search.refinement.run import Model
    from search.solve import Solver

LONGEST_REFINEMENT = 300  # seconds: others wait meanwhile
LARGEST_CIF = 5_000_000  # characters


def structure_data(solver: "Solver", index: str, entry: str, answer: str) -> dict[str, Any]:
    """Return an entry of the index with its CIF, in the cell fitted in an earlier answer where one is named.

    Raises:
        UserError: there is no such entry or answer, or the answer does not list the entry.
    """
    from search.refinement.hit_cif import entry_cif, hit_cif

    crystal = solver.engine.crystal(entry)
    told = {"id": entry, "formula": crystal.reduced_formula}
    if not answer:
        return {**told, "cif": entry_cif(crystal, entry, index)}
    if solver.cache is None or not solver.cache.usable:
        raise UserError("no answers are kept: leave answer blank for the database's cell")
    known = solver.cache.stored(answer).solution.answer
    hit = next((hit for hit in known.hits if hit.id == entry), None)
    if hit is None:
        raise UserError(f"answer {answer} lists no hit {entry!r}; leave answer blank for the database's cell")
    return {**told, "cif": hit_cif(crystal, hit, index, known.pattern.source)}


def refinement_data(
    solver: "Solver", index: str, pattern: Pattern, structures: str, cifs: Any, mode: str, seconds: int
) -> dict[str, Any]:
    """Return a refinement with its CIF and its profile.

    Raises:
        UserError: what is named does not exist or cannot be refined, or there is no match to refine.
    """
    from search.refinement.commands import refined_data
    from search.refinement.run import refine_models
    from xtal.refinement import Choices
    from xtal.refinement.table import profile_csv

    choices = Choices(mode, seconds)  # type: ignore[arg-type]  # it looks at the mode itself
    models = [*_entries(solver, structures), *_texts(cifs)] or _found(solver, index, pattern)
    refined = refine_models(pattern, models, choices)
    return {**refined_data(refined), "csv": profile_csv(refined.found)}


def _entries(solver: "Solver", structures: str) -> "list[Model]":
    from search.refinement.run import model_of_entry

    names = [name.strip() for name in structures.split(";")]
    return [model_of_entry(solver.engine, name) for name in names if name]


def _texts(cifs: Any) -> "list[Model]":
    from search.refinement.run import Model
    from xtal.crystals import read_cif

    if cifs is None:
        return []
    if not isinstance(cifs, list) or not all(isinstance(one, str) and len(one) <= LARGEST_CIF for one in cifs):
        raise UserError("cifs must be a list of the texts of CIFs")
    return [Model(read_cif(one), f"CIF {number} that was sent") for number, one in enumerate(cifs, 1)]


def _found(solver: "Solver", index: str, pattern: Pattern) -> "list[Model]":
    """Return what a search finds to match: the first hit, or all phases of a mixture."""
    from search.options import Options
    from search.refinement.run import matching

    solution = solver.solve(pattern, replace(Options(), generate="never"))
    models = matching(solver.engine, solution.answer, solution.verdict)
    if not models:
        raise UserError(f"nothing in {index} matches ({solution.verdict.headline}): name structures, or send cifs")
    return models
