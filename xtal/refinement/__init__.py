"""Refinement of structures against a pattern: Rietveld, Le Bail and Pawley through rietx, and GSAS-II where installed.

What is asked (`asked`), the order of steps (`rietx_plan`), the result with its remarks (`refined`, `remarks`), and the
result as a table, a CIF and columns of data. Neither program is imported before something is refined.
"""

from xtal.refinement.asked import MODES, Choices, Mode, Observed, Start
from xtal.refinement.engine import PROGRAMS, Program, refine
from xtal.refinement.refined import RefinedPhase, Refinement, Value

__all__ = [
    "MODES",
    "PROGRAMS",
    "Choices",
    "Mode",
    "Observed",
    "Program",
    "RefinedPhase",
    "Refinement",
    "Start",
    "Value",
    "refine",
]
