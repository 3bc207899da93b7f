"""Crystals as CIF text, in and out.

What is refused, because a wrong structure would look like a right one: unknown elements, missing coordinates, no cell,
symmetry that is unreadable, ambiguous or unfit for the cell, more than one atom in one place, absurd densities, and
files beyond the limits below. Atoms that are near each other but not in one place are kept: 444 of the 12,020 CoRE MOF
2019 entries hold both halves of a disorder at full weight.
"""

import re
from collections.abc import Sequence

import gemmi
import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from xtal.crystals.cell import NAMES as CELL_NAMES
from xtal.crystals.cell import cell_lattice, cell_parameters
from xtal.crystals.crystal import HIGHEST_NUMBER, Crystal
from xtal.crystals.operations import read_operations
from xtal.crystals.symmetry import close_pairs, expand, wrapped
from xtal.errors import UserError

MAX_BYTES = 16 * 2**20  # the largest CoRE MOF CIF holds 0.7 MB; reflection lists in CIFs reach some MB
MAX_ATOMS = 20_000  # in the cell; the largest CoRE MOF entry holds 10,560
MAX_IMAGES = 200_000  # sites x operations, before images on special positions are merged
MAX_BLOCKS = 2000  # gemmi compares the names of all blocks with each other
LONGEST_TEXT = 300  # characters of a file's own words in names and messages
SMALLEST_ATOM = 1.0  # Å³ of cell per atom; hydrogen under pressure takes 2, diamond 5.7
SAME_PLACE = 0.01  # Å: nearer atoms share one site
SAME_ATOM, SAME_PART = 0.4, 0.1  # Å between images of a site that are one atom: fully, and at most half occupied
FULLEST = 1.05  # occupancies may sum to this through rounding; they are scaled back to 1

UNQUOTED_NAME = re.compile(
    r"^([ \t]*_(?:symmetry_)?space_group_name_\S+[ \t]+)([^'\"\s;]\S*(?:[ \t]+\S+)+)[ \t\r]*$", re.M
)

# Coordinates (N, 3), atomic numbers (N,), occupancies (N,).
Sites = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def read_cif(text: str | bytes, name: str = "") -> Crystal:
    """Read the first structure of a CIF, with its symmetry expanded to all atoms of the cell.

    Args:
        text: a whole CIF; bytes are taken as UTF-8.
        name: what to call the crystal, by default the name of its data block.

    Raises:
        UserError: the CIF is no structure; the message names the entry.
    """
    try:
        block = _structure_block(_document(text))
        return _crystal(block, name or block.name[:LONGEST_TEXT])
    except UserError as error:
        raise UserError(f"{name or 'CIF'}: {str(error)[:LONGEST_TEXT]}") from None


def write_cif(crystal: Crystal, comments: Sequence[str] = ()) -> str:
    """Write a crystal as a P1 CIF which reads back as the same crystal, up to a rotation in space.

    A left-handed cell is written with all coordinates inverted: ``-frac @ -lattice`` is the same crystal, not its
    mirror image, in a right-handed cell.

    Args:
        crystal: what to write.
        comments: lines for the head of the file, for example where the structure came from.
    """
    lengths, angles = cell_parameters(crystal.lattice)
    frac = wrapped(crystal.frac_coords * np.sign(np.linalg.det(crystal.lattice)))
    lines = [f"# {line}" for comment in comments for line in comment.splitlines()]
    lines += [f"data_{re.sub(r'[^!-~]+', '_', crystal.name) or 'crystal'}"]
    lines += [f"_chemical_formula_sum '{' '.join(f'{s}{n:.6g}' for s, n in crystal.composition.items())}'"]
    lines += [f"_cell_{tag} {value:.8f}" for tag, value in zip(CELL_NAMES, (*lengths, *angles), strict=True)]
    lines += ["_space_group_name_H-M_alt 'P 1'", "_space_group_IT_number 1"]
    lines += ["loop_", "_space_group_symop_operation_xyz", "'x, y, z'", "loop_", "_atom_site_label"]
    lines += [f"_atom_site_{tag}" for tag in ("type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")]
    symbols = [gemmi.Element(int(z)).name for z in crystal.numbers]
    lines += [
        f"{symbol}{i} {symbol} {x:.9f} {y:.9f} {z:.9f} {occupancy:.8g}"
        for i, (symbol, (x, y, z), occupancy) in enumerate(zip(symbols, frac, crystal.occupancies, strict=True), 1)
    ]
    return "\n".join(lines).encode("ascii", "replace").decode() + "\n"


