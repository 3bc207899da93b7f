"""The page: its frame, and how it is served. Components are in `ui.layout`, behaviour in `ui.wiring`."""

import gradio as gr

from ui.api import add_api, offers_tools
from ui.health import health_route
from ui.inputs import LARGEST_FILE
from ui.layout import html, make_inputs, make_outputs
from ui.library import Library
from ui.texts import library_html
from ui.uploads import only_uploads
from ui.viewer import ASSETS
from ui.wiring import Wiring, connect

SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
SYSTEM_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
KEPT = 3600  # seconds that an uploaded file stays on disk
SESSIONS = 50  # open pages whose patterns stay in memory
THREADS = 80  # that wait for searches and generations; gradio's 40 could all be watching generations


def build_page(library: Library) -> gr.Blocks:
    """Return the page that searches the index of `library`."""
    with gr.Blocks(title="Xtalscout", fill_width=True, analytics_enabled=False, delete_cache=(KEPT, KEPT)) as page:
        add_api(library)
        with gr.Row(elem_id="xs-top"):
            html("xs-title", "<h1>Xtalscout</h1><p>Powder pattern in, crystal structure out.</p>")
            status = html("xs-status", library_html(library))
        with gr.Row(elem_id="xs-main"):
            with gr.Column(scale=0, min_width=300, elem_id="xs-inputs"):
                inputs = make_inputs()
            with gr.Column(scale=1, min_width=320, elem_id="xs-results"):
                outputs = make_outputs()
        connect(page, Wiring(library, inputs, *outputs), status)
    only_uploads(page)
    return page


def launch(
    page: gr.Blocks,
    library: Library,
    host: str,
    port: int | None,
    open_browser: bool,
    login: tuple[str, str] | None = None,
) -> str:
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
        mcp_server=offers_tools(login),
        auth=login,
        app_kwargs={"routes": [health_route(library)]},
        max_threads=THREADS,
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
