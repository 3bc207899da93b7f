"""A small flat drawing of a crystal, seen along the shortest axis of its cell."""

from typing import TYPE_CHECKING

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import Crystal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

WINDOW = 25.0  # Å, drawn side: two or three pores of a usual framework, at one scale for all crystals
METAL, OTHER = "#cc79a7", "#f0e442"  # all colours of Okabe and Ito (2008), which colour-blind people tell apart
COLOURS = {1: "#ffffff", 6: "#777777", 7: "#56b4e9", 8: "#d55e00"}
KEY = {"C": 6, "N": 7, "O": 8, "H": 1, "metal": 30, "other": 16}  # an atomic number of each kind
INK = "#1f2937"


def draw_crystal(axes: "Axes", crystal: Crystal) -> None:
    """Fill `axes` with the atoms, one period deep, as discs of their covalent radii, and outline one cell."""
    from matplotlib.collections import EllipseCollection

    centres, numbers = projected(crystal)
    diameter = 2 * np.array([gemmi.Element(int(z)).covalent_r for z in numbers])
    colours = [colour(int(z)) for z in numbers]
    axes.add_collection(
        EllipseCollection(
            diameter,
            diameter,
            np.zeros(len(numbers)),
            units="xy",
            offsets=centres,
            offset_transform=axes.transData,
            facecolors=colours,
            edgecolors=INK,
            linewidths=0.2,
        )
    )
    half = WINDOW / 2
    axes.set(xlim=(-half, half), ylim=(-half, half), xticks=[], yticks=[], aspect="equal")


def element_key() -> list["Line2D"]:
    """Return what a legend needs to explain the colours."""
    return [_disc(colour(number), kind) for kind, number in KEY.items()]


def colour(number: int) -> str:
    """Return the colour of an element by its atomic number."""
    return COLOURS.get(number, METAL if gemmi.Element(number).is_metal else OTHER)


def projected(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return the (D, 2) places in Å and the (D,) atomic numbers of all atoms in the window, the farthest first."""
    shortest = int(np.argmin(np.linalg.norm(crystal.lattice, axis=1)))
    across = np.delete(crystal.lattice, shortest, axis=0)
    basis = _frame(crystal.lattice[shortest], across[0])
    flat = across @ basis[:, :2]  # (2, 2) Å: what the crystal repeats by in the plane
    shifts = _grid(flat) @ across
    cart = ((crystal.frac_coords - 0.5) @ crystal.lattice + shifts[:, None]).reshape(-1, 3)
    numbers = np.tile(crystal.numbers, len(shifts))
    seen = cart @ basis  # (D, 3): right, up, towards the eye
    depth = seen[:, 2] % np.linalg.norm(crystal.lattice[shortest])  # it repeats along the view
    order = np.argsort(depth, kind="stable")
    order = order[(np.abs(seen[order, :2]) < WINDOW / 2 + 2).all(axis=1)]
    return seen[order, :2], numbers[order]


def _disc(fill: str, label: str) -> "Line2D":
    """Return one entry of the legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=fill, label=label, marker="o", linestyle="", markeredgecolor=INK, markeredgewidth=0.4)


def _frame(view: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a (3, 3) orthonormal basis in columns: along `right` as far as it is square to `view`, up, `view`."""
    towards = view / np.linalg.norm(view)
    first = right - (right @ towards) * towards
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(towards, first), towards], axis=1)


def _grid(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (R, 2) whole repeats of a plane lattice (2, 2) that cover the window from any cell in its middle."""
    heights = abs(np.linalg.det(flat)) / np.linalg.norm(flat[::-1], axis=1)
    counts = np.ceil(WINDOW / np.sqrt(2) / heights).astype(int) + 1
    first, second = (np.arange(-n, n + 1) for n in counts)
    return np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2).astype(float)