def _document(text: str | bytes) -> cif.Document:
    """Parse CIF text; on failure mend what old programs get wrong and try once more."""
    if len(text) > MAX_BYTES:
        raise UserError(f"the CIF holds {len(text):,} bytes, more than {MAX_BYTES:,}")
    blocks = text.lower().count(b"data_") if isinstance(text, bytes) else text.lower().count("data_")
    if blocks > MAX_BLOCKS:
        raise UserError(f"the CIF holds {blocks:,} data blocks, more than {MAX_BLOCKS:,}; give one file per structure")
    if not text.isascii():  # CIF is ASCII, but editors leave byte-order marks and accents
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        text = words.removeprefix("\ufeff").encode("ascii", "replace")
    try:
        return cif.read_string(text)
    except (ValueError, RuntimeError):
        words = text.decode() if isinstance(text, bytes) else text
        mended = UNQUOTED_NAME.sub(r"\1'\2'", words)  # ASE once wrote ``H-M P 1`` without quotes
    try:
        return cif.read_string(mended)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"not a readable CIF ({error}); check the file at that line") from None


def _structure_block(document: cif.Document) -> cif.Block:
    """Return the first data block that holds atoms in fractional coordinates."""
    for block in document:
        if block.find_values("_atom_site_fract_x"):
            return block
    raise UserError(
        f"no atom sites in fractional coordinates (_atom_site_fract_x) in {len(document)} data blocks; "
        "a structure CIF is needed"
    )


def _crystal(block: cif.Block, name: str) -> Crystal:
    """Build the crystal of one data block."""
    lattice = _lattice(block)
    frac, numbers, occupancies = _sites(block)
    operations = read_operations(block, lattice)
    if len(operations) > 1:
        if len(operations) * len(frac) > MAX_IMAGES:
            raise UserError(f"{len(frac)} sites x {len(operations)} operations exceed {MAX_IMAGES:,} positions")
        frac, site = expand(frac, operations, lattice, np.where(occupancies > 0.5, SAME_ATOM, SAME_PART))
        numbers, occupancies = numbers[site], occupancies[site]
    if len(frac) > MAX_ATOMS:
        raise UserError(f"{len(frac):,} atoms in the cell, more than {MAX_ATOMS:,}")
    frac, numbers, occupancies = _shared_sites(wrapped(frac), numbers, occupancies, lattice)
    volume = abs(np.linalg.det(lattice)) / occupancies.sum()
    if volume < SMALLEST_ATOM:
        raise UserError(f"{volume:.2g} Å³ of cell per atom, which is less than {SMALLEST_ATOM:g}; is the cell in Å?")
    return Crystal(lattice, frac, numbers.astype(np.uint8), occupancies, name)


def _lattice(block: cif.Block) -> NDArray[np.float64]:
    """Return (3, 3) Å rows a, b, c."""
    return cell_lattice([cif.as_number(block.find_value(f"_cell_{name}") or "?") for name in CELL_NAMES])


def _sites(block: cif.Block) -> Sites:
    """Return the sites as listed; dummy sites and empty ones are left out."""
    columns = [list(block.find_values(f"_atom_site_fract_{axis}")) for axis in "xyz"]
    count = len(columns[0])
    if count > MAX_ATOMS:
        raise UserError(f"{count:,} atom sites, more than {MAX_ATOMS:,}")
    if any(len(column) != count for column in columns):
        raise UserError("the x, y and z columns of the atom sites differ in length")
    flags = list(block.find_values("_atom_site_calc_flag"))
    occupancies = _occupancies(list(block.find_values("_atom_site_occupancy")), count)
    keep = occupancies > 0
    if "dum" in flags:
        keep &= np.array(flags) != "dum"
    frac = np.stack([_floats(column) for column in columns], axis=1)
    lost = np.flatnonzero(keep & ~np.isfinite(frac).all(1))
    if len(lost):
        labels = list(block.find_values("_atom_site_label"))
        first = labels[lost[0]] if len(labels) == count else f"number {lost[0] + 1}"
        raise UserError(f"atom {first} has no coordinates; {len(lost)} of {count} atoms lack them")
    if not keep.any():
        raise UserError("no atom site with an occupancy above 0")
    return frac[keep], _atomic_numbers(block, count)[keep], occupancies[keep]


