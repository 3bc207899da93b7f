"""One scan for files of every kind: 551 points from 5 to 27° in steps of 0.04° with its strongest point at 8°."""

import numpy as np

COPPER = 1.5418  # Å
ANGLE = np.round(5 + 0.04 * np.arange(551), 4)
COUNTS = np.round(
    60
    + 1740 * np.exp(-(((ANGLE - 8.0) / 0.09) ** 2))
    + 600 * np.exp(-(((ANGLE - 14.2) / 0.1) ** 2))
    + 5 * np.sin(37 * ANGLE) ** 2
)
FALLING = COUNTS[::-1]
Q = 4 * np.pi * np.sin(np.radians(ANGLE) / 2) / COPPER  # Å⁻¹
D = 2 * np.pi / Q  # Å


def table(*columns, separator=" "):
    """Rows of numbers; a last argument that is a text is their separator."""
    if isinstance(columns[-1], str):
        *columns, separator = columns
    return "".join(separator.join(f"{value:.10g}" for value in row) + "\n" for row in zip(*columns, strict=True))


def between(x, y, layout):
    """Rows of `x` and `y` in the places of `layout`."""
    return "".join(layout.format(a, b) for a, b in zip(x, y, strict=True))


def in_rows(values, width=8, layout="{:8.0f}"):
    """Values in rows of `width`, the last of them shorter."""
    return "".join("".join(map(layout.format, values[i : i + width])) + "\n" for i in range(0, len(values), width))
