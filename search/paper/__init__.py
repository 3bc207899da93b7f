"""What goes into a paper or a supplement: the fitted profile as a figure with indices, and as columns of numbers."""

from search.paper.figure import draw, figure_bytes
from search.paper.profile import FittedProfile, Marks, of_crystal, of_hits, of_refined, of_solution

__all__ = ["FittedProfile", "Marks", "draw", "figure_bytes", "of_crystal", "of_hits", "of_refined", "of_solution"]
