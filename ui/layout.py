"""The components of the page and where they stand; what they do is in `ui.wiring`."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.asking.panel import AskPanel, make_asking
from ui.batch import Several
from ui.cells.panel import CellPanel, make_cells
from ui.inputs import FROM_FILE, examples, wavelength_choices
from ui.line_panel import LinePanel
from ui.opening.dropped import drop_box
from ui.opening.examples import examples_html
from ui.paper import PaperPanel, paper_buttons
from ui.question import MOST_CANDIDATES, MOST_UNITS
from ui.refining import RefinePanel
from ui.show.downloads import download_script
from ui.show.elements import periodic_html
from ui.show.history import history_html
from ui.show.texts import formats_html
from ui.show.viewer import ASSETS, VIEWER_HTML, script_head, viewer_script
from ui.view import View

COUNT = 6  # candidates at first


@dataclass(frozen=True, eq=False)
class Inputs:
    """The controls on the left."""

    file: gr.File
    pair: gr.State
    together: gr.Button
    cif: gr.State
    example: gr.HTML
    wavelength: gr.Dropdown
    elements: gr.Textbox
    choice: gr.HTML
    formula: gr.Textbox
    compare: gr.Textbox
    generate: gr.Checkbox
    contents: gr.Textbox
    units: gr.Number
    count: gr.Slider
    metals: gr.Textbox
    linkers: gr.Textbox
    button: gr.Button
    words: gr.Textbox
    history: gr.HTML

    def question(self) -> list[Any]:
        """Return the components that fill a `Question`, in the order of its attributes."""
        filters = [self.elements, self.choice, self.formula]
        known = [self.contents, self.units, self.count, self.metals, self.linkers]
        return [*filters, self.generate, *known, self.compare, self.cif]

    def opened(self) -> list[Any]:
        """Return the components that change when something is opened, in the order of `Opening`."""
        return [self.file, self.pair, self.together, self.compare, self.cif]


@dataclass(frozen=True, eq=False)
class Outputs:
    """What shows a `View`, and what downloads it."""

    view: gr.State
    root: gr.Checkbox
    figure: gr.Plot
    facts: gr.HTML
    message: gr.HTML
    verdict: gr.HTML
    left: gr.Button
    table: gr.HTML
    candidates: gr.HTML
    scene: gr.HTML
    report: gr.Button
    lines: LinePanel
    refining: RefinePanel
    cells: CellPanel
    file: gr.HTML
    paper: PaperPanel

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [
            self.view,
            self.figure,
            self.facts,
            self.message,
            self.verdict,
            self.left,
            self.table,
            self.candidates,
            self.scene,
            self.report,
            *self.lines.components(),
            *self.refining.components(),
        ]

    @staticmethod
    def values(view: View, root: bool) -> list[Any]:
        """Return what each component shows; `root` asks for square roots of the intensities."""
        report = gr.Button(interactive=view.solution is not None)
        left = gr.Button(visible=view.leaves)
        parts = (view.facts, view.message, view.verdict, left, view.table, view.candidates, view.scene)
        return [view, view.figure(root), *parts, report, *LinePanel.values(view), *RefinePanel.values(view)]


@dataclass(frozen=True, eq=False)
class Making:
    """What shows and stops a generation."""

    job: gr.State
    progress: gr.HTML
    cancel: gr.Button
    ask: AskPanel

    def components(self) -> list[Any]:
        """Return the components: the seat at a job, its progress, what stops it, what is asked before another."""
        return [self.job, self.progress, self.cancel, self.ask.panel]


def html(name: str, value: str = "", **options: Any) -> gr.HTML:
    """Return a piece of HTML that only our own style sheet formats."""
    return gr.HTML(value, elem_id=name, apply_default_css=False, **options)


def make_inputs() -> Inputs:
    """Return the controls, from top to bottom."""
    file = drop_box("Powder patterns", "xs-file")
    html("xs-formats", f"{formats_html()}; any number of files")
    together = gr.Button("Answer both", size="sm", visible=False, elem_id="xs-together")
    scripts = "".join(map(script, ("picks.js", "upload.js", "typed.js")))
    example = html("xs-examples", examples_html(examples()), js_on_load=scripts)
    wavelength = gr.Dropdown(
        wavelength_choices(),
        value=FROM_FILE,
        label="Wavelength",
        info="Pick a line, or type a number in Å or an energy in keV.",
        allow_custom_value=True,
        elem_id="xs-wavelength",
    )
    elements = _line("Only these elements", "any, or Zn C H O", "xs-elements", "Hits that hold any other are left out.")
    formula = _line("Formula", "any, or Zn4C24H12O13", "xs-formula", "Hits have it, and what is generated, whatever Z.")
    compare = _line(
        "Is it …?", "UiO-66, RUBTAK02, or drop a CIF", "xs-compare", "Press Enter. A name, a refcode or a CIF."
    )
    with gr.Accordion("Periodic table", open=False, elem_id="xs-periodic"):
        choice = html("xs-choice", html_template=periodic_html(), js_on_load=script("elements.js"))
    generation = _generation()
    button = gr.Button("Search", variant="primary", elem_id="xs-search")
    with gr.Accordion("History", open=False, elem_id="xs-past"):
        words = _line("Find an answer", "file, structure or formula", "xs-words", "Press Enter.")
        history = html("xs-history", history_html(None), js_on_load=script("table.js"))
    opened = (file, gr.State(()), together, gr.State(None), example)
    return Inputs(*opened, wavelength, elements, choice, formula, compare, *generation, button, words, history)


def _generation() -> tuple[gr.Checkbox, gr.Textbox, gr.Number, gr.Slider, gr.Textbox, gr.Textbox]:
    with gr.Accordion("Generation", open=False, elem_id="xs-generation"):
        generate = gr.Checkbox(
            True,
            label="Generate when nothing matches",
            info="Takes up to minutes. Several files have a box of their own.",
            elem_id="xs-generate",
        )
        metals = _line("Metal", "unknown, or Zn", "xs-metals", "What you know of it: one or two, with the linkers.")
        linkers = _line("Linkers", "unknown, or BDC; bipy", "xs-linkers", "Names or SMILES, up to three.")
        contents = _line(
            "Cell contents",
            "from the formula, the linkers, or the nearest known",
            "xs-contents",
            "Formula of what the primitive cell holds, guests included.",
        )
        units = gr.Number(
            1,
            label="Z",
            info="How often the cell holds it.",
            precision=0,
            minimum=1,
            maximum=MOST_UNITS,
            elem_id="xs-units",
        )
        count = gr.Slider(
            1,
            MOST_CANDIDATES,
            COUNT,
            step=1,
            label="Candidates",
            info="More take longer and more often hold a good one.",
            elem_id="xs-count",
        )
    return generate, contents, units, count, metals, linkers


def _line(label: str, placeholder: str, name: str, info: str) -> gr.Textbox:
    return gr.Textbox("", label=label, placeholder=placeholder, info=info, max_lines=1, elem_id=name)


def make_outputs() -> tuple[Outputs, Making, Several]:
    """Return everything that shows results, from top to bottom."""
    message = html("xs-message", js_on_load=script("picks.js"))
    several = _several()
    first = View()
    with gr.Row(elem_id="xs-head"):
        facts = html("xs-facts")
        report = gr.Button("Report", size="sm", interactive=False, elem_id="xs-report")
        root = gr.Checkbox(False, label="√ intensity", container=False, elem_id="xs-root")
    verdict = html("xs-verdict", js_on_load=script("verdict.js"))
    left = gr.Button("Search what is left", size="sm", visible=False, elem_id="xs-left")
    with gr.Row(elem_id="xs-making"):  # above the plot: who waits must see for what, without scrolling
        progress = html("xs-progress")
        cancel = gr.Button("Cancel", size="sm", visible=False, elem_id="xs-cancel")
    ask = make_asking()
    figure = gr.Plot(first.figure(False), show_label=False, container=False, elem_id="xs-plot")
    paper = paper_buttons()
    lines = _lines()
    refining = _refining()
    cells = make_cells()
    with gr.Row(elem_id="xs-answer"):
        with gr.Column(scale=3, min_width=320):
            table = html("xs-table", first.table, js_on_load=script("table.js"))
            candidates = html("xs-candidates", js_on_load=script("table.js"))
        with gr.Column(scale=2, min_width=300):
            scene = html("xs-viewer", html_template=VIEWER_HTML, js_on_load=viewer_script(), head=script_head())
    file = html("xs-download", js_on_load=download_script())
    shown = (root, figure, facts, message, verdict, left, table, candidates, scene)
    parts = (*shown, report, lines, refining, cells, file, paper)
    return Outputs(gr.State(first), *parts), Making(gr.State(None), progress, cancel, ask), several


def _lines() -> LinePanel:
    with gr.Accordion("Peaks", open=False, elem_id="xs-edit"):
        table = html("xs-lines", View().line_table, js_on_load=script("lines.js"))
        with gr.Row(elem_id="xs-new-line"):
            place = gr.Textbox("", label="2θ (°)", placeholder="28.44", max_lines=1, min_width=90, elem_id="xs-place")
            height = gr.Textbox(
                "", label="Intensity (%)", placeholder="40", max_lines=1, min_width=90, elem_id="xs-height"
            )
            add = gr.Button("Add peak", size="sm", min_width=90, elem_id="xs-add")
        with gr.Row(elem_id="xs-line-actions"):
            found = gr.Button("Back to the found peaks", size="sm", interactive=False, elem_id="xs-found")
            again = gr.Button("Search with these peaks", size="sm", interactive=False, elem_id="xs-again")
    return LinePanel(table, place, height, add, found, again)


def _refining() -> RefinePanel:
    with gr.Accordion("Refinement", open=False, elem_id="xs-refinement"):
        table = html("xs-refined", View().refinement)
        with gr.Row(elem_id="xs-refine-actions"):
            start = gr.Button("Refine", size="sm", interactive=False, min_width=90, elem_id="xs-refine")
            cif = gr.Button("Refined CIF", size="sm", interactive=False, min_width=90, elem_id="xs-refined-cif")
            csv = gr.Button("Profile as CSV", size="sm", interactive=False, min_width=90, elem_id="xs-refined-csv")
            plain = gr.Button(
                "CIF, database's cell", size="sm", interactive=False, min_width=90, elem_id="xs-plain-cif"
            )
    return RefinePanel(table, start, cif, csv, plain)


def _several() -> Several:
    with gr.Column(visible=False, elem_id="xs-several") as panel:
        table = html("xs-batch", js_on_load=script("table.js"))
        with gr.Row(elem_id="xs-batch-making"):
            progress = html("xs-batch-progress")
            cancel = gr.Button("Cancel", size="sm", elem_id="xs-batch-cancel")
        with gr.Row(elem_id="xs-batch-files"):
            generate = gr.Checkbox(
                False,
                label="Generate for misses",
                info="Takes minutes per file. What is generated is a proposal, not verified.",
                container=False,
                elem_id="xs-batch-generate",
            )
            csv = gr.Button("Table as CSV", size="sm", elem_id="xs-csv")
            cifs = gr.Button("Structures as CIF (zip)", size="sm", elem_id="xs-zip")
            draw = gr.Button("Draw as a series", size="sm", elem_id="xs-draw-series")
        series = html("xs-series")
    return Several(gr.State(()), panel, table, generate, progress, cancel, csv, cifs, draw, series)


def script(name: str) -> str:
    """Return the text of one of our scripts."""
    return (ASSETS / name).read_text(encoding="utf-8")
