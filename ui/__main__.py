"""Serve the page: ``python -m ui``."""

from typing import Annotated

import typer

from ui.library import DEFAULT_INDEXES, Library
from xtal.console import errors_reported

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    index: Annotated[
        list[str], typer.Option(help="Index to search, several as one; default ones are built at first start.")
    ] = DEFAULT_INDEXES,
    host: Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is this machine only.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Another name of this server, as behind a proxy; may be given several times."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; the first free one from 7860 when not given.")] = None,
    user: Annotated[
        str | None, typer.Option(help="Ask for this user and a password, the setting XTALSCOUT_PASSWORD.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(help="Processes that search, for many users at once; 0 searches in this one.", min=0, max=64),
    ] = 0,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
) -> None:
    """Open the page that finds the crystal structure behind a powder X-ray diffraction pattern."""
    from indexer.storage.folders import read_current
    from indexer.storage.joined import JOINT
    from ui.access import check_address, login
    from ui.guard.hosts import Hosts

    with errors_reported():
        allowed, hosts = login(user), Hosts.of(host, allow_host or ())
        for name in set(index) - set(DEFAULT_INDEXES):
            read_current(name)
        warning = check_address(host, port, allowed)
        if warning:
            typer.echo(warning, err=True)

        from ui.app import build_page, launch
        from ui.guard.kept import own_folder

        own_folder()
        library = Library(JOINT.join(index), workers)
        page = build_page(library)
        library.start()
        address = launch(page, library, host, port, open_browser, allowed, hosts)
    print(f"Xtalscout is at {address} - stop it with Ctrl+C", flush=True)
    page.block_thread()


if __name__ == "__main__":
    app()
