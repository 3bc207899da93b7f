"""The networks of the XtalNet paper beside ours: a crystal embedded, a step of a sampler."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from report import Sizes, milliseconds, of, table

from generate.request import Request
from models.ccsg.config import PRESETS
from models.ccsg.denoiser import Denoiser, Memory
from models.ccsg.schedule import STEPS
from models.cpcp.config import CSPNetConfig
from xtal.crystals import Crystal
from xtal.physics import LineTable, crystal_lines

if TYPE_CHECKING:
    from models.embedder import Embedder
    from search.workers import Searcher

ATOMS = (50, 100, 200)
NEEDED = ("torch", "safetensors")
PAPER_CALLS = 2 * STEPS  # predictor and corrector
SEED = 1


def tables(searcher: "Searcher", sizes: Sizes) -> Iterator[str]:
    """Yield the section."""
    yield "## The paper's networks\n"
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        yield f"Not measured: {', '.join(missing)} not installed (`pip install 'xtalscout[train]'`).\n"
        return
    steps = Request().steps
    yield (
        "In the paper's sizes, untrained, for time does not depend on the weights; written here from the paper's text, "
        f"and faster than the original (`models/cpcp/cspnet.py`). A sample takes {PAPER_CALLS:,} calls in the paper "
        f"and {steps} here. ms per crystal, lines included.\n"
    )
    rows = [_measured(searcher.engine.embedder, atoms, sizes.crystals, steps) for atoms in ATOMS]
    yield table(
        [
            "atoms",
            "embedding: paper's",
            "ours",
            "ratio",
            "denoiser, a call: paper's",
            "ours",
            "a sample: paper's, s",
            "ours, s",
        ],
        rows,
    )


def _measured(embedder: "Embedder", atoms: int, count: int, steps: int) -> list[str]:
    rng = np.random.default_rng(SEED)
    edge = (12.0 * atoms) ** (1 / 3)  # Å: 12 Å³ for an atom, as in a dense framework
    crystals = [Crystal(edge * np.eye(3), rng.random((atoms, 3)), rng.integers(1, 30, atoms)) for _ in range(count)]
    theirs = _cspnet(crystals)
    ours = milliseconds(
        lambda: embedder.embed_crystals(crystals, LineTable.stack([crystal_lines(c) for c in crystals]))
    )
    calls = [_paper_call(atoms, count), _own_call(atoms, count)]
    samples = [of(call / 1000 * number) for call, number in zip(calls, (PAPER_CALLS, steps), strict=True)]
    ours /= count
    return [str(atoms), of(theirs), of(ours), f"**{theirs / ours:.0f}**", of(calls[0]), of(calls[1]), *samples]


def _cspnet(crystals: list[Crystal]) -> float:
    """Return ms per crystal of the paper's encoder."""
    import torch

    from models.cpcp.atoms import AtomBatch
    from models.cpcp.cspnet import CSPNet, embed_by_size

    torch.set_num_threads(1)
    network = CSPNet(CSPNetConfig()).eval()
    batch = AtomBatch(
        np.array([c.numbers for c in crystals], np.int64),
        np.array([c.frac_coords for c in crystals], np.float32),
        np.array([c.lattice for c in crystals], np.float32),
    )
    with torch.no_grad():
        return milliseconds(lambda: embed_by_size(network, batch), 1) / len(crystals)


def _paper_call(atoms: int, count: int) -> float:
    """Return ms per crystal of one call of the paper's denoiser."""
    import torch

    from models.ccsg.cspnet import CSPNetDenoiser

    config = replace(PRESETS["cpu"], kind="cspnet", width=CSPNetConfig().hidden)
    network = CSPNetDenoiser(config).eval()
    generator = torch.manual_seed(SEED)
    numbers = torch.randint(1, 30, (count, atoms), generator=generator)
    frac, cell = torch.rand((count, atoms, 3)), torch.randn((count, 6))
    lattice = 10 * torch.eye(3).expand(count, 3, 3)
    memory = torch.randn((count, 1 + config.lines, config.width))
    absent = torch.zeros(memory.shape[:2])
    given = numbers, frac, cell, lattice, torch.full((count,), 0.5), memory, absent
    with torch.no_grad():
        return milliseconds(partial(network, *given), 1) / count


def _own_call(atoms: int, count: int) -> float:
    """Return ms per crystal of one call of the denoiser that comes with the package."""
    denoiser, rng = Denoiser(None, "cpu"), np.random.default_rng(SEED)
    own = denoiser.config.denoiser
    tokens = rng.standard_normal((count, 1 + own.lines, own.width)).astype(np.float32)
    memory = Memory(tokens, np.zeros(tokens.shape[:2], np.float32))
    given = rng.integers(1, 30, (count, atoms)), rng.random((count, atoms, 3)), rng.standard_normal((count, 6))
    return milliseconds(lambda: denoiser.predict(*given, 500, memory), 2) / count
