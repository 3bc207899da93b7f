"""Many patterns at once: their table, their panel, and their generation."""

from ui.batch.batch import Files, batch_html
from ui.batch.panel import BatchEvents, Several, connect_batch

__all__ = ["BatchEvents", "Files", "Several", "batch_html", "connect_batch"]
