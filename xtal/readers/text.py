"""Columns of numbers: .xy, .xye, .csv, .txt, .dat, .chi and their like.

The header may state the wavelength and name the columns; what the name of the x column means is decided in `axes`, and
one that means neither 2θ nor q nor d is refused. Without names, the first column is 2θ in degrees and the second the
intensity; a third is its uncertainty in .xye files and is left alone in any other.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from xtal.errors import UserError
from xtal.readers.axes import Axis, Kind, meaning
from xtal.readers.columns import choose, named, refused
from xtal.readers.intensities import unscaled
from xtal.readers.scan import Scan
from xtal.readers.stated import stated_wavelength
from xtal.readers.table import Table, read_table
from xtal.readers.techniques import refuse_techniques

HEADING = re.compile(r"\b(?:int|counts?|cps)", re.IGNORECASE)  # makes a line that does not split into names a heading
FIRST_COLUMN = re.compile(
    r"""(?: (?:first|1st)\ column | column\s*(?:1|one|x) | x[\s_-]*(?:axis|label|column|units?) | abscissa
      | units?(?=["']?\s*[:=]\s*["']?\w+_) )\b \s*(?:\(x\))? ["']?
    \s*(?:is|are|represents|holds|contains|gives|[:=])+ \s*(?:the\s+)? ["']?
    (?P<label>[^,;."'\n]{1,40}?) (?=\s+and\b|[,;."'\n]|\s{2}|$)""",
    re.IGNORECASE | re.VERBOSE,
)
SCALED = re.compile(
    r"(?:log(?:10)?|ln|sqrt|square root)\s*(?:\(|of\s)\s*(?:the\s+)?(?:int|counts?|[iy]\b)", re.IGNORECASE
)
MOST_COUNTS = 1e12  # of a point: a "log scale" that leads to more speaks of a drawing, not of the values
CHI_HEADER = 4  # lines: title, x label, y label, number of points


def read_text(name: str, content: bytes) -> Scan:
    """Read a table of numbers as the module's text says.

    Raises:
        UserError: with the `name` of the file, where rows do not agree or the columns could mean more than one thing.
    """
    lines = text_lines(content)
    table, labels = _chi_table(name, lines) if name.lower().endswith(".chi") else (None, None)
    table = table or read_table(name, lines)
    refuse_techniques(name, table.header)
    columns = choose(name, table, labels or named(table))
    axis = columns.axis or _said(name, table)
    rows = table.rows
    if table.empty is not None:
        rows = rows[~table.empty[:, [columns.x, columns.intensity]].any(axis=1)]
    sigma = None if columns.sigma is None else rows[:, columns.sigma]
    scan = Scan(
        x=np.asarray(axis.convert(rows[:, columns.x]), dtype=float),
        intensity=rows[:, columns.intensity],
        sigma=sigma if sigma is not None and (sigma > 0).any() else None,
        wavelength=stated_wavelength(name, table.header),
        on_q=axis.kind is Kind.Q,
        note=columns.note,
    )
    if columns.axis is None and _falls_as_d(scan.x):
        raise UserError(
            f"{name}: its first column has no name, and falls in steps that are not alike, as d does; "
            "name it: 2theta, or d"
        )
    return _counts(scan, columns.label or _scale_said(table.above))


def text_lines(content: bytes) -> list[str]:
    """Return the lines of a text in any usual encoding and with any line ends."""
    return decode(content).replace("\r\n", "\n").replace("\r", "\n").split("\n")


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
    odd = sum(not (c.isprintable() or c in "\t\r\n\x1a\x0c") or c == "\ufffd" for c in head)
    if "\0" in head or odd > 0.02 * len(head) or head.startswith(("%PDF", "{\\rtf")):
        raise UserError(
            f"{name}: the file is binary, and none of the instrument formats known here; "
            "export it from the instrument's program as text with two columns (.xy)"
        )


def _falls_as_d(x: np.ndarray) -> bool:
    """Whether `x` falls all the way in unequal steps: those of d, at equal steps in 2θ, are as unequal as d²."""
    steps = -np.diff(x)
    return len(steps) > 3 and bool(steps.min() > 0 and np.quantile(steps, 0.95) > 3 * np.quantile(steps, 0.05))


def _counts(scan: Scan, label: str) -> Scan:
    """Undo the logarithm or square root that the `label` of the intensities tells of, where the values can be such."""
    scale = unscaled(label)
    counts = scan.intensity if scale is None else scale.back(scan.intensity)
    if scale is None or counts.max(initial=0) > MOST_COUNTS > scan.intensity.max():
        return scan
    note = f"{scan.note}, intensities converted from {scale.name}"
    return replace(scan, intensity=counts, sigma=None, note=note)


def _scale_said(above: Iterable[str]) -> str:
    """Return what lines that name no columns say of a logarithm or square root of the intensities."""
    return next((found[0] for line in above if (found := SCALED.search(line))), "")


def _said(name: str, table: Table) -> Axis:
    """Return the axis of which the header speaks where it names no columns; 2θ where it speaks of none."""
    last = table.above[-1] if table.above else ""
    labels = [last] if HEADING.search(last) and not SCALED.search(last) else []
    text = "\n".join(table.header)[:20_000]
    labels += [match["label"] for match in FIRST_COLUMN.finditer(text)]
    for label in labels:
        axis = meaning(label)
        if axis.kind in (Kind.TWO_THETA, Kind.Q):
            return axis
        if axis.what:
            raise refused(name, label, axis)
    return Axis(Kind.TWO_THETA)


def _chi_table(name: str, lines: list[str]) -> tuple[Table, list[str]] | tuple[None, None]:
    """Take apart the classic .chi of Fit2D, whose second line labels x and whose fourth counts the points."""
    if len(lines) <= CHI_HEADER or not re.fullmatch(r"\d+(\s+\d+)?", lines[CHI_HEADER - 1].strip()):
        return None, None
    table = read_table(name, lines[CHI_HEADER:])
    points = int(lines[CHI_HEADER - 1].split()[0])
    if points != len(table.rows):
        raise UserError(
            f"{name}: the header promises {points} points, the file holds {len(table.rows)}; is it complete?"
        )
    labels = [lines[1].strip(), lines[2].strip(), *["sigma"] * (table.rows.shape[1] - 2)]
    return replace(table, header=[*lines[: CHI_HEADER - 1], *table.header]), labels
