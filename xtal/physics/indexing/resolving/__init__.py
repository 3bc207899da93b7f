"""A pattern taken apart into single lines, with places far finer than their widths, for indexing.

The found lines of a sample are maxima; here a sum of lines of one common shape is fitted to the pattern, lines are
added where something is left over, what is no line is left out, and every place gets its standard uncertainty.
"""

from pathlib import Path

from xtal.compiled import forget_older
from xtal.physics.indexing.resolving.fit import Resolved
from xtal.physics.indexing.resolving.profile import Profile, first_lines
from xtal.physics.indexing.resolving.resolve import resolve

__all__ = ["Profile", "Resolved", "first_lines", "resolve"]

forget_older(Path(__file__).parent)
