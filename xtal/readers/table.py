"""Text taken apart into a header and rows of numbers, whatever separates them.

Cells are separated by blanks, tabs, semicolons or commas, and may be quoted; numbers have a decimal point or comma, and
may have thousands separators. Lines that are no row are the header, as are comments (starting with # ! ; ' % * or //).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np

from xtal.errors import UserError
from xtal.readers.scan import MOST_POINTS

COMMENT = re.compile(r"[#!;'%*]|//")
SIGNS = " #!;'%*/"
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
WITH_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?|[+-]?\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+(?:[.,]\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:([,.' \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
PLAIN = str.maketrans("", "", "0123456789+-.eE \t\n")  # what rows of numbers between blanks are made of
LONGEST_LINE = 1000  # characters; comments may be longer, and are cut
STATEMENT = re.compile(r"[:=]\s*[\"']?[\d.,]+(?![\w.])|:(?:\s|$)|(?:^|[\s(])\d+\.\d")  # of a value: no heading
FEWEST_WORDED = 10  # rows with words in them are a table from so many alike on


@dataclass(frozen=True)
class Table:
    """A text file taken apart.

    Attributes:
        header: the lines that are no row of numbers, without comment signs.
        above: the last of them before the first row, the nearest last; blank ones left out.
        separator: what separates the cells of the rows: "," ";" a tab, or a blank.
        rows: (M, C) the numbers; NaN where a cell is empty.
        empty: (M, C) where cells are empty, or None where none is.
        width: how many cells a row has, with those that hold words.
        kept: of these cells, the columns of numbers; None for all.
    """

    header: list[str]
    above: list[str]
    separator: str
    rows: np.ndarray
    empty: np.ndarray | None = None
    width: int = 0
    kept: tuple[int, ...] | None = None


@dataclass
class _Found:
    """Rows found so far, in blocks of equal width that lines of text separate."""

    header: list[str] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    blocks: list[list[list[str]]] = field(default_factory=list)
    apart: bool = True


def read_table(name: str, lines: list[str]) -> Table:
    """Split `lines` into header and rows; of several tables with different columns the longest is taken.

    Raises:
        UserError: with the `name` of the file, where there are no rows, or rows do not agree.
    """
    found = _Found()
    separator = " "
    for number, line in enumerate(lines, 1):
        text = line[:LONGEST_LINE].strip()
        comment = COMMENT.match(text)
        if comment or not text:
            _note(found, text.lstrip(SIGNS) if comment else "")
            continue
        if len(line) > LONGEST_LINE:
            raise UserError(f"{name}: line {number} has {len(line):,} characters; a row of numbers has fewer than that")
        cells, used = split(text)
        if not _is_row(cells):
            if found.blocks and cells and is_number(cells[0]):
                raise _uneven(name, number, text, sum(map(is_number, cells)), len(found.blocks[-1][0]))
            _note(found, text)
            found.apart = True
            continue
        if not found.blocks:
            separator = used
            if (rest := _plain_rows(lines[number - 1 :], cells, used)) is not None:
                return Table(found.header, found.above, used, rest, width=rest.shape[1])
        elif not found.apart and len(cells) != len(found.blocks[-1][0]):
            width = len(found.blocks[-1][0])
            if len(cells) > width or used == " " or not line.rstrip(" ").endswith(used):
                raise _uneven(name, number, text, len(cells), width)
            cells += [""] * (width - len(cells))  # the shorter one of two tables side by side has ended
        if found.apart:
            found.blocks.append([])
        found.apart = False
        found.blocks[-1].append(cells)
        if len(found.blocks[-1]) > MOST_POINTS:
            raise UserError(f"{name}: more than {MOST_POINTS:,} rows; a pattern has at most that many points")
    if not found.blocks or max(map(len, found.blocks)) < FEWEST_WORDED:
        worded = _worded(lines)
        if worded is not None:
            return worded
    if not found.blocks:
        raise UserError(f"{name}: no rows of numbers found; a pattern file needs columns of 2θ and intensity")
    return _numbers(found, _main(found.blocks), separator)


def _main(blocks: list[list[list[str]]]) -> list[list[str]]:
    """Return the rows of the longest block and of all with as many columns, without a few numbers above them."""
    longest = max(blocks, key=len)
    alike = [block for block in blocks if len(block[0]) == len(longest[0])]
    first = next((i for i, block in enumerate(alike) if len(block) >= FEWEST_WORDED), 0)
    return [row for block in alike[first:] for row in block]


def split(text: str) -> tuple[list[str], str]:
    """Return the cells of a line, and what separates them."""
    if '"' in text:
        bare = re.sub(r'"[^"]*"', "", text)
        used = next((sign for sign in ";\t," if sign in bare), " ")
        return [
            cell.strip(" \"'") for cell in next(csv.reader([text], delimiter=used, skipinitialspace=True), [])
        ], used
    for used in ";\t":
        if used in text:
            cells = [cell.strip().rstrip(",").strip() for cell in text.rstrip(f" {used}").split(used)]
            if used == ";" or all(not cell or is_number(cell) or not cell[0].isdigit() for cell in cells):
                return cells, used
    cells = text.rstrip(" ,\t").split()
    if not cells or "," not in text or (len(cells) > 1 and all(map(is_number, cells))):
        return cells, " "
    return re.split(
        r"\s*,\s*|\s+(?=[\d.+-])" if any(c.isdigit() for c in cells[0]) else r"\s*,\s*", text.rstrip(" ,\t")
    ), ","


def is_number(cell: str) -> bool:
    """Whether a cell holds one number."""
    return bool(NUMBER.fullmatch(cell) or WITH_COMMA.fullmatch(cell))


def _is_row(cells: list[str]) -> bool:
    """Whether all cells are numbers (or empty), and two at least are there."""
    filled = [cell for cell in cells if cell]
    return len(filled) >= 2 and all(map(is_number, filled))


def _note(found: _Found, text: str) -> None:
    """Take a line of text into the header."""
    found.header.append(text)
    if text and not found.blocks:
        found.above.append(text)


def _uneven(name: str, number: int, text: str, count: int, before: int) -> UserError:
    return UserError(
        f"{name}: line {number} ({text[:40]!r}) holds {count} numbers, the rows before it {before}; "
        "every row needs 2θ and intensity (start and step are not enough)"
    )


def _plain_rows(lines: list[str], first: list[str], separator: str) -> np.ndarray | None:
    """Read rows like `first` in one go where nothing but such rows follows; None where a row needs a closer look."""
    if max(map(len, lines)) > LONGEST_LINE:
        return None
    text = "\n".join(lines).rstrip("\n ;,\t").replace('"', "")
    if separator != " ":
        text = re.sub(rf"{separator}[ ]*\n", "\n", text).replace(separator, " ")
    if "," in text:
        if "." in text or "," not in first[0]:
            return None
        text = text.replace(",", ".")
    cells = [line.split() for line in text.split("\n")]
    if text.translate(PLAIN) or len(cells) > MOST_POINTS or set(map(len, cells)) != {len(first)}:
        return None
    try:
        return np.array([float(cell) for row in cells for cell in row]).reshape(-1, len(first))
    except ValueError:
        return None


def _numbers(found: _Found, block: list[list[str]], separator: str) -> Table:
    """Turn the cells of a block into numbers, all with the same decimal sign."""
    comma = _decimal_comma(block)
    rows = np.array([[_number(cell, comma) for cell in row] for row in block])
    empty = np.array([[not cell for cell in row] for row in block])
    return Table(found.header, found.above, separator, rows, empty if empty.any() else None, len(block[0]))


def _decimal_comma(block: list[list[str]]) -> bool:
    """Whether commas are decimal signs: where angles have them, or nothing looks like thousands."""
    if any("," in row[0] for row in block):
        return True
    with_comma = [cell for row in block for cell in row if "," in cell]
    points = any("." in row[0] for row in block)
    return bool(with_comma) and not (points and all(map(THOUSANDS.fullmatch, with_comma)))


def _number(cell: str, comma: bool) -> float:
    """Return the number in a cell, NaN for an empty one."""
    if not cell:
        return np.nan
    if "," in cell or "'" in cell or " " in cell or "\u00a0" in cell or "\u202f" in cell or comma:
        cell = re.sub(r"['\s]", "", cell)
        if "," in cell:
            cell = cell.replace(".", "").replace(",", ".") if comma else cell.replace(",", "")
        elif comma and (found := THOUSANDS.fullmatch(cell)) is not None and found[1] == ".":
            cell = cell.replace(".", "")
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _worded(lines: list[str]) -> Table | None:
    """Return the longest table whose rows have words or dates in the same places; None where there is none."""
    parts = [split(line[:LONGEST_LINE].strip()) for line in lines]
    best: tuple[int, int, tuple[int, ...]] = (0, 0, ())
    place = 0
    for (_, kept), group in groupby(parts, key=_places):
        count = len(list(group))
        if len(kept) >= 2 and count > best[1]:
            best = (place, count, kept)
        place += count
    start, count, kept = best
    if count < FEWEST_WORDED or count > MOST_POINTS:
        return None
    header = [line[:LONGEST_LINE].strip().lstrip(SIGNS) for line in lines[:start]]
    found = _Found(header, [line for line in header if line])
    table = _numbers(found, [[row[i] for i in kept] for row, _ in parts[start : start + count]], parts[start][1])
    return replace(table, width=len(parts[start][0]), kept=kept)


def _places(part: tuple[list[str], str]) -> tuple[int, tuple[int, ...]]:
    """How many cells a line has, and which of them are numbers."""
    return len(part[0]), tuple(i for i, cell in enumerate(part[0]) if is_number(cell))


def headings(above: list[str], separator: str, count: int) -> Iterator[tuple[str, list[str], bool]]:
    """Yield ways to split the lines above the rows into `count` names, the nearest line first.

    With each comes the line, and whether the split is sure: by a separator, by wide gaps, or beside units.
    """
    for line in reversed([line.replace("Unnamed:", "Unnamed") for line in above[-6:]]):
        text = re.sub(
            r"^(?:L\s+|(?:column[\s_]*)?(?:labels?|names?|columns|fields)\s*[:=]\s*)", "", line, flags=re.IGNORECASE
        )
        for candidate in dict.fromkeys((line.strip(), line.strip(" ,;"), text.strip(" ,;"))):
            for names, sure in _splits(candidate, separator, count):
                yield line, names, sure


def _splits(text: str, separator: str, count: int) -> Iterator[tuple[list[str], bool]]:
    """Yield the ways in which one line is `count` names."""
    if not re.search(r"[^\W\d_]|°|%", text) or STATEMENT.search(text):
        return
    wide = (r"\s*[;]\s*", r"\s*\t\s*", r"\s*,\s*", r"\s{2,}|\t")
    for pattern in sorted(wide, key=lambda pattern: separator not in pattern):
        names = [name.strip(" \"'<>") for name in re.split(pattern, text.strip())]
        if len(names) == count and not any(map(is_number, names)):
            yield names, True
    names = re.findall(r"<\s*([^>]*?)\s*>", text)
    if len(names) == count:
        yield names, True
    names = re.split(r"\s+(?![(\[])", text.strip())
    if len(names) == count and not any(map(is_number, names)):
        yield [name.strip(" \"'") for name in names], any(re.search(r".[(\[]", name) for name in names)
