"""The periodic table in which elements are marked as ones that must, or must not, be there."""

import json
from dataclasses import dataclass
from typing import Self

import gemmi

from xtal.crystals import HIGHEST_NUMBER
from xtal.errors import UserError

GASES = (2, 10, 18, 36, 54, 86)  # each closes a period
F_COLUMN = 4  # of La and Ac


@dataclass(frozen=True)
class Choice:
    """Elements that every hit must hold, and those that none may hold; all others may be there."""

    must: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read what `assets/elements.js` writes: ``{"must": ["Zn"], "without": ["Cl"]}``; a blank asks for nothing.

        Raises:
            UserError: it is something else, which the page itself never sends.
        """
        if not (text or "").strip():
            return cls()
        try:
            marked = json.loads(text or "")
            must, without = (frozenset(str(symbol) for symbol in marked[name]) for name in ("must", "without"))
        except (ValueError, TypeError, KeyError):
            raise UserError("the marks in the periodic table cannot be read; reload the page") from None
        if strange := sorted((must | without) - set(symbols())):
            raise UserError(f"{', '.join(strange)}: no such element in the periodic table; reload the page")
        return cls(must, without)

    def allowed(self, only: frozenset[str] | None) -> frozenset[str] | None:
        """Return the elements that hits may hold when they may hold `only` these; None allows all.

        Raises:
            UserError: an element must be there and is not allowed.
        """
        if only is not None and (lost := sorted(self.must - only)):
            raise UserError(
                f"{', '.join(lost)} must be there by the periodic table, but is not among “Only these elements”"
            )
        if not self.without:
            return only
        return (frozenset(symbols()) if only is None else only) - self.without


def symbols() -> list[str]:
    """List the elements that a crystal here may hold, by atomic number."""
    return [gemmi.Element(z).name for z in range(1, HIGHEST_NUMBER + 1)]


def place(number: int) -> tuple[int, int]:
    """Return row and column, from 1, of an element in the table of 18 columns."""
    period = 1 + sum(number > gas for gas in GASES)
    before = (0, *GASES)[period - 1]
    step = number - before
    if period == 1:
        return 1, 1 if number == 1 else 18
    if period <= 3:
        return period, step if step <= 2 else step + 10
    if period <= 5 or step <= 2:
        return period, step
    if step <= 17:
        return period + 3, F_COLUMN + step - 3  # La to Lu below the table
    return period, step - 14


def periodic_html() -> str:
    """Return the table as buttons; `assets/elements.js` keeps what is marked."""
    cells = "".join(_cell(number, symbol) for number, symbol in enumerate(symbols(), 1))
    return (
        '<p class="xs-hint">Click an element: <b class="xs-must">must be there</b>, again: '
        '<b class="xs-without">must not</b>, again: may.</p>'
        '<p class="xs-hint">The table goes on to the right: swipe or scroll it.</p>'
        f'<div class="xs-elements" role="group" aria-label="Elements">{cells}</div>'
        '<p class="xs-hint xs-marked" aria-live="polite"></p>'
    )


def _cell(number: int, symbol: str) -> str:
    row, column = place(number)
    stop = 0 if number == 1 else -1
    return (
        f'<button type="button" data-element="{symbol}" tabindex="{stop}" style="grid-area: {row} / {column}" '
        f'aria-label="{symbol}: may be there">{symbol}</button>'
    )
