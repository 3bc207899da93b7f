"""The lab: phases that any sample may hold besides a framework, of our own list and of the AFLOW prototypes."""

from xtal.sources.lab.source import LabPhases, open_lab

__all__ = ["LabPhases", "open_lab"]
