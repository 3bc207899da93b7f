"""How often the true parts of held-out frameworks are among the likeliest sets: ``compositions.py PACKED LIBRARY [N]``.

PACKED is an npz of crystals, of which those of the test split are asked for whose parts the LIBRARY knows; it should be
made of the training split (``generate parts build --split train``).
"""

import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np

from generate.parts import Library, compositions
from models.cpcp.training.dataset import split_of
from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.parts import cut, graph_of

LOOKED_AT = 1000


def rank_of(crystal: Crystal, library: Library) -> int | None:
    """Rank of the true set, `LOOKED_AT` where it is not found; None where a part is unknown or endless."""
    pieces = cut(crystal).pieces
    truth = Counter(graph_of(piece.part.key) for piece in pieces)
    if any(piece.endless for piece in pieces) or not truth.keys() <= library.row.keys():
        return None
    for rank, found in enumerate(islice(compositions(library, crystal.numbers), LOOKED_AT)):
        if {kind.key: count for kind, count in found.parts} == truth:
            return rank
    return LOOKED_AT


def main(packed: str, library_file: str, wanted: int = 100) -> None:
    table, library = CrystalTable.load(Path(packed)), Library.load(Path(library_file))
    ranks, seconds, asked = [], [], 0
    for row in np.random.default_rng(1).permutation(len(table)):
        crystal = table[int(row)]
        if split_of(crystal.reduced_formula) != "test":
            continue
        asked += 1
        begun = time.process_time()
        rank = rank_of(crystal, library)
        if rank is not None:
            ranks.append(rank)
            seconds.append(time.process_time() - begun)
        if len(ranks) == wanted:
            break
    first, ten, hundred = (100 * np.mean(np.array(ranks) < most) for most in (1, 10, 100))
    print(f"{len(ranks)} of {asked} test crystals have all parts known")
    print(f"true set first {first:.0f} %, within ten {ten:.0f} %, within a hundred {hundred:.0f} %")
    print(f"CPU s: median {np.median(seconds):.1f}, most {np.max(seconds):.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:4]))
