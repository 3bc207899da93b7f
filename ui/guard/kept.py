"""The folder of uploads: one for each server, gone with it, and of bounded size."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from indexer.storage.files import exclusive
from xtal.errors import UserError

PREFIX, LOCK = "xtalscout-uploads-", "in-use"
MOST_KEPT = 2**30  # bytes of uploads at one time; each is kept for an hour


def own_folder() -> Path:
    """Make a folder for the uploads of this process, and remove those of servers that ended without doing so.

    To be called before a page is built. A lock, which the kernel drops with the process, tells which are in use.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _remove_left(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    hold = ExitStack()
    hold.enter_context(exclusive(folder / LOCK, "in use"))
    atexit.register(_leave, folder, hold)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)  # where gradio puts uploads
    return folder


def _leave(folder: Path, hold: ExitStack) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    hold.close()


def _remove_left(folder: Path) -> None:
    """Remove a folder of this user whose server is gone."""
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / LOCK).exists():
            return
        with exclusive(folder / LOCK, "in use"):
            shutil.rmtree(folder, ignore_errors=True)
    except (OSError, UserError):
        return


def room_left() -> bool:
    """Tell whether one more request may bring uploads."""
    from gradio.utils import get_upload_folder

    kept = 0
    for folder, _, names in os.walk(get_upload_folder()):
        for name in names:
            try:
                kept += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return kept < MOST_KEPT
