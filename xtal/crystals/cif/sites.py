"""The atom sites of a data block: positions, elements and occupancies as listed, and places that atoms share."""

import re

import gemmi
import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from xtal.crystals.cif.block import Block, number, numbers
from xtal.crystals.cif.species import species
from xtal.crystals.disorder import FULLEST
from xtal.crystals.symmetry import close_pairs, shortest
from xtal.errors import UserError

MAX_ATOMS = 20_000  # in the cell; the largest CoRE MOF entry holds 10,560
MAX_COORDINATE = 1000.0  # cells from the origin; beyond it digits are lost, and nobody counts atoms there
SAME_PLACE = 0.01  # Å: nearer atoms share one site

FRACTIONAL = tuple(f"_atom_site_fract_{axis}" for axis in "xyz")

# Coordinates (N, 3), atomic numbers (N,), occupancies (N,).
Sites = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def listed_sites(block: Block, lattice: NDArray[np.float64]) -> Sites:
    """Return the sites as listed, one row per element; dummy sites, vacancies and empty sites are left out.

    Args:
        block: the data block.
        lattice: (3, 3) Å, for files that give Cartesian coordinates only.

    Raises:
        UserError: sites that are none, unreadable, or too many.
    """
    frac = _positions(block, lattice)
    count = len(frac)
    flags = block.column("_atom_site_calc_flag")
    occupancies = _occupancies(block.column("_atom_site_occupancy"), count)
    keep = occupancies > 0
    if "dum" in flags:
        keep &= np.array(flags) != "dum"
    _check_positions(block, frac, keep)
    row, elements, share = _elements(block, count)
    chosen = keep[row]
    row, elements, share = row[chosen], elements[chosen], share[chosen]
    if not len(row):
        raise UserError("no atom site with an occupancy above 0")
    filled = np.bincount(row, share, count)[row]  # some programs repeat the shares' sum as the site's occupancy
    whole = np.where((filled < 1) & (abs(filled - occupancies[row]) < 0.01), 1.0, occupancies[row])
    return frac[row], elements, share * whole


def shared_places(frac: NDArray, elements: NDArray, occupancies: NDArray, lattice: NDArray) -> Sites:
    """Settle atoms in one place: one row per element, an atom listed twice counted once, at most one atom in all."""
    pairs = close_pairs(frac, lattice, SAME_PLACE)
    if len(pairs) == 0:
        return frac, elements, occupancies
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(frac), len(frac)))
    site = connected_components(edges, directed=False)[1]
    place = np.unique(site, return_index=True)[1][site]  # the first atom there
    if shortest(frac - frac[place], lattice).max() > 5 * SAME_PLACE:
        raise UserError(f"atoms stand in rows less than {SAME_PLACE:g} Å apart; the coordinates are broken")
    _, row, member = np.unique(site * 128 + elements, return_index=True, return_inverse=True)
    total = np.bincount(member, occupancies)
    largest = np.zeros(len(row))
    np.maximum.at(largest, member, occupancies)
    weights = np.where(total > FULLEST, largest, total)
    filled = np.bincount(site[row], weights)[site[row]]
    if filled.max() > FULLEST:
        worst = np.flatnonzero(site[row] == site[row][filled.argmax()])
        names = ", ".join(f"{gemmi.Element(int(elements[row[i]])).name} {weights[i]:g}" for i in worst)
        raise UserError(f"one place in the cell is filled more than once ({names}); occupancies may sum to 1")
    order = np.argsort(row)
    return frac[place[row]][order], elements[row][order], (weights / np.maximum(filled, 1.0))[order]


def _positions(block: Block, lattice: NDArray) -> NDArray[np.float64]:
    """Return (N, 3) fractional coordinates, NaN where there are none."""
    cartesian = bool(block.column("_atom_site_cartn_x")) and not block.column(*FRACTIONAL)
    kind = "cartn" if cartesian else "fract"
    columns = [block.listed(f"_atom_site_{kind}_{axis}") for axis in "xyz"]
    count = len(columns[0])
    if count > MAX_ATOMS:
        raise UserError(f"{count:,} atom sites, more than {MAX_ATOMS:,}")
    if any(len(column) != count for column in columns):
        raise UserError("the x, y and z columns of the atom sites differ in length")
    position = np.stack([numbers(column) for column in columns], axis=1)
    if not np.isfinite(position).all():
        position[~np.isfinite(position)] = np.nan
        _fill_zeros(position, columns)
    return _fractional(block, position, lattice) if cartesian else position


