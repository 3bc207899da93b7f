"""Which crystals a denoiser is trained on."""

from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import small_mofs

from models.ccsg.training import dataset
from models.ccsg.training.dataset import MeasuredSet, prepare
from xtal.crystals import Crystal, CrystalTable
from xtal.errors import UserError

MOFS = small_mofs()


class AtOnce:
    """An executor without processes."""

    def __init__(self, *_args, **_named):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None

    def submit(self, work, *arguments):
        done = work(*arguments)
        return type("Task", (), {"result": lambda _: done})()


def cut(crystal: Crystal) -> Crystal:
    """The framework in a cell twice as long: a slab, whose linkers point into nothing."""
    return replace(crystal, lattice=crystal.lattice * [[1], [1], [2]], frac_coords=crystal.frac_coords / [1, 1, 2])


@pytest.fixture
def packed(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "ProcessPoolExecutor", AtOnce)

    def write(crystals: list[Crystal]) -> str:
        CrystalTable.from_crystals(crystals).save(tmp_path / "some.npz")
        return f"packed:{tmp_path / 'some.npz'}"

    return write


def test_broken_frameworks_are_not_learnt_from(packed, tmp_path):
    source = packed([MOFS[0], replace(cut(MOFS[2]), name="cut"), MOFS[4]])
    taken = prepare([source], tmp_path / "measured.npz", 64, 16)
    assert taken.ids.tolist() == [MOFS[0].name, MOFS[4].name]
    every = prepare([source], tmp_path / "every.npz", 64, 16, least_rank=0)
    assert every.ids.tolist() == [MOFS[0].name, "cut", MOFS[4].name]
    assert np.array_equal(MeasuredSet.load(tmp_path / "every.npz").counts, [len(MOFS[0]), len(MOFS[2]), len(MOFS[4])])


def test_a_source_of_broken_frameworks_is_refused(packed, tmp_path):
    with pytest.raises(UserError, match=r"lead on in 3 directions .* lower --net-rank"):
        prepare([packed([cut(MOFS[0])])], tmp_path / "measured.npz", 64, 16)
