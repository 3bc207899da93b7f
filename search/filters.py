"""Which entries of an index may be hits at all."""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from indexer.storage import Entries
from xtal.errors import UserError

LISTED = 5  # formulas quoted when the one asked for is not in the index


class NothingPassesError(UserError):
    """No entry of an index passes a filter."""


@dataclass(frozen=True)
class Filter:
    """Entries made of no other `elements`, of this reduced `formula` (Hill order), and of all the `required` elements.

    None, and no required element, ask for nothing.
    """

    elements: frozenset[str] | None = None
    formula: str | None = None
    required: frozenset[str] = frozenset()

    def rows(self, entries: Entries) -> NDArray[np.int64] | None:
        """Return the rows that pass, ascending; None when there is nothing to filter.

        Raises:
            NothingPassesError: no entry does.
        """
        if self.elements is None and self.formula is None and not self.required:
            return None
        passes = np.ones(len(entries), dtype=bool)
        if self.elements is not None:
            others = np.ones(entries.elements.shape[1], dtype=bool)
            others[[gemmi.Element(symbol).atomic_number for symbol in self.elements]] = False
            passes &= ~(entries.elements & others).any(axis=1)
        if self.formula is not None:
            passes &= entries.of_formula(self.formula)
        for symbol in self.required:
            passes &= entries.elements[:, gemmi.Element(symbol).atomic_number]
        if not passes.any():
            raise NothingPassesError(f"no entry of the index has {self._words(entries)}")
        return np.flatnonzero(passes)

    def _words(self, entries: Entries) -> str:
        parts = []
        if self.elements is not None:
            parts.append(f"only the elements {', '.join(sorted(self.elements))}")
        if self.required:
            parts.append(f"all of the elements {', '.join(sorted(self.required))}")
        if self.formula is not None:
            symbols = "".join(c for c in self.formula if c.isalpha())
            near = [f for f in dict.fromkeys(entries.formulas) if "".join(c for c in f if c.isalpha()) == symbols]
            like = f" (the same elements occur as {', '.join(near[:LISTED])})" if near else ""
            parts.append(f"the reduced formula {self.formula}{like}")
        return " and ".join(parts)
