"""Refinement of what was found: the fit of the search is the start, `xtal.refinement` does the rest."""

from search.refinement.run import Model, Refined, model_of, model_of_entry, refine_models
from search.refinement.start import Fitted, fitted, strained

__all__ = ["Fitted", "Model", "Refined", "fitted", "model_of", "model_of_entry", "refine_models", "strained"]
