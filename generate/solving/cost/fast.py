"""How the compiled code of this room may calculate."""

FAST = {"nnan", "ninf", "nsz", "arcp", "afn"}
"""Not in another order, nor with products and sums fused: with these, code that was just compiled was met to differ in
the last digits from the same code out of numba's cache, and a seed did not repeat a run. The sums of the misfit, half
of the time, may be reordered: there none differed."""