def _floats(texts: list[str]) -> NDArray[np.float64]:
    """Return numbers; standard uncertainties ``1.23(4)`` are dropped; ``?``, ``.`` and words are NaN."""
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError:
        return np.array([cif.as_number(text) for text in texts])


def _occupancies(texts: list[str], count: int) -> NDArray[np.float64]:
    """Return (N,) occupancies; unknown or missing ones are 1."""
    if not texts:
        return np.ones(count)
    table = {text: 1.0 if text in "?." else cif.as_number(text) for text in set(texts)}
    for text, value in table.items():
        if not 0 <= value <= FULLEST:
            raise UserError(f"occupancies must lie in 0 to 1, got {text}")
    if len(table) == 1:
        return np.full(count, min(*table.values(), 1.0))
    return np.minimum([table[text] for text in texts], 1.0)


def _atomic_numbers(block: cif.Block, count: int) -> NDArray[np.int64]:
    """Return (N,) atomic numbers from the type symbols or, where there are none, from the labels."""
    symbols = list(block.find_values("_atom_site_type_symbol"))
    typed = len(symbols) == count and not {"?", "."} & set(symbols)
    formula = cif.as_string(block.find_value("_chemical_formula_sum") or "")
    present = set() if typed else set(re.findall("[A-Z][a-z]?", formula))
    words = symbols if typed else list(block.find_values("_atom_site_label"))
    if len(words) != count:
        raise UserError("the atom sites have neither type symbols (_atom_site_type_symbol) nor labels")
    table = {word: _atomic_number(word, typed, present) for word in set(words)}
    return np.fromiter(map(table.__getitem__, words), dtype=np.int64, count=count)


def _atomic_number(word: str, typed: bool, present: set[str]) -> int:
    """Return the element that a type symbol (``Zn2+``) or a label (``Zn1A``) means.

    ``CA1`` as a label may be carbon or calcium; the elements `present` in the chemical formula decide, or nothing does.
    """
    letters = re.match("[A-Za-z]*", cif.as_string(word))[0]  # type: ignore[index]
    if letters.lower() == "wat":  # mineral databases call the oxygen of water so
        return gemmi.Element("O").atomic_number
    readings = [gemmi.Element(letters[:n].capitalize()) for n in (2, 1) if len(letters) >= n]
    readings = [e for e in readings if 1 <= e.atomic_number <= HIGHEST_NUMBER]
    if len(readings) == 2 and not typed and letters[1].isupper():
        readings = [e for e in readings if e.name in present]
        if len(readings) != 1:
            raise UserError(f"label {word} may mean two elements; the file needs _atom_site_type_symbol")
    if not readings:
        raise UserError(f"{word} names no element from H to {gemmi.Element(HIGHEST_NUMBER).name}")
    return readings[0].atomic_number


def _shared_sites(frac: NDArray, numbers: NDArray, occupancies: NDArray, lattice: NDArray) -> Sites:
    """Settle atoms in one place: one row per element, an atom listed twice counted once, at most one atom in all."""
    pairs = close_pairs(frac, lattice, SAME_PLACE)
    if len(pairs) == 0:
        return frac, numbers, occupancies
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(frac), len(frac)))
    site = connected_components(edges, directed=False)[1]
    _, row, member = np.unique(site * 128 + numbers, return_index=True, return_inverse=True)
    total = np.bincount(member, occupancies)
    largest = np.zeros(len(row))
    np.maximum.at(largest, member, occupancies)
    weights = np.where(total > FULLEST, largest, total)
    filled = np.bincount(site[row], weights)[site[row]]
    if filled.max() > FULLEST:
        worst = np.flatnonzero(site[row] == site[row][filled.argmax()])
        names = ", ".join(f"{gemmi.Element(int(numbers[row[i]])).name} {weights[i]:g}" for i in worst)
        raise UserError(f"one place in the cell is filled more than once ({names}); occupancies may sum to 1")
    order = np.argsort(row)
    place = np.unique(site, return_index=True)[1][site[row]]
    return frac[place][order], numbers[row][order], (weights / np.maximum(filled, 1.0))[order]
