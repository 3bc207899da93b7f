"""Columns of numbers: .xy, .xye, .csv, .txt, .dat, .chi and their like.

Lines before the first row of numbers are the header, as are comments (starting with # ! ; ' % * or //) anywhere. The
header may state the wavelength, and its last line names the columns where one of the names means intensity. An x column
named q is on the q axis (``q_nm^-1`` or ``q (1/nm)`` in nm⁻¹, a plain ``q`` in Å⁻¹); one named d, theta, time, energy
or channel is refused. Without names, the first column is 2θ in degrees and the second the intensity; a third is its
uncertainty in .xye files and is left alone in any other.
"""

import codecs
import re
from dataclasses import dataclass

import numpy as np

from xtal.errors import UserError
from xtal.readers.scan import MOST_POINTS, Scan
from xtal.readers.stated import stated_wavelength

COMMENT = re.compile(r"[#!;'%*]|//")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?")

# What a column's name begins with
TWO_THETA = re.compile(r"(?:2|two|t)[\s_*·-]*(?:th|θ)|angle|pos|deg|°", re.IGNORECASE)
ON_Q = re.compile(r"q(?:$|[\s_(\[/,])|scattering vector|momentum transfer", re.IGNORECASE)
PER_NM = re.compile(r"nm", re.IGNORECASE)
ELSE = re.compile(
    r"(?:d|s|r|th(?:eta)?|θ|omega|ω|chi|phi|tof|time|energy|e|channel|pixels?|bin)(?:$|[\s_(\[/.-])|d-?spac|radi|sin|1\s*/",
    re.IGNORECASE,
)
COUNTS = re.compile(r"int|count|cps|y(?:$|[\s_-]*obs)|i(?:$|[\s_(])|obs", re.IGNORECASE)
UNCERTAINTY = re.compile(r"sig|σ|esd|err|std|unc|e$|s$|d[iy]$", re.IGNORECASE)
HEADING = re.compile(r"\b(?:int|counts?|cps)", re.IGNORECASE)  # makes a line that does not split into names a heading
PLAIN = str.maketrans("", "", "0123456789+-.eE \t\n")  # what rows of numbers between blanks are made of
LONGEST_LINE = 1000  # characters; comments may be longer, and are cut
CHI_HEADER = 4  # lines: title, x label, y label, number of points


@dataclass(frozen=True)
class Table:
    """A text file taken apart: its header and its rows of numbers.

    Attributes:
        header: the lines that are no row of numbers, without comment signs.
        above: the last of them before the first row.
        names: as many column names as there are columns, or none.
        rows: (M, C) the numbers.
    """

    header: list[str]
    above: str
    names: list[str]
    rows: np.ndarray


def read_text(name: str, content: bytes) -> Scan:
    """Read a table of numbers as the module's text says.

    Raises:
        UserError: with the `name` of the file, where rows do not agree or the columns could mean more than one thing.
    """
    lines = decode(content).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    table = _chi_table(name, lines) if name.lower().endswith(".chi") else None
    table = table or _table(name, lines)
    x, y, uncertainty = _columns(name, table)
    factor = _q_factor(name, table.names[x] if table.names else table.above if HEADING.search(table.above) else "")
    sigma = None if uncertainty is None else table.rows[:, uncertainty]
    return Scan(
        x=table.rows[:, x] * (factor or 1.0),
        intensity=table.rows[:, y],
        sigma=sigma if sigma is not None and (sigma > 0).any() else None,
        wavelength=stated_wavelength(name, table.header),
        on_q=factor is not None,
    )


