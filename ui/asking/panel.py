"""The panel that asks: two fields and two buttons, shown under a verdict of no match."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.view import View

NOTHING = "Give the metal, and its linkers by name or SMILES; or press “Generate anyway”."
QUESTION = (
    "<b>What do you know of the sample?</b> With its metal and linker, frameworks are built from them and fitted to "
    "the pattern: that takes minutes. What is generated is a proposal, not verified."
)


@dataclass(frozen=True, eq=False)
class AskPanel:
    """Its components: the panel, what is known, and the buttons that generate with it or without."""

    panel: gr.Column
    metals: gr.Textbox
    linkers: gr.Textbox
    known: gr.Button
    anyway: gr.Button

    @staticmethod
    def value(view: View, working: bool) -> gr.Column:
        """Return whether the panel shows: after a miss for which nothing was generated and nothing is under way."""
        solution = view.solution
        asks = solution is not None and solution.verdict.kind == "miss" and bool(len(solution.answer.lines))
        asks = asks and not (view.loaded is not None and view.loaded.rest)  # of a difference nothing can be made
        return gr.Column(visible=asks and not working and not solution.candidates)  # type: ignore[union-attr]

    def texts(self) -> list[Any]:
        """Return the fields."""
        return [self.metals, self.linkers]


def make_asking() -> AskPanel:
    """Return the panel, hidden."""
    with gr.Column(visible=False, elem_id="xs-ask") as panel:
        gr.HTML(QUESTION, elem_id="xs-ask-words", apply_default_css=False)
        with gr.Row(elem_id="xs-ask-fields"):
            metals = gr.Textbox("", label="Metal", placeholder="Zn", max_lines=1, min_width=90, elem_id="xs-ask-metal")
            linkers = gr.Textbox(
                "",
                label="Linkers, names or SMILES",
                placeholder="BDC; bipy",
                max_lines=1,
                min_width=180,
                elem_id="xs-ask-linkers",
            )
            known = gr.Button("Generate with these", size="sm", min_width=120, elem_id="xs-ask-known")
            anyway = gr.Button("Generate anyway", size="sm", min_width=120, elem_id="xs-ask-anyway")
    return AskPanel(panel, metals, linkers, known, anyway)
