"""Worker processes that do not outlive the process that started them."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.process import BaseProcess

ORPHANED = 1  # exit status of a worker whose parent is gone


def settle() -> None:
    """Prepare a worker: Ctrl-C is the parent's business, and a worker ends when its parent does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def end_with_parent() -> None:
    """Watch for the end of the process that started this one with `multiprocessing`, and end at once then."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os._exit(ORPHANED)