def decode(content: bytes) -> str:
    """Return text of any usual encoding: UTF-8, UTF-16 with its mark, or the Windows code page of older programs."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def refuse_binary(name: str, content: bytes) -> None:
    """Raise UserError where `content` is no text."""
    head = decode(content[:4096])
    odd = sum(not (c.isprintable() or c in "\t\r\n\x1a") or c == "\ufffd" for c in head)
    if "\0" in head or odd > 0.02 * len(head):
        raise UserError(
            f"{name}: the file is binary, and none of the instrument formats known here; "
            "export it from the instrument's program as text with two columns (.xy)"
        )


def _table(name: str, lines: list[str]) -> Table:
    """Split `lines` into header and rows, all rows equally long."""
    header: list[str] = []
    above = ""  # the header's last line before the first row
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        text = line[:LONGEST_LINE].strip()
        comment = COMMENT.match(text)
        if comment or not text:
            header.append(text[comment.end() :].lstrip(" #!;'%*/") if comment else "")
            above = above if rows else header[-1] or above
            continue
        if len(line) > LONGEST_LINE:
            raise UserError(f"{name}: line {number} has {len(line):,} characters; a row of numbers has fewer than that")
        row = _numbers(" ".join(text.replace('"', "").split()))
        if len(row) < 2 and not rows:
            header.append(text)
            above = text
            continue
        if rows and len(row) != len(rows[0]):
            raise UserError(
                f"{name}: line {number} ({text[:40]!r}) holds {len(row)} numbers, the rows before it {len(rows[0])}; "
                "every row needs 2θ and intensity (start and step are not enough)"
            )
        if not rows and (rest := _plain_rows(lines[number - 1 :], len(row))) is not None:
            return Table(header, above, _names(above, len(row)), rest)
        rows.append(row)
        if len(rows) > MOST_POINTS:
            raise UserError(f"{name}: more than {MOST_POINTS:,} rows; a pattern has at most that many points")
    if not rows:
        raise UserError(f"{name}: no rows of numbers found; a pattern file needs columns of 2θ and intensity")
    return Table(header, above, _names(above, len(rows[0])), np.array(rows))


def _plain_rows(lines: list[str], count: int) -> np.ndarray | None:
    """Read (M, count) numbers in one go where nothing but such rows follows; None where a row needs a closer look."""
    text = "\n".join(lines).rstrip("\n")
    cells = [line.split() for line in text.split("\n")]
    plain = not text.translate(PLAIN) and len(cells) <= MOST_POINTS and set(map(len, cells)) == {count}
    if not plain or max(map(len, lines)) > LONGEST_LINE:
        return None
    try:
        return np.array([float(cell) for row in cells for cell in row]).reshape(-1, count)
    except ValueError:
        return None


def _chi_table(name: str, lines: list[str]) -> Table | None:
    """Take apart the classic .chi of Fit2D, whose second line labels x and whose fourth counts the points."""
    if len(lines) <= CHI_HEADER or not re.fullmatch(r"\d+(\s+\d+)?", lines[CHI_HEADER - 1].strip()):
        return None
    rest = _table(name, lines[CHI_HEADER:])
    points = int(lines[CHI_HEADER - 1].split()[0])
    if points != len(rest.rows):
        raise UserError(
            f"{name}: the header promises {points} points, the file holds {len(rest.rows)}; is it complete?"
        )
    labels = [lines[1].strip(), lines[2].strip(), *["sigma"] * (rest.rows.shape[1] - 2)]
    return Table([*lines[: CHI_HEADER - 1], *rest.header], lines[1], labels, rest.rows)


def _numbers(text: str) -> list[float]:
    """Return the numbers of one row; none where anything in it is no number."""
    cells = re.split(r"[;\s]+", text.rstrip(" ;,\t"))
    if "," in text:
        if len(cells) > 1 and all(DECIMAL_COMMA.fullmatch(cell) for cell in cells):
            cells = [cell.replace(",", ".") for cell in cells]
        else:
            cells = re.split(r"\s*,\s*|[;\s]+", text.rstrip(" ;,\t"))
    return [float(cell) for cell in cells] if all(NUMBER.fullmatch(cell) for cell in cells) else []


def _names(above: str, count: int) -> list[str]:
    """Split the line above the rows into `count` column names; none where it cannot be, or none means intensity."""
    for separator in (r"\s*[,;\t]\s*", r"\s{2,}|\t", r"\s+"):
        names = [name.strip(" \"'") for name in re.split(separator, above.strip(" ;,\t"))]
        if len(names) == count and any(COUNTS.match(name) for name in names):
            return names
    return []


def _columns(name: str, table: Table) -> tuple[int, int, int | None]:
    """Which columns hold x, the intensity and its uncertainty (None where no column does)."""
    count = table.rows.shape[1]
    if not table.names:
        if count > 3:
            raise UserError(
                f"{name}: {count} columns and no line above them that names them; keep 2θ and intensity, or name them"
            )
        return 0, 1, 2 if count == 3 and name.lower().endswith(".xye") else None
    known = [i for i, label in enumerate(table.names) if TWO_THETA.match(label) or ON_Q.match(label)]
    if count > 3 and not known:
        raise UserError(f"{name}: none of the columns {', '.join(table.names)} is named 2theta or q; name it")
    x = known[0] if known else 0
    others = [i for i in range(count) if i != x]
    y = next((i for i in others if COUNTS.match(table.names[i])), others[0])
    uncertainty = next((i for i in others if i != y and UNCERTAINTY.match(table.names[i])), None)
    if uncertainty is None and count == 3 and name.lower().endswith(".xye"):
        uncertainty = next(i for i in others if i != y)
    return x, y, uncertainty


def _q_factor(name: str, label: str) -> float | None:
    """Å⁻¹ in one unit of x where its `label` means q, None where it means 2θ or nothing; refuse what is neither."""
    if TWO_THETA.match(label):
        return None
    if ON_Q.match(label):
        return 0.1 if PER_NM.search(label) else 1.0
    if ELSE.match(label):
        raise UserError(f"{name}: its x axis is {label!r}; give 2θ in degrees, or q in Å⁻¹ under the name q")
    return None
