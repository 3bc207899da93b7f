"""Frameworks solved from their parts: poses of rigid parts, sought such that bonds, contacts and the pattern agree."""

from generate.solving.starts import solved_starts

__all__ = ["solved_starts"]
