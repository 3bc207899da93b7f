"""A server with nothing but the endpoints, on a small real index: the fixture of the tests, and a target for load.

Run it as ``python tests/helpers/api_server.py HOME PORT [WORKERS]`` to have it in a process of its own.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INDEX, ENTRIES = "coremof2019-asr", 60


def build_home(folder: Path) -> Path:
    """Build an index that the shipped fingerprints made, which the shipped calibration judges."""
    import models
    from indexer.build import build
    from indexer.plan import open_plan

    build(open_plan([INDEX], models.load(), limit=ENTRIES, home=folder), workers=1)
    return folder


@contextmanager
def serving(
    home: Path, port: int | None = None, ready: bool = True, workers: int = 0, **options
) -> Iterator[tuple[str, object]]:
    """Serve the endpoints; gives the address and the library, whose solver is None unless `ready`."""
    from search.solve import Solver
    from ui.api import REFUSALS, add_api, call_routes, health_route, search_route, tell_refusals
    from ui.guard import Hosts, guarded
    from ui.library import Library
    from ui.uploads import only_uploads

    import gradio as gr  # isort: skip - after ui, which keeps it from asking other machines

    library = Library(INDEX)
    library.solver = Solver.open(INDEX, home, workers=workers) if ready else None
    with gr.Blocks(analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        add_api(library)
    only_uploads(page)
    tell_refusals(page)
    routes = [health_route(library), search_route(library, options.get("auth")), *call_routes(library)]
    lifespan = guarded(Hosts.of("127.0.0.1"))
    server = {"routes": routes, "lifespan": lifespan, "exception_handlers": REFUSALS}
    more = {"app_kwargs": server, "mcp_server": False, **options}
    _, address, _ = page.launch(server_port=port, quiet=True, ssr_mode=False, prevent_thread_lock=True, **more)
    try:
        yield address.rstrip("/"), library
    finally:
        page.close()
        if library.solver is not None:
            library.solver.close()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    place = Path(sys.argv[1])
    known = place if (place / "indexes").is_dir() else build_home(place)
    with serving(known, int(sys.argv[2]), workers=int(sys.argv[3]) if len(sys.argv) > 3 else 0) as (at, _):
        sys.stdout.write(f"{at}\n")
        sys.stdout.flush()
        sys.stdin.read()
