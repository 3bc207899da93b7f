"""What the buttons do: the structure shown, drawn as for a paper."""

from functools import partial
from typing import Any

from ui.layout import Outputs
from ui.library import Library
from ui.paper.shown import shown_profile
from ui.show.downloads import download
from ui.show.texts import error_html, file_name
from ui.view import View

TYPES = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "csv": "text/csv"}
NOTHING = "There is nothing to draw yet. Drop a powder pattern, or choose an example."


class PaperEvents:
    """Handlers of the buttons' events."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def offer(self, kind: str, view: View) -> list[Any]:
        """Offer what is shown as a file of one of `TYPES`; return it and a message."""
        from search.paper import figure_bytes

        profile = shown_profile(self._library.engine, view)
        if profile is None:
            return ["", error_html(NOTHING)]
        content = profile.csv().encode("utf-8") if kind == "csv" else figure_bytes(profile, f".{kind}")
        name = file_name("-".join(filter(None, (profile.name, view.selected))), f".{kind}")
        return [download(name, TYPES[kind], content), view.message]


def connect_paper(library: Library, outputs: Outputs) -> None:
    """Attach the handlers of the buttons."""
    events, panel = PaperEvents(library), outputs.paper
    for kind in TYPES:
        button = getattr(panel, kind)
        button.click(
            partial(events.offer, kind),
            outputs.view,
            [outputs.file, outputs.message],
            show_progress="hidden",
            api_visibility="private",
        )
