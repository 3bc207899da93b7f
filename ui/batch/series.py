"""The answers of a batch as a series: a figure on the page, and the same as files."""

import base64
from typing import TYPE_CHECKING

from ui.batch.batch import Batch
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.engine import Engine


def series_html(batch: Batch, engine: "Engine") -> str:
    """Return the figure of all answered files, with links that save it and its table.

    Raises:
        UserError: fewer than two files were answered, or their scans have no angles in common.
    """
    from search.paper.series import scan_of, series_csv
    from search.paper.series_figure import series_bytes

    scans = [scan_of(engine, item.solution, item.source.name) for item in batch if item.solution is not None]
    if len(scans) < 2:
        raise UserError(f"A series needs two answered files or more, there are {len(scans)}.")
    figure = _address("image/svg+xml", series_bytes(scans, ".svg"))
    table = _address("text/csv", series_csv(scans).encode("utf-8-sig"))
    return (
        '<figure class="xs-series"><img alt="Patterns, shares of the phases and volumes of their cells, scan by scan" '
        f'src="{figure}"><figcaption><a download="series.svg" href="{figure}">Figure as SVG</a> '
        f'<a download="series.csv" href="{table}">Table as CSV</a> Shares are estimates; scans are ordered by the '
        "numbers in their names.</figcaption></figure>"
    )


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
