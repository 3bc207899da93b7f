"""What every request passes before anything of it is read: whose name it calls, where it comes from."""

from ui.guard.hosts import Hosts
from ui.guard.middleware import guarded

__all__ = ["Hosts", "guarded"]
