"""Files that the page makes, handed to the browser as text: nothing of them is written to this machine's disk."""

import base64
import json
from itertools import count

from ui.show.viewer import ASSETS

_serial = count()


def download(name: str, kind: str, content: bytes) -> str:
    """Return the JSON text that makes `assets/download.js` offer a file of this name and media type."""
    data = base64.b64encode(content).decode("ascii")
    # the number makes each text new: the browser acts when it changes
    return json.dumps({"name": name, "type": kind, "data": data, "number": next(_serial)})


def download_script() -> str:
    """Return the JavaScript that offers the file."""
    return (ASSETS / "download.js").read_text(encoding="utf-8")
