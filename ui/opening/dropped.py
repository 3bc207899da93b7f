"""The box that patterns are dropped on."""

from pathlib import Path, PurePosixPath
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from ui.inputs import Source

LONGEST = 255  # letters of a name; file systems know no longer ones
NAMELESS = "pattern"


def drop_box(label: str, name: str) -> gr.File:
    """Return gradio's box for files, which hands over `Source`s: files with the names that they have elsewhere.

    Their copies on this machine may have others: a browser sends ``"`` as ``%22``, and gradio leaves out letters that
    some systems forbid. It is no class of its own, for gradio writes a file beside the module of each.

    Args:
        label: above it.
        name: of the element on the page.
    """
    box: Any = gr.File(label=label, file_count="multiple", height=132, elem_id=name)
    box.preprocess, box.postprocess = _sources, _listed
    return box


def called(name: str) -> str:
    """Return what to call a file of this name: the last part of a path, on one line, without letters nobody can see."""
    seen = "".join(letter if letter.isprintable() else " " for letter in PurePosixPath(name).name)
    return seen.strip()[:LONGEST] or NAMELESS


def _sources(given: ListFiles | None) -> list[Source] | None:
    """Return the files that were dropped."""
    if given is None:
        return None
    return [Source(Path(each.path), called(each.orig_name or Path(each.path).name)) for each in given]


def _listed(sources: list[Source] | None) -> ListFiles | None:
    """Return what the browser lists of these files."""
    if not sources:
        return None
    return ListFiles(
        [FileData(path=str(each.path), orig_name=each.name, size=each.path.stat().st_size) for each in sources]
    )
