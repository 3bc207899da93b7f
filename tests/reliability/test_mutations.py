"""No file makes a reader crash, hang or return what is no number."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from reliability_mutations import mutated

from indexer.pool import CrashProofPool
from indexer.time_limit import ItemTimeoutError, StalledError, time_limit
from xtal.errors import UserError

DATA = Path(__file__).parents[1] / "data"
PATTERNS = sorted(path for path in (DATA / "patterns").iterdir() if path.suffix not in (".md", ".py"))
CIFS = sorted((DATA / "cifs").glob("*.cif"))
LIMIT = 20.0  # seconds of a core for one file; the largest takes a tenth of one
CHUNK = 50


def read_one(item: tuple[Path, int]) -> str:
    """Read one mutated pattern; returns what is wrong with how it went, or nothing."""
    from xtal.patterns.linefinder import find_lines
    from xtal.readers import read_pattern

    path, seed = item
    content = mutated(path.read_bytes(), np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / path.name).write_bytes(content)

        def read() -> list[np.ndarray]:
            pattern = read_pattern(Path(folder) / path.name, 1.5406)
            lines = find_lines(pattern)
            return [pattern.two_theta, pattern.intensity, lines.q, lines.intensity]

        return outcome(read)


def read_cif_one(item: tuple[Path, int]) -> str:
    """Read one mutated CIF and compute its lines; returns what is wrong with how it went, or nothing."""
    from xtal.crystals import primitive, read_cif
    from xtal.physics import crystal_lines

    path, seed = item
    content = mutated(path.read_bytes(), np.random.default_rng(seed))

    def read() -> list[np.ndarray]:
        crystal = primitive(read_cif(content, path.stem))
        lines = crystal_lines(crystal)
        return [crystal.lattice, crystal.frac_coords, lines.q, lines.intensity]

    return outcome(read)


def outcome(read) -> str:
    """Return the trouble that reading makes, or nothing: what a user is told is none."""
    try:
        with time_limit(LIMIT):
            arrays = read()
    except UserError as error:
        return "" if str(error) else "an error without words"
    except (ItemTimeoutError, StalledError) as error:
        return str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    return "" if all(np.isfinite(array).all() for array in arrays) else "not finite"


def crashed(_item: tuple[Path, int]) -> str:
    return "it crashed the process"


@pytest.mark.parametrize(
    ("what", "read", "paths", "quick", "full"),
    [("patterns", read_one, PATTERNS, 300, 10_000), ("CIFs", read_cif_one, CIFS, 150, 5_000)],
)
def test_no_mutated_file_does_harm(tried, what, read, paths, quick, full):
    count = tried(f"mutated {what}: read, refused in words, finite", quick, full)
    items = [(paths[seed % len(paths)], seed) for seed in range(count)]
    chunks = [items[at : at + CHUNK] for at in range(0, count, CHUNK)]
    with CrashProofPool(1, read, crashed) as pool:
        results = [result for chunk in pool.map(chunks) for result in chunk]
    wrong = [f"{path.name}, seed {seed}: {why}" for (path, seed), why in zip(items, results, strict=True) if why]
    assert wrong == []
