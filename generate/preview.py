"""How far a generation is, for those who watch it."""

from collections.abc import Callable
from dataclasses import dataclass

from xtal.crystals import Crystal


@dataclass(frozen=True)
class Turn:
    """One of the formulas that a generation tries.

    Attributes:
        number: of this one, from 1.
        count: of all formulas.
        formula: contents of the cell, blank where nobody said.
        begin: share of all the work that is done before it, 0 to 1.
        end: share that is done after it.
    """

    number: int = 1
    count: int = 1
    formula: str = ""
    begin: float = 0.0
    end: float = 1.0

    @property
    def words(self) -> str:
        """Name it: ``formula 2 of 3: C24H12O13Zn4``, or the formula alone where there is one."""
        return f"formula {self.number} of {self.count}: {self.formula}" if self.count > 1 else self.formula


ONE = Turn()


@dataclass(frozen=True)
class Preview:
    """How far a generation is, and its candidates as they look now.

    Attributes:
        step: done of `steps`, of the search from parts or of the sampler.
        steps: of all.
        crystals: returns the candidates.
        turn: the formula.
        begin: share of the formula's work that was done before these steps, 0 to 1.
        end: share that is done after them.
        what: is being done, where it is not sampling.
    """

    step: int
    steps: int
    crystals: Callable[[], list[Crystal]]
    turn: Turn = ONE
    begin: float = 0.0
    end: float = 1.0
    what: str = ""

    @property
    def share(self) -> float:
        """Part of the work that is done, over all formulas, 0 to 1."""
        done = self.begin + (self.end - self.begin) * self.step / max(self.steps, 1)
        return self.turn.begin + (self.turn.end - self.turn.begin) * done


Watch = Callable[[Preview], None]
"""Called with what is built from known crystals and after every step of the sampler; to cancel, it raises."""


CANCELLED = "the generation was cancelled"


class Cancelled(Exception):  # noqa: N818 - it is no error
    """Raised by a `Watch` to stop a generation."""
