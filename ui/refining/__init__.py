"""The panel in which the structure shown is refined: its button, the table of results, and the downloads."""

from ui.refining.panel import RefinePanel

__all__ = ["RefinePanel"]
