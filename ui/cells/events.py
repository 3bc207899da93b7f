"""What the panel's button does."""

from dataclasses import replace
from typing import Any

from ui.layout import Outputs
from ui.show.texts import error_html
from ui.view import View
from xtal.errors import UserError

AT_ONCE = 1  # searches for cells that run beside each other: each takes a core for seconds
SECONDS = 10.0  # of a core


def find_cells(view: View, root: bool) -> list[Any]:
    """Find the cells of the pattern shown."""
    return Outputs.values(with_cells(view), root)


def with_cells(view: View) -> View:
    """Return the view with the cells of its pattern; what went wrong is its message."""
    from xtal.patterns.sample import Sample
    from xtal.physics.indexing import indexing_of

    if view.loaded is None:
        return view
    try:
        return replace(view, indexing=indexing_of(Sample.of(view.loaded.pattern), seconds=SECONDS))
    except UserError as error:
        return replace(view, message=error_html(str(error)))


def connect_cells(outputs: Outputs) -> None:
    """Attach the handler of the panel."""
    outputs.cells.find.click(
        find_cells,
        [outputs.view, outputs.root],
        outputs.components(),
        show_progress="minimal",
        show_progress_on=outputs.cells.table,
        api_visibility="private",
        concurrency_id="indexing",
        concurrency_limit=AT_ONCE,
    )
