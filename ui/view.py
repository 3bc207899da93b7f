"""All that the page shows of one pattern."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ui.inputs import Loaded, Source
from ui.show.candidates import candidates_html
from ui.show.details import details_html
from ui.show.lines import carried_lines, lines_html
from ui.show.plots import bare_figure, empty_figure, overlay_figure, pattern_figure
from ui.show.refined import refined_html
from ui.show.table import hits_table
from ui.show.texts import notice_html, pattern_facts
from ui.show.verdict import asked_html, verdict_html
from xtal.patterns import Lines, Pattern

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from search.answer import Answer, Overlay
    from search.frameworks import Details, Framework
    from search.frameworks.asked import Compared
    from search.refinement.run import Refined
    from search.solution import Solution

FROM_HISTORY = "as asked before"
KEPT = "The edited peaks of this measurement were kept. “Back to the found peaks” leaves them out."
LEFT_OUT = (
    "The peaks edited for {} were left out: this is another measurement. "
    "If they were searched with, the answer is in the history."
)
GIVEN = {True: "Simulated", False: "Measured", None: "Pattern"}
REST = "What is left"  # of a pattern without its phases


@dataclass(frozen=True, eq=False)
class Edits:
    """Lines that a person edited, with the pattern that they belong to."""

    pattern: Pattern
    lines: Lines


@dataclass(frozen=True, eq=False)
class View:
    """Everything that depends on the pattern. Compared by identity: gradio asks of each session's view if it changed.

    Attributes:
        facts: HTML about the pattern and how it was searched.
        message: HTML of an error or notice, or empty.
        scene: JSON text of the 3-D view, or empty.
        loaded: the pattern shown, or None.
        lines: those found in it, or as a person edited them; None without a pattern.
        edited: whether a person edited them.
        lines_error: HTML of what is wrong with the last edit, or empty.
        solution: what it was answered with, or None.
        rows: the hits by framework, the likeliest first.
        details: of the entry that is shown, or None.
        compared: the answer to “is it …?”, or None.
        threshold: probability that a match needs.
        overlay: the selected structure's profile beside the measured one, or None.
        unexplained: degrees 2θ of found lines that the selected hit has no line for.
        selected: name of that structure, or empty.
        hit: rank of the selected hit, 0 for none.
        candidate: rank of the selected candidate, 0 for none.
        refined: the selected structure refined, or None; its profile is then the overlay.
        bare: a pattern whose wavelength is not known yet: it is drawn, and not searched.
        asked: name of a pattern that has no answer yet, see `ui.opening.asked`; "" where it has one.
        kept: edited lines of a measurement that is not shown just now: its file was removed, or cannot be read so.
    """

    facts: str = ""
    message: str = ""
    scene: str = ""
    loaded: Loaded | None = None
    lines: Lines | None = None
    edited: bool = False
    lines_error: str = ""
    solution: "Solution | None" = None
    rows: "tuple[Framework, ...]" = ()
    details: "Details | None" = None
    compared: "Compared | None" = None
    threshold: float = 0.0
    overlay: "Overlay | None" = None
    unexplained: tuple[float, ...] = ()
    selected: str = ""
    hit: int = 0
    candidate: int = 0
    refined: "Refined | None" = None
    bare: Pattern | None = None
    asked: str = ""
    kept: Edits | None = None

    @property
    def answer(self) -> "Answer | None":
        """The hits, or None."""
        return None if self.solution is None else self.solution.answer

    @property
    def leaves(self) -> bool:
        """Whether the named phases leave lines that can be searched for."""
        from search.phases.left import leaves

        return self.solution is not None and leaves(self.solution.verdict)

    @property
    def edited_lines(self) -> Lines | None:
        """What to search with instead of the lines found; None for those."""
        return self.lines if self.edited else None

    @property
    def edits(self) -> Edits | None:
        """The edited lines with their pattern, or None."""
        if self.loaded is None:
            return self.kept
        return None if self.edited_lines is None else Edits(self.loaded.pattern, self.edited_lines)

    @property
    def unsearched(self) -> bool:
        """Whether there are lines that no answer shown was searched with."""
        return self.lines is not None and (self.answer is None or self.answer.lines is not self.lines)

    @property
    def line_table(self) -> str:
        """HTML of the lines."""
        wavelength = 0.0 if self.loaded is None else self.loaded.pattern.wavelength
        stale = self.unsearched and self.answer is not None
        return self.lines_error + lines_html(self.lines, wavelength, self.edited, stale, self.unexplained)

    @property
    def table(self) -> str:
        """HTML of the hits."""
        if self.solution is None:
            return hits_table(None, 0)
        hit = next((hit for row in self.rows for hit in row.hits if hit.rank == self.hit), None)
        exact = self.solution.verdict.exact if self.hit == 1 else None
        return hits_table(self.rows, self.hit, "" if hit is None else details_html(hit, self.details, exact))

    @property
    def verdict(self) -> str:
        """HTML of the verdict; before there is one, what the address tells of the pattern, or empty."""
        if self.solution is None:
            return asked_html(self.asked)
        return verdict_html(self.solution, self.threshold, self.rows, self.compared)

    @property
    def candidates(self) -> str:
        """HTML of what was generated, or empty."""
        return "" if self.solution is None else candidates_html(self.solution, self.candidate)

    @property
    def refinement(self) -> str:
        """HTML of the refinement, or of what it would do."""
        return refined_html(self.refined)

    @property
    def given(self) -> str:
        """What to call the pattern's curve."""
        if self.loaded is None:
            return "Pattern"
        return REST if self.loaded.rest else GIVEN[self.loaded.source.simulated]

    def told(self) -> "View":
        """Return the view without what was said of edited lines: it was read by now."""
        if self.loaded is None or not self.loaded.remark:
            return self
        loaded = replace(self.loaded, remark="")
        return replace(self, loaded=loaded, message=notice_html(loaded.news))

    def figure(self, root: bool) -> "go.Figure":
        """Draw what there is to draw; with `root`, the square root of every intensity."""
        if self.loaded is None or self.lines is None:
            return empty_figure() if self.bare is None else bare_figure(self.bare, root)
        if self.overlay is None:
            return pattern_figure(self.loaded.pattern, self.lines, root, self.given, self.edited)
        return overlay_figure(
            self.overlay, self.loaded.pattern, self.selected, root, self.given, self.unexplained, self.edited_lines
        )


