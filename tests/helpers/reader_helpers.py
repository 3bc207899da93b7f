"""One scan in every format: 60 points from 20° in steps of 0.02°."""

from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "data" / "patterns"
POINT = np.arange(60)
TWO_THETA = 20 + 0.02 * POINT
COUNTS = np.round(900 * np.exp(-(((POINT - 30) / 6) ** 2)) + 40 + (POINT * 7) % 11)
CU_MEAN = pytest.approx(1.54187, abs=3e-5)


def rows(two_theta=TWO_THETA, counts=COUNTS, separator=" "):
    return "".join(f"{x:.5f}{separator}{y:g}\n" for x, y in zip(two_theta, counts, strict=True))
