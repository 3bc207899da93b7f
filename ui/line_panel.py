"""The panel in which the lines of a pattern are looked at and edited."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.actions import Actions
from ui.view import View


@dataclass(frozen=True, eq=False)
class LinePanel:
    """Its components: the table, the new line, and what is done with them."""

    table: gr.HTML
    place: gr.Textbox
    height: gr.Textbox
    add: gr.Button
    found: gr.Button
    again: gr.Button

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [self.table, self.found, self.again]

    @staticmethod
    def values(view: View) -> list[Any]:
        """Return what each component shows."""
        searchable = view.loaded is not None and view.unsearched
        return [view.line_table, gr.Button(interactive=view.edited), gr.Button(interactive=searchable)]


class LineEvents:
    """Handlers of the panel's events."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def remove(self, view: View, root: bool, event: gr.EventData) -> list[Any]:
        """Remove the line whose button was pressed."""
        return _shown(self._actions.remove_line(view, str(event.place)), root)

    def add(self, view: View, root: bool, place: str, height: str) -> list[Any]:
        """Add the line that was typed; what cannot be one stays to be corrected."""
        after = self._actions.add_line(view, place, height)
        typed = [gr.skip(), gr.skip()] if after.lines_error else ["", ""]
        return [*_shown(after, root), *typed]

    def found(self, view: View, root: bool) -> list[Any]:
        """Go back to the lines found; what was said of the edited ones is no longer true."""
        after = self._actions.found_lines(view)
        return [*_shown(after, root), after.message]


def _shown(view: View, root: bool) -> list[Any]:
    return [view, view.figure(root), *LinePanel.values(view)]


def connect_lines(
    actions: Actions,
    panel: LinePanel,
    view: gr.State,
    root: gr.Checkbox,
    figure: gr.Plot,
    message: gr.HTML,
    **how: Any,
) -> None:
    """Attach the handlers of everything but the search, with gradio's options `how`."""
    events, given, shown = LineEvents(actions), [view, root], [view, figure, *panel.components()]
    typed = [panel.place, panel.height]
    panel.table.delete(events.remove, given, shown, **how)
    gr.on(
        [panel.add.click, panel.place.submit, panel.height.submit],
        events.add,
        [*given, *typed],
        [*shown, *typed],
        **how,
    )
    panel.found.click(events.found, given, [*shown, message], **how)
