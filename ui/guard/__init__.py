"""What every request passes before anything of it is read: whose name it calls, whence it comes, how large it is."""

from ui.guard.hosts import Hosts
from ui.guard.middleware import guarded

__all__ = ["Hosts", "guarded"]
