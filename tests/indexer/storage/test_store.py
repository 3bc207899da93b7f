import os
import subprocess
import sys

import numpy as np
import pytest
from indexer_helpers import SALTS, BinEmbedder, publish_salts

from indexer.storage import folders, open_index, store
from indexer.storage.contents import DATA_FILES
from indexer.storage.files import reading
from indexer.storage.store import verify
from xtal.errors import UserError
from xtal.physics import crystal_lines

FILES = (*DATA_FILES, "manifest.json")


@pytest.fixture
def salts(tmp_path):
    return publish_salts(tmp_path)


def folder_of(home, manifest):
    return home / "indexes" / manifest.name / manifest.build_id


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_an_opened_index_holds_what_was_published(tmp_path, salts):
    index = open_index("salts", tmp_path)
    assert index.manifest == salts
    assert len(index) == salts.counts.entries == len(SALTS)
    assert index.entries.formulas.tolist() == ["ClNa", "ClK", "MgO", "CaO", "PbS"]
    np.testing.assert_allclose(index.entries.density, [2.163, 1.987, 3.583, 3.345, 7.600], atol=0.01)  # from handbooks
    for row, salt in enumerate(SALTS):
        assert index.row_of(salt.name) == row
        crystal, lines = index.crystal(row), index.lines[row]
        np.testing.assert_array_equal(crystal.lattice, salt.lattice)
        np.testing.assert_array_equal(crystal.numbers, salt.numbers)
        np.testing.assert_array_equal(crystal.frac_coords, salt.frac_coords)
        np.testing.assert_allclose(lines.q, crystal_lines(salt).q, rtol=1e-6)
        assert np.flatnonzero(index.entries.elements[row]).tolist() == sorted(set(salt.numbers.tolist()))
    scores, rows = index.vectors.search(BinEmbedder().embed_crystals(SALTS, index.lines.take(np.arange(5))), 1)
    np.testing.assert_allclose(scores, 1, atol=1e-6)
    assert rows.ravel().tolist() == list(range(len(SALTS)))


@pytest.mark.usefixtures("salts")
def test_unknown_ids_and_unknown_indexes_are_named(tmp_path):
    with pytest.raises(UserError, match="index 'salts' has no entry 'quartz'"):
        open_index("salts", tmp_path).row_of("quartz")
    with pytest.raises(
        UserError,
        match=r"index 'hmof400' not found in .*; built indexes: salts\. Build it: python -m indexer build hmof400",
    ):
        open_index("hmof400", tmp_path)
    with pytest.raises(
        UserError, match=r"Did you mean coremof2019-asr or coremof2019-fsr\? Build one of coremof2019-asr, "
    ):
        open_index("coremof2019", tmp_path)
    with pytest.raises(UserError, match="built indexes: none"):
        open_index("hmof400", tmp_path / "elsewhere")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_one_flipped_byte_anywhere_is_found_with_the_name_of_the_file(tmp_path, salts, file, part):
    path = folder_of(tmp_path, salts) / file
    flip(path, int(part * (path.stat().st_size - 1)))
    with pytest.raises(UserError, match=rf"index 'salts' is damaged: .*{file}"):
        open_index("salts", tmp_path)
    report = verify("salts", tmp_path)
    assert len(report.problems) == 1
    assert file in report.problems[0]


@pytest.mark.usefixtures("salts")
def test_every_byte_of_the_current_file_is_guarded(tmp_path):
    path = tmp_path / "indexes" / "salts" / "current"
    for place in range(path.stat().st_size):
        flip(path, place)
        with pytest.raises(UserError, match="current"):
            open_index("salts", tmp_path)
        assert "current" in verify("salts", tmp_path).problems[0]
        flip(path, place)
    assert not verify("salts", tmp_path).problems


@pytest.mark.parametrize("file", FILES)
def test_truncated_and_missing_files_are_found(tmp_path, salts, file):
    path = folder_of(tmp_path, salts) / file
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(UserError, match=file):
        open_index("salts", tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=f"{file} is missing"):
        open_index("salts", tmp_path)
    assert f"{file} is missing" in verify("salts", tmp_path).problems[0]


def test_verify_reports_every_damaged_file_at_once(tmp_path, salts):
    for file in DATA_FILES:
        flip(folder_of(tmp_path, salts) / file, -1)
    report = verify("salts", tmp_path)
    assert report.files == len(FILES) + 1  # and current
    assert all(file in problem for file, problem in zip(DATA_FILES, report.problems, strict=True))


def test_another_model_is_refused_with_the_command_that_rebuilds(tmp_path, salts):
    assert open_index("salts", tmp_path, BinEmbedder()).manifest == salts
    with pytest.raises(
        UserError, match=r"built with model bins .* but profile .* in use.*--name salts --embedder profile"
    ):
        open_index("salts", tmp_path, BinEmbedder(name="profile", model_id="c" * 64))


def test_a_new_build_replaces_the_old_one_under_a_running_reader(tmp_path, salts):
    reader = open_index("salts", tmp_path)
    newer = publish_salts(tmp_path, crystals=SALTS[:2])
    assert open_index("salts", tmp_path).manifest == newer
    assert not folder_of(tmp_path, salts).exists()
    assert reader.crystal(4).name == "galena"
    assert len(reader.lines[4]) > 0


