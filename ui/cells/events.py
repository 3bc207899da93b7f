"""What the panel's button does.

What is found is kept beside the page's view, not in it: the search takes half a minute, in which another pattern may be
opened or a structure generated, and what is shown of those must stay.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui.cells.shown import cells_html
from ui.layout import Outputs
from ui.show.texts import error_html
from ui.view import View
from xtal.errors import UserError
from xtal.patterns import Pattern

if TYPE_CHECKING:
    from xtal.physics.indexing import Indexing

AT_ONCE = 1  # searches for cells that run beside each other: each takes a core for seconds
SECONDS = 10.0  # of a core


@dataclass(frozen=True, eq=False)
class Found:
    """The cells that a pattern may have, or why there is no answer."""

    pattern: Pattern
    indexing: "Indexing | None" = None
    error: str = ""


def find_cells(view: View) -> Found | None:
    """Find the cells of the pattern shown."""
    from xtal.patterns.sample import Sample
    from xtal.physics.indexing import indexing_of

    if view.loaded is None:
        return None
    pattern = view.loaded.pattern
    try:
        return Found(pattern, indexing_of(Sample.of(pattern), seconds=SECONDS))
    except UserError as error:
        return Found(pattern, error=str(error))


def shown(view: View, found: Found | None) -> list[Any]:
    """Return what table and button show: what was found belongs to one pattern."""
    pattern = None if view.loaded is None else view.loaded.pattern
    if pattern is None or found is None or found.pattern is not pattern:
        return [cells_html(None), gr.Button(interactive=pattern is not None)]
    return [error_html(found.error) if found.error else cells_html(found.indexing), gr.Button(interactive=False)]


def connect_cells(outputs: Outputs) -> None:
    """Attach the handlers of the panel."""
    panel, how = outputs.cells, {"api_visibility": "private"}
    given, both = [outputs.view, panel.found], [panel.table, panel.find]
    found = panel.find.click(
        find_cells,
        outputs.view,
        panel.found,
        show_progress="minimal",
        show_progress_on=panel.table,
        concurrency_id="indexing",
        concurrency_limit=AT_ONCE,
        **how,
    )
    found.then(shown, given, both, show_progress="hidden", **how)
    outputs.view.change(shown, given, both, show_progress="hidden", **how)
