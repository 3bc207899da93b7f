"""How likely the frameworks after the first are, where one framework is asked for.

Of 660 simulated patterns (110 entries of CoRE MOF 2019 at three severities, asked once with the entry and once with it
and all its look-alikes removed) the first framework was wrong for 334, and one of the next nine was right for 1 of
these: `tests/benchmarks/frameworks.py`. So what the first one leaves goes to structures that the index lacks, but for
that share, halved from row to row.
"""

import numpy as np

LATER = 1 / 334  # of the probability that the first framework is wrong


def later_chances(rows: int, probability: float) -> list[float]:
    """Return the probabilities of so many frameworks after those that have `probability`, falling."""
    return (min(probability, LATER * (1 - probability)) * 0.5 ** np.arange(1, rows + 1)).tolist()
