import pytest
from ui_fakes import FakeEngine, library, loaded

from ui.inputs import Source
from ui.library import Library, Progress
from ui.show.texts import error_html, file_name, library_html, notice_html, pattern_facts


def test_messages_are_escaped():
    assert "<img" not in error_html("<img src=x>") + notice_html("<img src=x>")
    assert notice_html("") == ""


def test_the_wavelength_in_use_is_always_told():
    assert "λ = 1.54060 Å <small>from the file</small>" in pattern_facts(loaded(), 2)


def test_a_file_name_cannot_become_markup():
    given = loaded()
    evil = type(given)(given.pattern, Source("x", "<svg onload=alert(1)>"), "chosen")
    assert "<svg" not in pattern_facts(evil, 2)


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("ABAVIJ_clean", "ABAVIJ_clean.cif"),
        ("a/b c", "a_b_c.cif"),
        ("../../etc/passwd", "etc_passwd.cif"),
        ("Übung µ", "Übung_µ.cif"),
    ],
)
def test_file_names_are_safe(identifier, name):
    assert file_name(identifier) == name


def test_a_long_file_name_is_one_that_file_systems_take():
    assert len(file_name("格" * 300, "-report.html").encode()) <= 255


def test_a_ready_index_tells_its_size():
    assert "1,234 structures" in library_html(library(FakeEngine()))


def test_a_build_tells_how_far_it_is():
    building = Library("coremof2019-asr")
    assert "opening</span><progress></progress>" in library_html(building)
    building.advance("prepare", 16, None)
    assert "computing diffraction lines 16</span><progress></progress>" in library_html(building)
    building.advance("prepare", 16, 12_020)
    assert "computing diffraction lines 32 of 12,020" in library_html(building)
    assert 'value="0.0027"' in library_html(building)
    building.advance("embed", 50, 100)
    assert "computing fingerprints 50 of 100" in library_html(building)


def test_a_failed_index_tells_why():
    failed = Library("nope")
    failed.progress = Progress("", error="index <nope> not found")
    assert 'role="alert">index &lt;nope&gt; not found' in library_html(failed)
