"""``/help``: the pages of the documentation, out of the working copy or the installed files."""

import re
from functools import lru_cache
from html import escape
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

FIRST = "index"
ORDER = ("index", "tutorial", "scripts", "databases", "verdict")  # first in the navigation; others follow by name
PICTURE = re.compile(r"(?:figures/)?[A-Za-z0-9_-]+\.png")
MISSING = 404  # HTTP
STYLE = """
body { font: 15px/1.55 system-ui, sans-serif; color: #1f2937; max-width: 900px; margin: 24px auto; padding: 0 16px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; border-bottom: 1px solid #dfe3e8; padding-bottom: 12px; }
nav a { padding: 4px 0; } a { color: #2b62b3; } table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; padding: 4px 10px; border-bottom: 1px solid #dfe3e8; vertical-align: top; }
pre { background: #f4f6f8; padding: 10px 12px; overflow-x: auto; font-size: 13px; } img { max-width: 100%; }
@media (prefers-color-scheme: dark) { body { color: #e3e8ef; background: #0f141b; } a { color: #7fb0f5; }
  pre { background: #18222f; } th, td, nav { border-color: #2f3947; } }
"""


def help_routes() -> list[Route]:
    """Return the addresses of the documentation; they need no password and tell nothing of anybody."""
    return [
        Route("/help", lambda _: RedirectResponse(f"help/{FIRST}")),
        Route("/help/{name:path}", _answer),
    ]


def _answer(request: Request) -> Response:
    """Return a page, or a picture of one."""
    name, folder = request.path_params["name"], documents()
    if folder is not None and PICTURE.fullmatch(name) and (folder / name).is_file():
        return FileResponse(folder / name)
    if folder is None or name not in titles():
        return HTMLResponse(_framed("Not found", "<p>There is no such page.</p>"), MISSING)
    return HTMLResponse(_framed(titles()[name], rendered((folder / f"{name}.md").read_text(encoding="utf-8"))))


@lru_cache(maxsize=1)
def documents() -> Path | None:
    """Return the folder of the documentation; None where it was not installed."""
    working_copy = Path(__file__).parents[2] / "docs"
    if (working_copy / f"{FIRST}.md").is_file():
        return working_copy
    try:
        installed = distribution("xtalscout").files or []
    except PackageNotFoundError:
        return None
    place = next((Path(str(file.locate())).resolve() for file in installed if file.name == "tutorial.md"), None)
    return None if place is None or not place.is_file() else place.parent


@lru_cache(maxsize=1)
def titles() -> dict[str, str]:
    """Return the name of each page with its heading, up to a colon, in the order of the navigation."""
    folder = documents()
    pages = [] if folder is None else sorted(folder.glob("*.md"), key=lambda page: (_place(page.stem), page.stem))
    return {page.stem: _heading(page).partition(":")[0] for page in pages}


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _heading(page: Path) -> str:
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").strip() or page.stem


def rendered(text: str) -> str:
    """Return Markdown as HTML; links between pages lead to addresses, names of Python objects stand as code."""
    from markdown_it import MarkdownIt

    plain = re.sub(r"^::: (\S+)\n(?:    .*\n)*", r"`\1`\n", text, flags=re.MULTILINE)
    html = MarkdownIt("commonmark").enable("table").render(plain)
    html = re.sub(r'href="(\w+)\.md(#[^"]*)?"', r'href="\1\2"', html)
    return re.sub(r'<a href="\w+\.ipynb">([^<]*)</a>', r"\1", html)


def _framed(title: str, body: str) -> str:
    links = "".join(f'<a href="{name}">{escape(heading)}</a>' for name, heading in titles().items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: Xtalscout</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><nav>{links}</nav><main>{body}</main></body></html>"
    )
