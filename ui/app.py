"""The page: its frame, and how it is served. Components are in `ui.layout`, behaviour in `ui.wiring`."""

import re
from functools import partial

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

from ui.access import admits
from ui.api import REFUSALS, add_api, call_routes, health_route, offers_tools, search_route, tell_refusals
from ui.cells.events import connect_cells
from ui.connect import connect
from ui.guard import Hosts, guarded
from ui.help import help_routes
from ui.inputs import LARGEST_FILE
from ui.layout import html, make_inputs, make_outputs
from ui.library import Library
from ui.paper.events import connect_paper
from ui.refining.events import connect_refining
from ui.show.texts import library_html
from ui.show.viewer import ASSETS
from ui.uploads import only_uploads
from ui.wiring import Wiring

SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
SYSTEM_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
KEPT = 3600  # seconds that an uploaded file stays on disk
SESSIONS = 50  # open pages whose patterns stay in memory
THREADS = 80  # that wait for searches and generations; gradio's 40 could all be watching generations
QUEUE_LOOK = 0.01  # seconds between looks at the queue; gradio's thousand looks a second take a tenth of a core
QUEUE_NEWS = 1.0  # seconds between words on one's place in the queue; at every move, all who wait would be told
NEVER = 10**9  # calls between statistics
PROGRAM = re.compile("[0-9a-f]{32}")  # gradio's name of a call that belongs to no page


class Sessions(StateHolder):
    """The states of open pages.

    Calls of programs keep nothing and share one state: gradio would describe the whole page anew for each of them, and
    throw out the oldest open page for it.
    """

    def __getitem__(self, session_id: str) -> SessionState:
        """Return the state of a page."""
        return super().__getitem__("" if PROGRAM.fullmatch(session_id) else session_id)


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
        html(
            "xs-foot",
            '<p><a href="help/tutorial" target="_blank">Ten minutes</a> · <a href="help/verdict" '
            'target="_blank">Reading the verdict</a> · <a href="help" target="_blank">Documentation</a></p>',
        )
        connect(page, Wiring(library, inputs, *outputs), status)
        connect_refining(library, outputs[0])
        connect_paper(library, outputs[0])
        connect_cells(outputs[0])
    only_uploads(page)
    tell_refusals(page)
    _calm_queue(page)
    return page


def launch(
    page: gr.Blocks,
    library: Library,
    host: str,
    port: int | None,
    open_browser: bool,
    login: tuple[str, str] | None = None,
    hosts: Hosts | None = None,
) -> str:
    """Serve the page in the background and return its address. Nothing it loads comes from another machine.

    Args:
        page: to serve.
        library: that answers.
        host: address to listen on.
        port: to listen on; None takes the first free one.
        open_browser: whether a browser shows the page.
        login: user and password; None where nobody is asked.
        hosts: names of the server, by default those of `host`.
    """
    routes = [health_route(library), search_route(library, login), *call_routes(library), *help_routes()]
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
        auth=None if login is None else partial(admits, login),
        app_kwargs={"routes": routes, "lifespan": guarded(hosts or Hosts.of(host)), "exception_handlers": REFUSALS},
        max_threads=THREADS,
        state_session_capacity=SESSIONS,
        quiet=True,
        prevent_thread_lock=True,
        _frontend=False,  # on a busy machine gradio's look at its own page fails after 3 s, and with it the start
    )
    page.app.state_holder = Sessions()
    page.app.state_holder.set_blocks(page)
    return address


def _calm_queue(page: gr.Blocks) -> None:
    """Keep gradio's queue from taking more of the processor than the searches that wait in it.

    By default it tells all who wait about every move, and after every call makes a statistic of the last 10,000, which
    only its monitoring page would show. Nobody may go past it.
    """
    page.queue(status_update_rate=QUEUE_NEWS, api_open=False)
    queue = page._queue
    queue.sleep_when_free = QUEUE_LOOK
    queue.ANALYTICS_MAX_EVENTS, queue.ANAYLTICS_CACHE_FREQUENCY = 1, NEVER  # as gradio spells it


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
