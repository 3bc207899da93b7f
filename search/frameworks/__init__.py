"""What hits are: frameworks with a common name, their entries, parts and doubts, and how likely each of them is."""

from search.frameworks.described import Describer, Details, Setting
from search.frameworks.group import Framework, all_hits, framework_data, frameworks, spoken_of

__all__ = ["Describer", "Details", "Framework", "Setting", "all_hits", "framework_data", "frameworks", "spoken_of"]
