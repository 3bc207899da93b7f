"""Frameworks solved from their parts: poses of rigid parts, sought such that bonds, contacts and the pattern agree."""

from generate.solving.among import solved_among
from generate.solving.starts import indexed, solved_starts

__all__ = ["indexed", "solved_among", "solved_starts"]
