"""What a view shows, as a profile to draw and write."""

from pathlib import PurePath
from typing import TYPE_CHECKING

from ui.view import View

if TYPE_CHECKING:
    from search.engine import Engine
    from search.paper import FittedProfile


def shown_profile(engine: "Engine | None", view: View) -> "FittedProfile | None":
    """Return what a view shows: refined, all phases, a hit, a candidate, or the pattern alone; None without one."""
    from search.paper import of_crystal, of_hits, of_refined

    if view.loaded is None:
        return None
    pattern, stem = view.loaded.pattern, PurePath(view.loaded.pattern.source).stem
    if view.refined is not None:
        return of_refined(view.refined, stem)
    if engine is None or view.solution is None or view.overlay is None:
        return of_hits(engine, pattern, (), stem)
    made = next((each for each in view.solution.candidates if each.rank == view.candidate), None)
    if made is not None:
        return of_crystal(view.overlay, pattern, made.crystal, f"{view.selected} (generated)", made.zero_shift, stem)
    phases = [phase.hit for phase in view.solution.verdict.phases]
    hits = [hit for hit in view.solution.answer.hits if hit.rank == view.hit] if view.hit else phases
    return of_hits(engine, pattern, hits, stem, view.unexplained)


def judged_profile(engine: "Engine | None", view: View) -> "FittedProfile | None":
    """Return what the verdict of a view speaks of, whatever is selected; None without an answer."""
    from search.paper import of_solution

    if engine is None or view.solution is None or view.loaded is None:
        return None
    return of_solution(engine, view.solution, PurePath(view.loaded.pattern.source).stem)
