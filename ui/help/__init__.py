"""The documentation that the page links to: served by the page itself, for a machine without a network."""

from ui.help.pages import help_routes

__all__ = ["help_routes"]
