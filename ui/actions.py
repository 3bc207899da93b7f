"""What happens when the person at the page does something. Each action returns a `View`: all that the page shows."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ui.inputs import Loaded, Source, load
from ui.library import Library
from ui.plots import empty_figure, overlay_figure, pattern_figure
from ui.table import hits_table
from ui.texts import answer_facts, error_html, file_name, notice_html, pattern_facts
from ui.viewer import scene
from xtal.errors import UserError
from xtal.formula import parse_elements, parse_formula
from xtal.pattern import Lines

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from search.answer import Answer, Overlay

HITS = 10


@dataclass(frozen=True, eq=False)
class View:
    """Everything that depends on the pattern. Compared by identity: gradio asks of each session's view if it changed.

    Attributes:
        facts: HTML about the pattern and how it was searched.
        message: HTML of an error or notice, or empty.
        table: HTML of the hits.
        scene: JSON text of the 3-D view, or empty.
        loaded: the pattern shown, or None.
        lines: the lines found in it, or None.
        answer: its hits, or None.
        overlay: the selected hit's profile beside the measured one, or None.
        selected: id of that hit, or empty.
    """

    facts: str = ""
    message: str = ""
    table: str = hits_table(None, 0)
    scene: str = ""
    loaded: Loaded | None = None
    lines: Lines | None = None
    answer: "Answer | None" = None
    overlay: "Overlay | None" = None
    selected: str = ""

    def figure(self, root: bool) -> "go.Figure":
        """Draw what there is to draw; with `root`, the square root of every intensity."""
        if self.loaded is None or self.lines is None:
            return empty_figure()
        given = "Simulated" if self.loaded.source.simulated else "Measured"
        if self.overlay is None:
            return pattern_figure(self.loaded.pattern, self.lines, root, given)
        return overlay_figure(self.overlay, self.loaded.pattern, self.selected, root, given)


class Actions:
    """The behaviour of the page, without any of its layout."""

    def __init__(self, library: Library) -> None:
        """Answer from the index of `library`, once it is ready."""
        self.library = library

    def show(self, source: Source | None, wavelength: str | None) -> View:
        """Read a pattern and draw it."""
        if source is None:
            return View()
        try:
            return _pattern_view(load(source, wavelength))
        except UserError as error:
            return View(message=error_html(str(error)))

    def search(self, loaded: Loaded | None, elements: str, formula: str) -> View:
        """Search the index for the pattern and show the best hit."""
        if loaded is None:
            return View(message=error_html("There is no pattern to search for. Drop a file or pick an example first."))
        view, engine = _pattern_view(loaded), self.library.engine
        if engine is None:
            return replace(view, message=notice_html("The index is not ready yet. The search starts once it is."))
        try:
            allowed, wanted = parse_elements(elements), parse_formula(formula)
            answer = engine.query([loaded.pattern], k=HITS, elements=allowed, formula=wanted)[0]
        except UserError as error:
            return replace(view, message=error_html(str(error)))
        found = replace(view, answer=answer, facts=view.facts + answer_facts(answer, engine))
        return self.select(found, answer.hits[0].rank)

    def select(self, view: View, rank: int) -> View:
        """Overlay the hit of this rank on the pattern and draw its cell."""
        from xtal.cif import write_cif

        engine, answer = self.library.engine, view.answer
        if engine is None or answer is None or view.loaded is None:
            return view
        hit = next(hit for hit in answer.hits if hit.rank == rank)
        crystal = engine.crystal(hit.id)
        origin = f"{hit.id} of index {self.library.index_name}, found by Xtalscout for {view.loaded.source.name}"
        return replace(
            view,
            overlay=engine.overlay(answer.pattern, hit),
            selected=hit.id,
            table=hits_table(answer.hits, rank),
            scene=scene(crystal, hit.id, write_cif(crystal, [origin]), file_name(hit.id)),
        )


def _pattern_view(loaded: Loaded) -> View:
    """Return the view of a pattern that was not searched yet."""
    from xtal.linefinder import find_lines

    lines = find_lines(loaded.pattern)
    return View(
        facts=pattern_facts(loaded, len(lines)),
        message=notice_html(loaded.notice),
        loaded=loaded,
        lines=lines,
    )
