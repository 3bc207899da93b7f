from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.storage import folders
from xtal.errors import UserError


@given(st.text(max_size=120) | st.from_regex(r"[./\\A-Za-z0-9_-]{0,12}", fullmatch=True))
def test_a_name_is_refused_or_stays_inside_the_folder_of_indexes(name):
    home = Path("/home/of/indexes")
    try:
        folder = folders.index_folder(name, home)
    except UserError:
        return  # the words are pinned below
    assert folder.parent == home / "indexes"
    assert folder.name == name
    assert Path(*folder.parts) == folder
    assert name not in ("", ".", "..")
    assert "\n" not in name


@pytest.mark.parametrize("name", ["coremof2019-asr", "a", "my_mofs.v2", "9" * 100])
def test_ordinary_names_are_allowed(name):
    assert folders.check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "-x", ".hidden", "x.lock", "x.", "x\n", "é", "a b", "9" * 101]
)
def test_tricks_are_refused(name):
    with pytest.raises(UserError, match="is not allowed: use up to 100 letters"):
        folders.check_name(name)


def test_a_name_and_its_lock_file_never_meet_another_index(tmp_path):
    assert folders.lock_path("a", tmp_path) != folders.index_folder("a", tmp_path)
    with pytest.raises(UserError, match="not ending in"):
        folders.index_folder(folders.lock_path("a", tmp_path).name, tmp_path)
