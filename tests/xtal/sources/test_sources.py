"""The databases by name."""

import pickle
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from xtal.crystals import Crystal, CrystalTable
from xtal.errors import UserError
from xtal.sources import NAMES, Record, open_source


@pytest.fixture(scope="module")
def asr() -> list[Record]:
    """The first entries of CoRE MOF 2019 ASR."""
    return list(islice(open_source("coremof2019-asr").records(), 25))


@pytest.mark.parametrize("name", ["coremof2019-asr", "coremof2019-fsr", "coremof2014"])
def test_core_mof_streams_its_first_entries(name):
    source = open_source(name)
    records = list(islice(source.records(), 5))
    crystals = [source.read(record) for record in records]
    assert [c.name for c in crystals] == [r.id for r in records]
    assert "ABAVIJ" in " ".join(r.id for r in records)
    assert source.source_id.startswith(f"{name}:")
    assert "doi:10.1021" in source.citation
    assert source.licence == "CC BY 4.0"


def test_sources_and_records_travel_between_processes(asr):
    source = pickle.loads(pickle.dumps(open_source("coremof2019-asr")))  # noqa: S301
    record = pickle.loads(pickle.dumps(asr[1]))  # noqa: S301
    assert source.read(record).name == "ABAVIJ_clean"
    assert source == open_source("coremof2019-asr")


def test_core_mof_is_read_without_importing_its_package():
    code = (
        "import sys; from itertools import islice; from xtal.sources import open_source\n"
        "list(islice(open_source('coremof2014').records(), 2))\n"
        "print([m for m in ('CoRE_MOF', 'pandas', 'pymatgen', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_core_mof_absent(monkeypatch):
    monkeypatch.setattr("xtal.sources.core_mof.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"coremof2014 comes with the core-mof package.*pip install core-mof"):
        open_source("coremof2014")


def test_unknown_names_and_misplaced_paths(tmp_path):
    with pytest.raises(
        UserError, match=r"unknown database 'mofs'; known are coremof2019-asr, .*, cif:PATH, packed:PATH"
    ):
        open_source("mofs")
    for name in ("cif:", "packed:", "", "zip:x", "x" * 5000, "x\0"):
        with pytest.raises(UserError, match="unknown database"):
            open_source(name)
    with pytest.raises(UserError, match=f"packed:PATH; write cif:{tmp_path}"):
        open_source(str(tmp_path))
    with pytest.raises(UserError, match="coremof2014 takes no separate path; only hmof100, hmof400 do"):
        open_source("coremof2014", tmp_path)
    for name in ("cif:none", "packed:none"):
        with pytest.raises(UserError, match="none; give"):
            open_source(name)
    assert len(NAMES) == 8


def test_packed_file(tmp_path):
    crystals = [Crystal(np.eye(3) * 5, [[0, 0, 0], [0.5, 0.5, z]], [11, 17], name=f"c{z}") for z in (0.5, 0.25)]
    path = tmp_path / "two.npz"
    with path.open("wb") as stream:
        CrystalTable.from_crystals(crystals, np.uint16).save(stream)
    source = open_source(f"packed:{path}")
    assert source.name == "two"
    assert [source.read(r).name for r in source.records()] == ["c0.5", "c0.25"]
    assert source.read(list(source.records())[1]).frac_coords[1].tolist() == [0.5, 0.5, 0.25]
    repeated = [
        Crystal(c.lattice, c.frac_coords, c.numbers, name=n)
        for c, n in zip(crystals * 2, ("a", "a~2", "a", "b"), strict=True)
    ]
    CrystalTable.from_crystals(repeated).save(path)
    assert [record.id for record in open_source(f"packed:{path}").records()] == ["a", "a~2", "a~3", "b"]
