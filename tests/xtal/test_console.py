"""What all command lines share."""

import pytest
import typer

from xtal.console import FAILED, errors_reported, progress_bars


def interrupted_while_drawn():
    """What tqdm makes of Ctrl+C between taking its lock and giving it back."""
    try:
        raise KeyboardInterrupt
    finally:
        raise RuntimeError("cannot release un-acquired lock")


def full_disk():
    raise RuntimeError("the disk is full")


def worked(task):
    """A task that moves a bar."""
    with progress_bars() as advance:
        advance("prepare", 1, 10)
        task()


def test_ctrl_c_stays_ctrl_c_while_a_bar_is_drawn():
    with pytest.raises(KeyboardInterrupt):
        worked(interrupted_while_drawn)


def test_any_other_error_is_as_it_was():
    with pytest.raises(RuntimeError, match="full"):
        worked(full_disk)


def test_a_new_stage_ends_the_bar_before(capsys):
    with progress_bars() as advance:
        advance("prepare: some", 3, 4)
        advance("prepare: more", 1, 4)
        advance("embed", 2, 2)
    said = capsys.readouterr().err
    assert "prepare: more: 100%" in said
    assert "embed: 100%" in said


def test_a_bar_without_a_total_shows_its_name_once(capsys):
    with progress_bars() as advance:
        advance("prepare", 0, None)
        advance("prepare", 32, None)
    said = capsys.readouterr().err
    assert "prepare: 32 entries" in said
    assert ": :" not in said


def test_a_missing_extra_is_one_sentence(capsys):
    with pytest.raises(typer.Exit) as ended, errors_reported():
        raise ModuleNotFoundError("No module named 'faiss.swig'", name="faiss.swig")
    assert ended.value.exit_code == FAILED
    said = capsys.readouterr().err
    assert said == "error: this needs the package faiss, which is not installed; run: pip install 'xtalscout[cpu]'\n"


def test_a_module_of_ours_that_is_missing_is_a_defect():
    with pytest.raises(ModuleNotFoundError), errors_reported():
        raise ModuleNotFoundError("No module named 'xtal.nothing'", name="xtal.nothing")
