"""The components of the panel."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.view import View


@dataclass(frozen=True, eq=False)
class RefinePanel:
    """Its components: the table, the button that refines, those that download, and the hit as the database has it."""

    table: gr.HTML
    start: gr.Button
    cif: gr.Button
    csv: gr.Button
    database: gr.Button

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [self.table, self.start, self.cif, self.csv, self.database]

    @staticmethod
    def values(view: View) -> list[Any]:
        """Return what each component shows."""
        chosen, done = view.overlay is not None, view.refined is not None
        buttons = (chosen and not done, done, done, view.hit > 0)
        return [view.refinement, *(gr.Button(interactive=on) for on in buttons)]
