"""The layout of the page and its wiring; what the page does is in `ui.actions`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ui.actions import Actions, View
from ui.inputs import FROM_FILE, LARGEST_FILE, Source, examples, wavelength_choices
from ui.library import Library
from ui.table import table_script
from ui.texts import formats_html, library_html
from ui.viewer import ASSETS, VIEWER_HTML, script_head, viewer_script

SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
SYSTEM_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
POLL = 1.0  # seconds between looks at the progress of a build
KEPT = 3600  # seconds that an uploaded file stays on disk
SESSIONS = 50  # open pages whose patterns stay in memory


@dataclass(frozen=True, eq=False)
class Inputs:
    """The controls on the left."""

    file: gr.File
    example: gr.Dropdown
    wavelength: gr.Dropdown
    elements: gr.Textbox
    formula: gr.Textbox
    button: gr.Button


@dataclass(frozen=True, eq=False)
class Outputs:
    """What shows a `View`."""

    view: gr.State
    root: gr.Checkbox
    figure: gr.Plot
    facts: gr.HTML
    message: gr.HTML
    table: gr.HTML
    scene: gr.HTML

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [self.view, self.figure, self.facts, self.message, self.table, self.scene]

    @staticmethod
    def values(view: View, root: bool) -> list[Any]:
        """Return what each component shows; `root` asks for square roots of the intensities."""
        return [view, view.figure(root), view.facts, view.message, view.table, view.scene]


def build_page(library: Library) -> gr.Blocks:
    """Return the page that searches the index of `library`."""
    with gr.Blocks(title="Xtalscout", fill_width=True, analytics_enabled=False, delete_cache=(KEPT, KEPT)) as page:
        with gr.Row(elem_id="xs-top"):
            _html("xs-title", "<h1>Xtalscout</h1><p>Powder pattern in, crystal structure out.</p>")
            status = _html("xs-status", library_html(library))
        with gr.Row(elem_id="xs-main"):
            with gr.Column(scale=0, min_width=300, elem_id="xs-inputs"):
                inputs = _inputs()
            with gr.Column(scale=1, min_width=320, elem_id="xs-results"):
                outputs = _outputs()
        _wire(page, library, inputs, outputs, status)
    return page


def launch(page: gr.Blocks, host: str, port: int | None, open_browser: bool) -> str:
    """Serve the page in the background and return its address. Nothing it loads comes from another machine."""
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        inbrowser=open_browser,
        share=False,
        theme=_theme(),
        css_paths=ASSETS / "style.css",
        allowed_paths=[str(ASSETS)],
        max_file_size=LARGEST_FILE,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        state_session_capacity=SESSIONS,
        quiet=True,
        prevent_thread_lock=True,
    )
    return address


def _theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        spacing_size="sm",
        radius_size="sm",
        text_size="md",
        font=SYSTEM_FONTS,
        font_mono=SYSTEM_MONO,
    )


def _html(name: str, value: str = "", **options: Any) -> gr.HTML:
    """Return a piece of HTML that only our own style sheet formats."""
    return gr.HTML(value, elem_id=name, apply_default_css=False, **options)


def _inputs() -> Inputs:
    bundled = examples()
    file = gr.File(label="Powder pattern", file_count="single", type="filepath", height=132, elem_id="xs-file")
    _html("xs-formats", formats_html())
    return Inputs(
        file=file,
        example=gr.Dropdown(
            [(source.name, str(source.path)) for source in bundled],
            value=None,
            label="or an example",
            visible=bool(bundled),
            elem_id="xs-example",
        ),
        wavelength=gr.Dropdown(
            wavelength_choices(),
            value=FROM_FILE,
            label="Wavelength",
            info="Pick a line, or type a number in Å or an energy in keV.",
            allow_custom_value=True,
            elem_id="xs-wavelength",
        ),
        elements=gr.Textbox(
            label="Only these elements", placeholder="any, or Zn C H O", max_lines=1, elem_id="xs-elements"
        ),
        formula=gr.Textbox(label="Formula", placeholder="any, or Zn4C24H12O13", max_lines=1, elem_id="xs-formula"),
        button=gr.Button("Search", variant="primary", elem_id="xs-search"),
    )


def _outputs() -> Outputs:
    message = _html("xs-message")
    first = View()
    with gr.Row(elem_id="xs-head"):
        facts = _html("xs-facts")
        root = gr.Checkbox(False, label="√ intensity", container=False, elem_id="xs-root")
    figure = gr.Plot(first.figure(False), show_label=False, container=False, elem_id="xs-plot")
    with gr.Row(elem_id="xs-answer"):
        with gr.Column(scale=3, min_width=320):
            table = _html("xs-table", first.table, js_on_load=table_script())
        with gr.Column(scale=2, min_width=300):
            scene = _html("xs-viewer", html_template=VIEWER_HTML, js_on_load=viewer_script(), head=script_head())
    return Outputs(gr.State(first), root, figure, facts, message, table, scene)


def _wire(page: gr.Blocks, library: Library, inputs: Inputs, outputs: Outputs, status: gr.HTML) -> None:
    actions = Actions(library)
    source = gr.State(None)

    def open_file(path: str | None, wavelength: str, root: bool) -> list[Any]:
        origin = Source(Path(path), Path(path).name) if path else None
        return [origin, None, *Outputs.values(actions.show(origin, wavelength), root)]

    def open_example(path: str | None, wavelength: str, root: bool) -> list[Any]:
        origin = next((s for s in examples() if str(s.path) == path), None)
        return [origin, None, *Outputs.values(actions.show(origin, wavelength), root)]

    def change_wavelength(origin: Source | None, wavelength: str, root: bool) -> list[Any]:
        if origin is None:  # nothing to read again; a file may be on its way, and its view must not be wiped
            return [gr.skip() for _ in every]
        return Outputs.values(actions.show(origin, wavelength), root)

    def search(view: View, elements: str, formula: str, root: bool) -> list[Any]:
        return Outputs.values(actions.search(view.loaded, elements, formula), root)

    def search_loaded(view: View, elements: str, formula: str, root: bool) -> list[Any]:
        return search(view, elements, formula, root) if view.loaded else [gr.skip() for _ in every]

    def select(view: View, root: bool, event: gr.EventData) -> list[Any]:
        return Outputs.values(actions.select(view, event.rank), root)

    def poll() -> list[Any]:
        return [library_html(library), gr.Timer(active=not library.settled), library.engine is not None]

    every, root = outputs.components(), outputs.root
    filters = [outputs.view, inputs.elements, inputs.formula, root]
    look: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    work: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": outputs.figure, "api_visibility": "private"}
    from_file = ([inputs.file, inputs.wavelength, root], [source, inputs.example, *every])
    from_example = ([inputs.example, inputs.wavelength, root], [source, inputs.file, *every])
    loads = [
        inputs.file.upload(open_file, *from_file, **work),
        inputs.example.input(open_example, *from_example, **work),
        inputs.wavelength.input(change_wavelength, [source, inputs.wavelength, root], every, **work),
    ]
    for load in loads:
        load.then(search_loaded, filters, every, **work)
    inputs.file.clear(open_file, *from_file, **look)
    gr.on([inputs.button.click, inputs.elements.submit, inputs.formula.submit], search, filters, every, **work)
    outputs.table.select(select, [outputs.view, root], every, **look)
    root.input(View.figure, [outputs.view, root], outputs.figure, **look)

    ready = gr.State(False)
    timer = gr.Timer(POLL)
    gr.on([timer.tick, page.load], poll, None, [status, timer, ready], **look)
    ready.change(search_loaded, filters, every, **work)
