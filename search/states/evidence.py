"""What speaks for and against a candidate in another pore state, in numbers for the calibration."""

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from search.states.find import BEYOND, Found, Stretched
from search.verdict.lookalikes import ALIKE, likeness

FEW, ERRORS, WRONG = 3, 5.0, -2.5  # lines that show as much as nothing; what is usual of wrong structures
FEATURES = (
    "how much more likely its cell makes the places of the found lines",
    "the same over the best cell of another structure",
    "root of the share of found lines that have no line of it near",
    "root of its intensity beyond the low angles where no line was found",
    "agreement of found and calculated intensities beyond the low angles",
    "residue when all is allowed for",
    "residue of another structure over its own",
    "errors of lines beyond the low angles",
    "ln of what is wrong of the intensities beyond the low angles",
    "ln of one plus the lines beyond the low angles that show",
    "strain of the cell",
    "strain and texture on top of that",
    "similarity",
    "number of free parameters of the cell",
)
SIGNS = (1, 1, -1, -1, 1, -1, 1, -1, -1, 1, -1, -1, 1, -1)


def features(found: Found, index: Index) -> NDArray[np.float64]:
    """Return (S, F) numbers, named in `FEATURES`, of the S stretched candidates."""
    every = found.stretched
    rows = [one.row for one in every]
    alike = likeness(index, rows, rows) >= ALIKE
    score = np.array([one.near.score for one in every])
    residue = np.array([one.scrutiny.residue for one in every])
    numbers = []
    for place, one in enumerate(every):
        others = ~alike[place]
        missing, absent = shares_of_lines(found, one)
        told, strain = one.scrutiny.residual, np.linalg.eigvalsh(one.strain)
        numbers.append(
            [
                np.clip(score[place], -20, 60),
                np.clip(score[place] - score[others].max(initial=-20), -30, 30),
                np.sqrt(missing),
                np.sqrt(absent),
                one.near.agreement(found.places, BEYOND),
                residue[place],
                np.clip(residue[others].min(initial=0) - residue[place], -1, 2),
                np.sqrt((told.shown * told.beyond**2 + FEW * ERRORS**2) / (told.shown + FEW)),
                (told.shown * np.log(1e-3 + 1 - min(told.agreement, 1.0)) + FEW * WRONG) / (told.shown + FEW),
                np.log1p(told.shown),
                np.abs(strain).max(),
                np.hypot(one.scrutiny.strain, one.scrutiny.texture),
                one.similarity,
                one.near.known.free,
            ]
        )
    return np.array(numbers)


def shares_of_lines(found: Found, one: Stretched) -> tuple[float, float]:
    """Return the shares of the found lines, as they count, and of the calculated intensity, that nothing meets."""
    near, places = one.near.met(found.places), found.places
    missing = float(places.weight[~near.any(axis=1)].sum() / max(places.weight.sum(), 1e-30))
    q, intensity = one.near.q, one.near.known.intensity
    beyond = (q >= BEYOND) & (q <= places.q[-1])
    total = float(intensity[beyond].sum())
    absent = float(intensity[beyond & ~near.any(axis=0)].sum() / total) if total else 1.0
    return missing, absent
