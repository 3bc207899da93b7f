"""Files that programs hand over: what they uploaded, never a path or an address that this machine would read."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.utils import get_upload_folder

from xtal.errors import UserError

OWN = "/gradio_api/file="  # an address under which this server shows an upload again has its path after this
HOW = "upload the file, in Python with gradio_client.handle_file('sample.xy')"


def uploaded(file: Any) -> Path:
    """Return where an upload lies.

    Args:
        file: what a client sent for one; gradio looks at it only where the client says that it is a file.

    Raises:
        UserError: it is no upload that is still there.
    """
    path = file.get("path") if isinstance(file, dict) else None
    if not isinstance(path, str):
        raise UserError(f"the file must be an upload, got {type(file).__name__} {str(file)[:80]!r}; {HOW}")
    found = Path(path).resolve()
    if not found.is_relative_to(Path(get_upload_folder()).resolve()):
        raise UserError(f"the file must be an upload, got the path {path[:80]!r}; {HOW}")
    if not found.is_file():
        raise UserError(f"the upload {found.name} is no longer there, uploads are kept for an hour; {HOW}")
    return found


def only_uploads(page: gr.Blocks) -> None:
    """Keep a complete page from fetching: gradio would download an address that a client names as a file."""
    for block in page.blocks.values():
        _stay_here(block)


def _stay_here(block: Any) -> None:
    keep = block.async_move_resource_to_block_cache

    async def keep_uploads(given: str | Path | None) -> str | None:
        """Do what `keep` does, but fetch nothing."""
        address = str(given or "")
        if not address.lower().startswith(("http:", "https:")):
            return await keep(given)
        try:
            return str(uploaded({"path": unquote(address.partition(OWN)[2])}))
        except UserError:
            words = f"nothing is fetched, got the address {address[:80]!r}; {HOW}"
            raise gr.Error(words, print_exception=False) from None

    block.async_move_resource_to_block_cache = keep_uploads
