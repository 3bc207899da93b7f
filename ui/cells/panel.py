"""The components of the panel."""

from dataclasses import dataclass

import gradio as gr

from ui.cells.shown import cells_html


@dataclass(frozen=True, eq=False)
class CellPanel:
    """Its components: what was found last and of which pattern, the table of cells, and the button that finds them."""

    found: gr.State
    table: gr.HTML
    find: gr.Button


def make_cells() -> CellPanel:
    """Return the panel, closed."""
    with gr.Accordion("Unit cell", open=False, elem_id="xs-indexing"):
        table = gr.HTML(cells_html(None), elem_id="xs-cells", apply_default_css=False)
        find = gr.Button("Find unit cells", size="sm", interactive=False, elem_id="xs-find-cells")
    return CellPanel(gr.State(None), table, find)