@pytest.mark.usefixtures("salts")
def test_opening_goes_on_with_the_new_build_when_the_old_one_goes_away_meanwhile(tmp_path, monkeypatch):
    outdated = folders.read_current("salts", tmp_path)
    newer = publish_salts(tmp_path)
    answers = iter([outdated, folders.read_current("salts", tmp_path)])
    monkeypatch.setattr(folders, "read_current", lambda *_: next(answers))
    assert open_index("salts", tmp_path).manifest == newer


def test_list_shows_published_indexes_only(tmp_path, salts):
    other = publish_salts(tmp_path, "more-salts")
    (tmp_path / "indexes" / "half" / ".building-0123").mkdir(parents=True)
    assert store.list_indexes(tmp_path) == store.Listing((other, salts), ())
    flip(tmp_path / "indexes" / "more-salts" / "current", 0)
    listing = store.list_indexes(tmp_path)
    assert listing.manifests == (salts,)
    assert "index 'more-salts' is damaged" in listing.problems[0]


def test_broken_entries_are_read_from_an_undamaged_file_only(tmp_path, salts):
    assert [b.reason for b in store.broken_entries("salts", tmp_path)] == ["no cell"]
    flip(folder_of(tmp_path, salts) / "broken.json", 0)
    with pytest.raises(UserError, match=r"broken\.json does not have the digest"):
        store.broken_entries("salts", tmp_path)


@pytest.mark.usefixtures("salts")
def test_remove_takes_the_index_and_unfinished_parts(tmp_path):
    (tmp_path / "indexes" / "salts" / ".building-0123").mkdir()
    store.remove("salts", tmp_path)
    assert store.list_indexes(tmp_path).manifests == ()
    assert not (tmp_path / "indexes" / "salts").exists()
    with pytest.raises(UserError, match="index 'salts' not found"):
        store.remove("salts", tmp_path)


@pytest.mark.usefixtures("salts")
def test_an_index_that_another_process_builds_is_left_alone(tmp_path):
    code = (
        "import sys; from pathlib import Path; from indexer.storage.store import building\n"
        "with building('salts', Path(sys.argv[1])): print(flush=True); input()"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    owner.stdout.readline()
    with pytest.raises(UserError, match="index 'salts' is being built or removed by another process"):
        store.remove("salts", tmp_path)
    owner.kill()  # the kernel drops the lock of a killed process
    owner.communicate()
    store.remove("salts", tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
@pytest.mark.parametrize("largest", [1000, 1400, 1800, 2200])  # bytes: stops at a data file each
def test_a_write_that_fails_leaves_the_published_index_alone(tmp_path, salts, largest):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))  # acts like a full disk: longer files fail
    try:
        with pytest.raises(OSError, match="large"):
            publish_salts(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {p.name for p in (tmp_path / "indexes" / "salts").iterdir()} == {"current", salts.build_id}
    assert open_index("salts", tmp_path).manifest == salts
    assert not verify("salts", tmp_path).problems


@pytest.mark.parametrize("error", [FileNotFoundError("gone"), OSError("No files found"), UserError("no packed file")])
def test_whatever_vanishes_while_it_is_read_the_new_build_is_opened(tmp_path, salts, monkeypatch, error):
    """The old build goes between its check and its reading."""
    newer, opened = [], store.open_sealed

    def vanishing(*asked):
        if not newer:
            newer.append(publish_salts(tmp_path, crystals=SALTS[:3]))
            raise error
        return opened(*asked)

    monkeypatch.setattr(store, "open_sealed", vanishing)
    monkeypatch.setattr("indexer.storage.publish.load_build", lambda *_: None)
    assert salts != open_index("salts", tmp_path).manifest == newer[0]


@pytest.mark.usefixtures("salts")
def test_what_vanishes_without_a_new_build_is_damage(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "open_sealed", lambda *_: (_ for _ in ()).throw(OSError("No files found")))
    with pytest.raises(folders.DamagedIndexError, match="index 'salts' is damaged: No files found"):
        open_index("salts", tmp_path)


def test_a_build_that_is_read_stays_until_it_has_been_read(tmp_path, salts):
    old = folder_of(tmp_path, salts)
    with reading(old / "manifest.json"):
        newer = publish_salts(tmp_path)
        assert (old / "vectors.faiss").exists()
    assert open_index("salts", tmp_path).manifest == newer
    publish_salts(tmp_path)
    assert not old.exists()


def test_opening_beside_publications_never_fails(tmp_path):
    publish_salts(tmp_path)
    code = (
        "import sys, time; from pathlib import Path; from indexer.storage import open_index\n"
        "count, end = 0, time.monotonic() + 6\n"
        "while time.monotonic() < end: open_index('salts', Path(sys.argv[1])); count += 1\n"
        "print(count)"
    )
    reader = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    while reader.poll() is None:
        publish_salts(tmp_path)
    assert int(reader.stdout.read()) > 10
    assert reader.returncode == 0
