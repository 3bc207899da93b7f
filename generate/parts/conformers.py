"""The few shapes that stand for all in which a part was met."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.parts import Part, best_match, superpose
from xtal.crystals.parts.matching import HYDROGEN_WEIGHT

MOST_CONFORMERS = 5  # with the best of five, nine of ten frameworks are rebuilt to an rmse below 0.2
SAME = 0.1  # Å, rmsd below which shapes are one
CHIRAL = 0.1  # Å, rmsd of a part and its mirror image from which they are two conformers


def conformers(parts: Sequence[Part]) -> list[Part]:
    """Choose up to `MOST_CONFORMERS` of the parts (of one graph), the most usual first, atoms in one order.

    Mirror images count as one here; a chosen part may be the mirror image of one that was met. Each next one is that
    which brings all parts nearest to a chosen one.
    """
    aligned = _in_one_order(parts)
    if len(aligned) == 1:
        return aligned
    apart = _distances(aligned)
    chosen, nearest = [int(apart.sum(axis=1).argmin())], apart[:, apart.sum(axis=1).argmin()]
    while len(chosen) < MOST_CONFORMERS and nearest.max() > SAME:
        reached = np.minimum(nearest[:, None], apart)
        chosen.append(int(reached.sum(axis=0).argmin()))
        nearest = reached[:, chosen[-1]]
    return [aligned[row] for row in chosen]


def mirrored(part: Part) -> Part | None:
    """Return the mirror image of a part where that is another conformer."""
    image = replace(part, position=-part.position)
    match = best_match(part, image, mirror=False)
    return None if match is None or match.rmsd < CHIRAL else image


def _in_one_order(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with their atoms in the order of the first one, mirrored where they lie on it better so."""
    first, aligned = parts[0], [parts[0]]
    for part in parts[1:]:
        match = best_match(first, part)
        if match is not None:
            position = part.position[match.order] * (-1 if match.mirrored else 1)
            aligned.append(replace(first, position=position, donors=part.donors[match.order], key=part.key))
    return aligned


def _distances(parts: Sequence[Part]) -> NDArray[np.float64]:
    """Return (P, P) rmsd in Å of parts in one order, mirror images allowed."""
    position = np.array([part.position for part in parts])
    weights = np.where(parts[0].numbers == 1, HYDROGEN_WEIGHT, 1.0)
    both = np.concatenate([position, -position])
    apart = [superpose(one, both, weights)[1].reshape(2, -1).min(axis=0) for one in position]
    return np.minimum(apart, np.transpose(apart))
