"""Which columns of a table hold x, the intensity and its uncertainty."""

from dataclasses import dataclass

import numpy as np

from xtal.errors import UserError
from xtal.readers.axes import ACCEPTED, Axis, Kind, meaning
from xtal.readers.intensities import is_uncertainty, rank
from xtal.readers.table import Table, headings

KNOWN = (Kind.TWO_THETA, Kind.Q)


@dataclass(frozen=True)
class Columns:
    """The columns to read.

    Attributes:
        x: which column holds the axis.
        intensity: which holds the intensity.
        sigma: which holds its uncertainty, or None.
        axis: what the name of x means; None where the columns have no names.
        label: the name of the intensity, "" where it has none.
        note: which of several was chosen, for people to read.
    """

    x: int
    intensity: int
    sigma: int | None = None
    axis: Axis | None = None
    label: str = ""
    note: str = ""


def refused(name: str, label: str, axis: Axis) -> UserError:
    """Return the refusal of an x axis that is called `label`."""
    what = f", {axis.what}" if axis.what else ""
    return UserError(
        f"{name}: its x axis is {label!r}{what}; give 2θ in degrees, or q in Å⁻¹ under the name q ({ACCEPTED})"
    )


def named(table: Table) -> list[str]:
    """Return the names that the lines above the rows give the columns; none where no line does.

    A line is a heading where it names an intensity or 2θ, or, split beyond doubt, any axis that is known. A line of
    units below the names, or of names above the units, belongs to them.
    """
    names: list[str] = []
    at = ""
    for line, found, sure in headings(table.above, table.separator, table.width):
        if not names and _is_heading(found, sure):
            names, at = found, line
        elif names and sure and line != at and all(map(len, found)):
            names = [f"{above} {below}" for above, below in zip(found, names, strict=True)]
            break
    return [names[i] for i in table.kept] if names and table.kept else names


def _is_heading(names: list[str], sure: bool) -> bool:
    axes = [meaning(name) for name in names]
    if any(axis.kind is Kind.TWO_THETA for axis in axes) or any(rank(name) >= 2 for name in names):
        return True
    return sure and (axes[0].kind is Kind.Q or bool(axes[0].what))


def choose(name: str, table: Table, names: list[str]) -> Columns:
    """Choose the columns by their `names`, or by their order where there are none.

    Raises:
        UserError: with the `name` of the file, where the columns could mean more than one thing.
    """
    return _by_name(name, names) if names else _by_order(name, table)


def _by_order(name: str, table: Table) -> Columns:
    """Choose the columns of a table without names: 2θ, the intensity, and in .xye files its uncertainty."""
    count = table.rows.shape[1]
    if count == 4 and np.array_equal(table.rows[:, 0], table.rows[:, 2]):
        return Columns(0, 1, note=", table 1 of 2 side by side")
    if count > 3:
        raise UserError(
            f"{name}: {count} columns and no line above them that names them; keep 2θ and intensity, or name them"
        )
    return Columns(0, 1, 2 if count == 3 and name.lower().endswith(".xye") else None)


def _by_name(name: str, names: list[str]) -> Columns:
    """Choose the columns of a table with names: 2θ rather than q or d, what was observed rather than computed."""
    axes = [meaning(label) for label in names]
    known = [i for i, axis in enumerate(axes) if axis.kind in KNOWN]
    angles = [i for i in known if axes[i].kind is Kind.TWO_THETA]
    x = (angles or known or [0])[0]
    if not known and len(names) > 3 and not (axes[0].kind is Kind.SILENT and max(map(rank, names[1:])) >= 2):
        raise UserError(f"{name}: none of the columns {', '.join(names)} is named 2theta or q; name it")
    if axes[x].kind is Kind.OTHER:
        raise refused(name, names[x], axes[x])
    again = [i for i in known if i > x and names[i] == names[x]]
    end = again[0] if again else len(names)
    others = [i for i in range(end) if i != x and i not in known and (i > x or not again)]
    y, alike = _intensity(name, names, others)
    uncertainty = next((i for i in others if i > y and is_uncertainty(names[i])), None)
    if uncertainty is None:
        uncertainty = next((i for i in others if i != y and is_uncertainty(names[i])), None)
    if uncertainty is None and len(names) == 3 and name.lower().endswith(".xye"):
        uncertainty = next((i for i in range(3) if i not in (x, y)), None)
    note = f", table 1 of {len(again) + 1} side by side" if again else ""
    note += f", column {names[y]!r}, the first of {alike}" if alike > 1 else ""
    axis = axes[x] if axes[x].kind in KNOWN else None
    return Columns(x, y, uncertainty, axis, names[y], note)


def _intensity(name: str, names: list[str], others: list[int]) -> tuple[int, int]:
    """Return the column that holds the intensity, and how many have as good a name."""
    ranks = {i: rank(names[i]) for i in others}
    best = max(ranks.values(), default=0)
    if best == 0:
        raise UserError(
            f"{name}: none of the columns {', '.join(names)} holds a measured intensity; name it intensity or counts"
        )
    alike = [i for i in others if ranks[i] == best]
    return alike[0], len(alike)
