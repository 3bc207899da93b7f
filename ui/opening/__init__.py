"""What is opened: a dropped file, several, an example; and what becomes of the one before."""

from ui.opening.events import Opening

__all__ = ["Opening"]
