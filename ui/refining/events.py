"""What the panel's buttons do."""

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from ui.layout import Outputs
from ui.library import Library
from ui.show.downloads import download
from ui.show.texts import error_html, file_name, notice_html
from ui.show.viewer import scene
from ui.view import View
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.refinement.run import Model

LEFT_OUT = "The refinement of {} was left out, for something else was chosen meanwhile."
AT_ONCE = 1  # refinements that run beside each other: each takes a core for seconds
GENERATED = "generated candidate, not verified"


@dataclass(frozen=True, eq=False)
class Refinement:
    """What was shown when a refinement began, and what is to be shown instead."""

    asked: View
    done: View


def shown(view: View, refinement: Refinement | None, root: bool) -> list[Any]:
    """Return what the page shows after a refinement: it takes half a minute, and what was chosen meanwhile stays."""
    if refinement is not None and view is refinement.asked:
        return Outputs.values(refinement.done, root)
    if refinement is not None:
        view = replace(view, message=notice_html(LEFT_OUT.format(refinement.asked.selected)))
    return Outputs.values(view, root)


class RefineEvents:
    """Handlers of the panel's events."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def refine(self, view: View) -> Refinement:
        """Refine the structure shown."""
        return Refinement(view, self.refined(view))

    def refined(self, view: View) -> View:
        """Return the view with the structure shown refined; what went wrong is its message."""
        from search.answer import Overlay
        from search.refinement.run import refine_models

        models = self._models(view)
        if not models or view.loaded is None:
            return view
        try:
            refined = refine_models(view.loaded.pattern, models)
        except UserError as error:
            return replace(view, message=error_html(str(error)))
        profile, phases = refined.found.profile, refined.found.phases
        ticks = np.concatenate([phase.ticks for phase in phases])
        drawn = Overlay(
            profile.two_theta, profile.observed, profile.calculated, profile.background, profile.difference, ticks
        )
        cif = refined.cif()
        whole = phases[0].structure.whole()
        picture = scene(whole, f"{view.selected}, refined", cif, file_name(f"{view.selected}-refined"), (), "cell")
        return replace(view, overlay=drawn, refined=refined, scene=picture)

    def _models(self, view: View) -> "list[Model]":
        """Return the structures shown: a candidate, a hit, or all phases of a mixture."""
        from search.refinement.run import Model, matching, model_of_entry

        engine, solution = self._library.engine, view.solution
        if view.candidate and solution is not None:
            made = next((c for c in solution.candidates if c.rank == view.candidate), None)
            return [] if made is None else [Model(replace(made.crystal, name=view.selected), GENERATED)]
        if engine is None or solution is None or view.overlay is None:
            return []
        if view.hit:
            return [model_of_entry(engine, view.selected)]
        return matching(engine, solution.answer, solution.verdict) if solution.verdict.phases else []

    def cif(self, view: View) -> str:
        """Offer the refined structure with its profile."""
        if view.refined is None:
            return ""
        return download(_name(view, "-refined.cif"), "chemical/x-cif", view.refined.cif().encode())

    def csv(self, view: View) -> str:
        """Offer the profile as columns."""
        from xtal.refinement.table import profile_csv

        if view.refined is None:
            return ""
        return download(_name(view, "-refined.csv"), "text/csv", profile_csv(view.refined.found).encode())

    def database(self, view: View) -> str:
        """Offer the hit shown as the database has it."""
        from search.refinement.hit_cif import hit_cif

        engine, answer = self._library.engine, view.answer
        hit = None if answer is None else next((hit for hit in answer.hits if hit.rank == view.hit), None)
        if engine is None or answer is None or hit is None:
            return ""
        text = hit_cif(engine.crystal(hit.id), hit, self._library.index_name, answer.pattern.source, fitted=False)
        return download(file_name(f"{hit.id}-database"), "chemical/x-cif", text.encode())


def _name(view: View, ending: str) -> str:
    stem = "" if view.loaded is None else PurePath(view.loaded.pattern.source).stem
    return file_name(f"{stem}-{view.selected}", ending)


def connect_refining(library: Library, outputs: Outputs) -> None:
    """Attach the handlers of the panel."""
    events, panel = RefineEvents(library), outputs.refining
    how: dict[str, Any] = {"api_visibility": "private"}
    long: dict[str, Any] = {**how, "concurrency_id": "refinement", "concurrency_limit": AT_ONCE}
    waits = {"show_progress": "minimal", "show_progress_on": panel.table}
    refinement = gr.State(None)
    done = panel.start.click(events.refine, outputs.view, refinement, **waits, **long)
    done.then(shown, [outputs.view, refinement, outputs.root], outputs.components(), show_progress="hidden", **how)
    panel.cif.click(events.cif, outputs.view, outputs.file, show_progress="hidden", **how)
    panel.database.click(events.database, outputs.view, outputs.file, show_progress="hidden", **how)
    panel.csv.click(events.csv, outputs.view, outputs.file, show_progress="hidden", **how)
