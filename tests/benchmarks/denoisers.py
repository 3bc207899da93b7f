"""What one call of each denoiser costs: ``python tests/benchmarks/denoisers.py``.

Both networks have the size of the `cpu` preset and are not trained; time does not depend on the weights.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.ccsg.config import PRESETS, ModelConfig
from models.ccsg.denoiser import Denoiser, Memory
from models.ccsg.model import CCSG
from models.ccsg.training.export import export_model
from models.cpcp.config import NetworkConfig

ATOMS = (50, 100, 200, 400)
CRYSTALS = 4  # per call
CALLS = 3


def milliseconds(denoiser: Denoiser, atoms: int) -> float:
    """Median time per crystal of a call."""
    rng = np.random.default_rng(0)
    numbers = rng.integers(1, 30, (CRYSTALS, atoms))
    frac, cell = rng.random((CRYSTALS, atoms, 3)), rng.standard_normal((CRYSTALS, 6))
    config = denoiser.config.denoiser
    tokens = rng.standard_normal((CRYSTALS, 1 + config.lines, config.width)).astype(np.float32)
    memory = Memory(tokens, np.zeros(tokens.shape[:2], np.float32))
    times = []
    for _ in range(CALLS + 1):
        start = time.perf_counter()
        denoiser.predict(numbers, frac, cell, 500, memory)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[1:])) / CRYSTALS


def main() -> None:
    """Print a table."""
    print(f"{'denoiser':<12}" + "".join(f"{atoms:>8} atoms" for atoms in ATOMS) + "   (ms per crystal and call)")
    for kind in ("attention", "cspnet"):
        config = ModelConfig(replace(PRESETS["cpu"], kind=kind), NetworkConfig(), (2.5,) * 3 + (0.0,) * 3, (0.1,) * 6)
        with tempfile.TemporaryDirectory() as folder:
            export_model(CCSG(config), Path(folder))
            denoiser = Denoiser(Path(folder), "cpu")
        print(f"{kind:<12}" + "".join(f"{milliseconds(denoiser, atoms):>14.1f}" for atoms in ATOMS), flush=True)


if __name__ == "__main__":
    main()
