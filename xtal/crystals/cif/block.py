"""One data block of a CIF: its values by tag, whatever the age of the dictionary that the tags are from."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from gemmi import cif
from numpy.typing import NDArray

LONGEST = 60  # characters of a number
FRACTION = re.compile(r"([+-]?\d+)/([1-9]\d*)")
NUMBER = re.compile(r"([+-]?(?:\d+[.,]?\d*|[.,]\d+))(?:[eEdD]([+-]?\d+))?\s*(?:\(\d*\)?)?")


class Block:
    """The values of a data block.

    Tags are compared in lower case and with underscores for dots, so that ``_cell.length_a`` of the newer dictionaries
    is ``_cell_length_a``. Values come as they stand in the file, quotes included, unless said otherwise.
    """

    def __init__(self, block: cif.Block) -> None:
        self.name: str = block.name
        self._block = block
        self._tags: dict[str, str] = {}
        item: Any
        for item in block:
            if item.pair is not None:
                self._tags.setdefault(item.pair[0].lower().replace(".", "_"), item.pair[0])
            elif item.loop is not None:
                for tag in item.loop.tags:
                    self._tags.setdefault(tag.lower().replace(".", "_"), tag)

    def listed(self, tag: str) -> list[str]:
        """Return the values under a tag, also when all are ``?`` or ``.``."""
        written = self._tags.get(tag)
        return [] if written is None else list(self._block.find_values(written))

    def column(self, *tags: str) -> list[str]:
        """Return the values under the first of the tags that holds any but ``?`` and ``.``, or nothing."""
        for tag in tags:
            values = self.listed(tag)
            if not {"?", "."}.issuperset(values):
                return values
        return []

    def value(self, *tags: str) -> str:
        """Return the first value, unquoted and on one line, under the first of the tags that holds one, or nothing."""
        for tag in tags:
            if (written := self._tags.get(tag)) is not None:
                values = self._block.find_values(written)
                if len(values) and (text := " ".join(cif.as_string(values[0]).split())):
                    return text
        return ""

    def number(self, tag: str) -> float:
        """Return the first value under a tag as a number, NaN when there is none."""
        return number(self.value(tag))


def numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return (N,) numbers; ``?``, ``.`` and words are NaN."""
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError:
        return np.array([number(text) for text in texts])


def number(text: str) -> float:
    """Return the number that a value means: ``1.23(4)``, ``0,25``, ``1/3`` and ``'0.5'`` are numbers, words are NaN."""
    value = cif.as_number(text)
    if value == value:  # not NaN
        return float(value)
    bare = text.strip("'\" ")
    if len(bare) > LONGEST:
        return np.nan
    if fraction := FRACTION.fullmatch(bare):
        return float(fraction[1]) / float(fraction[2])
    if found := NUMBER.fullmatch(bare):
        return float(f"{found[1].replace(',', '.')}e{found[2] or 0}")
    return np.nan