def pattern_view(loaded: Loaded, lines: Lines | None = None, edited: bool = False) -> View:
    """Return the view of a pattern that was not searched yet; its lines are found unless they are known or `edited`."""
    from xtal.patterns.linefinder import find_lines

    lines = find_lines(loaded.pattern) if lines is None else lines
    return View(
        facts=pattern_facts(loaded, len(lines), edited),
        message=notice_html(loaded.news),
        loaded=loaded,
        lines=lines,
        edited=edited,
    )


def read_view(loaded: Loaded, edits: Edits | None) -> View:
    """Return the view of a pattern just read; lines edited before stay with their measurement, or it says that not."""
    if edits is None:
        return pattern_view(loaded)
    lines = carried_lines(edits.lines, edits.pattern, loaded.pattern)
    if lines is None:
        return pattern_view(replace(loaded, remark=LEFT_OUT.format(edits.pattern.source)))
    return pattern_view(replace(loaded, remark=KEPT), lines, edited=True)


def remembered_view(solution: "Solution") -> View:
    """Return the view of a solution out of the cache, with nothing selected."""
    from search.frameworks import frameworks

    answer = solution.answer
    source = Source(Path(answer.pattern.source), answer.pattern.source, simulated=None)
    view = pattern_view(Loaded(answer.pattern, source, FROM_HISTORY), answer.lines, answer.edited)
    return replace(view, solution=solution, rows=frameworks(answer, solution.verdict, None))
