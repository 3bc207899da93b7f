"""The diffusion model that comes with the package."""

import numpy as np
import pytest

from models.ccsg.denoiser import NAME, Denoiser, shipped_id
from models.ccsg.schedule import score_sizes, sigmas, wrapped_score
from models.files import WEIGHTS
from xtal.crystals import CrystalTable
from xtal.patterns import Lines
from xtal.physics import crystal_lines

PACKED = "tests/data/hmof_like_small.npz"


@pytest.fixture(scope="module")
def denoiser():
    return Denoiser(device="cpu")


def test_it_has_a_card_and_is_small():
    card = (WEIGHTS / NAME / "README.md").read_text()
    for word in ("hmof_like", "CC BY 4.0", "MIT", "held-out", "Limits", "python -m models train ccsg"):
        assert word in card
    assert max(path.stat().st_size for path in (WEIGHTS / NAME).iterdir()) < 40e6


def test_its_id_is_that_of_its_files(denoiser):
    assert denoiser.model_id == shipped_id()
    assert len(shipped_id()) == 64


def test_it_has_learnt_where_atoms_belong(pytestconfig, denoiser):
    """Its scores at little noise point back: a model that says nothing has a loss of 1."""
    table = CrystalTable.load(pytestconfig.rootpath / PACKED)
    rng, t = np.random.default_rng(0), 300
    losses = []
    for row in range(len(table)):
        crystal = table[row]
        lines: Lines = crystal_lines(crystal)
        memory = denoiser.remember([Lines(lines.q, lines.intensity, q_range=lines.q_range)])
        shift = sigmas()[t] * rng.standard_normal((1, len(crystal), 3))
        cell = denoiser.scale.normalised(crystal.lattice[None])
        numbers = crystal.numbers.astype(np.int64)[None]
        score, _ = denoiser.predict(numbers, (crystal.frac_coords + shift) % 1, cell, t, memory)
        wanted = wrapped_score(shift, sigmas()[t])
        losses.append(((score - wanted) ** 2).mean() / score_sizes()[t] ** 2)
    assert np.mean(losses) < 0.4
