"""Pattern files out."""

from pathlib import Path

import numpy as np

from xtal.patterns.pattern import Pattern


def write_xye(pattern: Pattern, path: Path, comment: str) -> None:
    """Write 2θ, intensity and uncertainty as text; the header states the wavelength and what the data are.

    Where the pattern has no uncertainty, counting statistics are written, ``sqrt(max(counts, 1))``.
    """
    sigma = np.sqrt(np.maximum(pattern.intensity, 1)) if pattern.sigma is None else pattern.sigma
    header = f"{comment}\nwavelength = {pattern.wavelength:.6f} Å\n2theta(deg) intensity sigma"
    columns = np.column_stack([pattern.two_theta, pattern.intensity, sigma])
    np.savetxt(path, columns, fmt=("%.4f", "%.8g", "%.5g"), header=header, encoding="utf-8")
