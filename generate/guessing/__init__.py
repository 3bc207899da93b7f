"""What a primitive cell may hold, where that is not known: by metals and linkers, or by a formula of any multiple."""

from generate.guessing.linkers import frameworks_in, indexed_cells, likely_cells, usable_contents
from generate.guessing.multiples import Multiple, likely_multiples

__all__ = ["Multiple", "frameworks_in", "indexed_cells", "likely_cells", "likely_multiples", "usable_contents"]
