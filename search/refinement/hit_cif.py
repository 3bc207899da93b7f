"""A hit as a CIF: in the conventional setting of its space group, with the cell that the sample has."""

from dataclasses import replace

import numpy as np

from search.answer import Hit
from search.refinement.start import strained
from xtal.crystals import Crystal
from xtal.crystals.cif.conventional import write_conventional

UNFITTED = (0.0,) * 9
FITTED = "cell fitted to the pattern by the search, not refined"
UNCHANGED = "cell as in the database"


def hit_cif(crystal: Crystal, hit: Hit, index: str, source: str, fitted: bool = True) -> str:
    """Write a hit for the pattern `source`.

    Args:
        crystal: of the hit.
        hit: of an answer.
        index: by name, that it is an entry of.
        source: file name of the pattern.
        fitted: with the cell fitted to the pattern; else with the database's.
    """
    known = fitted and bool(hit.parameters)
    parameters = np.array(hit.parameters if known else UNFITTED)
    told = FITTED if known else UNCHANGED
    items = {"_xtalscout_entry": hit.id, "_xtalscout_index": index, "_xtalscout_cell": told}
    if known and hit.fit is not None:
        items["_xtalscout_fit"] = f"{hit.fit:.3f}"
    lines = [f"{hit.id} of index {index}, found by Xtalscout for {source}", told]
    return write_conventional(replace(strained(crystal, parameters), name=hit.id), lines, items)


def entry_cif(crystal: Crystal, entry: str, index: str) -> str:
    """Write an entry of an index as the database has it."""
    items = {"_xtalscout_entry": entry, "_xtalscout_index": index, "_xtalscout_cell": UNCHANGED}
    written = replace(strained(crystal, np.array(UNFITTED)), name=entry)
    return write_conventional(written, [f"{entry} of index {index}", UNCHANGED], items)
