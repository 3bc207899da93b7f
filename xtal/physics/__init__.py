"""What ties a crystal to its powder pattern: reflections, lines, profiles, artefacts, fit and posterior."""

from xtal.physics.artefacts import PAPER_SCAN, SEVERITIES, Scan, measure
from xtal.physics.line_table import LineRows, LineTable
from xtal.physics.powder import Reflections, crystal_lines, powder_lines, reflections
from xtal.physics.shell import Shell
from xtal.physics.sticks import Sticks

__all__ = [
    "PAPER_SCAN",
    "SEVERITIES",
    "LineRows",
    "LineTable",
    "Reflections",
    "Scan",
    "Shell",
    "Sticks",
    "crystal_lines",
    "measure",
    "powder_lines",
    "reflections",
]
