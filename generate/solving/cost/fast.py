"""How the compiled code of this room may calculate."""

FAST = {"nnan", "ninf", "nsz"}
"""Neither in another order, nor with products and sums fused, nor by reciprocals: where the compiler may choose all of
these, code that was just compiled was met to differ in the last digits from the same code out of numba's cache, and a
seed did not repeat a run. It costs an eighth of the time."""
