"""The components of the panel."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.view import View


@dataclass(frozen=True, eq=False)
class CellPanel:
    """Its components: the table of cells, and the button that finds them."""

    table: gr.HTML
    find: gr.Button

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [self.table, self.find]

    @staticmethod
    def values(view: View) -> list[Any]:
        """Return what each component shows."""
        return [view.cell_table, gr.Button(interactive=view.loaded is not None and view.indexing is None)]


def make_cells() -> CellPanel:
    """Return the panel, closed."""
    with gr.Accordion("Unit cell", open=False, elem_id="xs-indexing"):
        table = gr.HTML(View().cell_table, elem_id="xs-cells", apply_default_css=False)
        find = gr.Button("Find unit cells", size="sm", interactive=False, elem_id="xs-find-cells")
    return CellPanel(table, find)