def _fill_zeros(position: NDArray[np.float64], columns: list[list[str]]) -> None:
    """Put 0 for a ``.`` that means it, in place.

    It does beside a number, as no coordinate is inapplicable alone. A row of dots is the origin where the file has such
    a habit, or leaves the zeros out of its numbers (``.5``); in other files it is an atom that nobody has located.
    """
    dots = np.array(columns).T == "."
    partly = dots & ~dots.all(1, keepdims=True)
    plain = [text for column in columns for text in set(column) - {"."}]
    short = any(re.match(r"-?\.\d|-?\d+\.$", text) for text in plain)
    spelled = any(re.match(r"[-+]?0", text) for text in plain)
    if partly.any() or (short and not spelled):
        position[dots] = 0.0


def _fractional(block: Block, cart: NDArray, lattice: NDArray) -> NDArray[np.float64]:
    """Return fractional coordinates: by the file's own matrix, or else with a along x and b in the xy plane."""
    entries = [f"matrix_{row}{column}" for row in "123" for column in "123"]
    for name, inverse in (("_atom_sites_fract_tran", False), ("_atom_sites_cartn_tran", True)):
        matrix = np.array([block.number(f"{name}_{entry}") for entry in entries]).reshape(3, 3)
        shift = np.nan_to_num([block.number(f"{name}_vector_{axis}") for axis in "123"])
        if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-9:
            return (cart - shift) @ np.linalg.inv(matrix).T if inverse else cart @ matrix.T + shift
    return cart @ np.linalg.inv(lattice)


def _check_positions(block: Block, frac: NDArray, keep: NDArray) -> None:
    """Raise UserError for atoms without coordinates or with coordinates out of all reason."""
    lost = np.flatnonzero(keep & ~np.isfinite(frac).all(1))
    if len(lost):
        raise UserError(
            f"atom {_label(block, lost[0], len(frac))} has no coordinates; {len(lost)} of {len(frac)} atoms lack them"
        )
    far = np.flatnonzero(keep & (abs(frac) > MAX_COORDINATE).any(1))
    if len(far):
        raise UserError(
            f"atom {_label(block, far[0], len(frac))} lies {abs(frac[far[0]]).max():.3g} cells away, "
            f"more than {MAX_COORDINATE:g}; are its coordinates fractions of the cell?"
        )


def _label(block: Block, row: int, count: int) -> str:
    """Return what the file calls a site."""
    labels = block.column("_atom_site_label", "_atom_site_label_atom_id")
    return labels[row] if len(labels) == count else f"number {row + 1}"


def _occupancies(texts: list[str], count: int) -> NDArray[np.float64]:
    """Return (N,) occupancies; unknown or missing ones are 1."""
    if len(texts) != count:
        return np.ones(count)
    table = {text: 1.0 if text in "?." else number(text) for text in set(texts)}
    for text, value in table.items():
        if not 0 <= value <= FULLEST:
            raise UserError(f"occupancies must lie in 0 to 1, got {text}")
    if len(table) == 1:
        return np.full(count, min(*table.values(), 1.0))
    return np.minimum([table[text] for text in texts], 1.0)


def _elements(block: Block, count: int) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
    """Return (M,) site, atomic number and share of every element on every site.

    Elements are read from the type symbols or, where some are missing, from the labels.
    """
    symbols = block.column("_atom_site_type_symbol")
    labels = block.column("_atom_site_label", "_atom_site_label_atom_id")
    typed = len(symbols) == count and not {"?", "."} & set(symbols)
    if typed and len(labels) == count and all(cif.as_string(text).isdigit() for text in set(symbols)):
        typed = False  # the numbers of a force field's types
    words = symbols if typed else labels
    if len(words) != count:
        raise UserError("the atom sites have neither type symbols (_atom_site_type_symbol) nor labels")
    formula = block.value("_chemical_formula_sum", "_chemical_formula_moiety")
    present = frozenset(re.findall("[A-Z][a-z]?", formula))
    table = {word: species(word, typed, present) for word in set(words)}
    if all(len(found) == 1 and found[0][1] == 1.0 for found in table.values()):
        simple = {word: found[0][0] for word, found in table.items()}
        elements = np.fromiter(map(simple.__getitem__, words), dtype=np.int64, count=count)
        return np.arange(count), elements, np.ones(count)
    rows = [(row, *part) for row, word in enumerate(words) for part in table[word]]
    table_of_rows = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return table_of_rows[:, 0].astype(np.intp), table_of_rows[:, 1].astype(np.int64), table_of_rows[:, 2]
