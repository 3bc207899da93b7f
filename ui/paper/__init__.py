"""The buttons that hand out what is shown as a figure for print, and as columns of numbers."""

from ui.paper.panel import PaperPanel, paper_buttons

__all__ = ["PaperPanel", "paper_buttons"]
