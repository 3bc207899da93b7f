"""The buttons."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True, eq=False)
class PaperPanel:
    """Its components: one button for each kind of figure, and one for the columns."""

    svg: gr.Button
    pdf: gr.Button
    png: gr.Button
    csv: gr.Button


def paper_buttons() -> PaperPanel:
    """Return the buttons, in a row."""
    with gr.Row(elem_id="xs-paper"):
        made = [
            gr.Button(label, size="sm", min_width=70, elem_id=f"xs-paper-{name}")
            for label, name in (("SVG", "svg"), ("PDF", "pdf"), ("PNG", "png"), ("Data (CSV)", "csv"))
        ]
    return PaperPanel(*made)
