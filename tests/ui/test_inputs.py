from pathlib import Path

import pytest

from ui.inputs import FROM_FILE, Source, bare_curve, examples, load, wavelength_choices
from xtal.errors import UserError
from xtal.patterns import parse_wavelength

PATTERNS = Path(__file__).parents[1] / "data" / "patterns"


def source(name: str) -> Source:
    return Source(PATTERNS / name, name)


def test_a_file_that_states_its_wavelength_needs_no_choice():
    loaded = load(source("panalytical.xrdml"), FROM_FILE)
    assert loaded.origin == "from the file"
    assert loaded.pattern.wavelength == pytest.approx(1.5418, abs=2e-3)
    assert loaded.notice == ""


def test_a_file_without_a_wavelength_asks_for_one():
    with pytest.raises(UserError, match=r"no wavelength in plain.xy; choose the one .* under “Wavelength”"):
        load(source("plain.xy"), FROM_FILE)


@pytest.mark.parametrize(("choice", "angstrom"), [("MoKa", 0.71075), ("0.4 Å", 0.4), ("12.398419843 keV", 1.0)])
def test_the_chosen_wavelength_is_used(choice, angstrom):
    loaded = load(source("plain.xy"), choice)
    assert loaded.origin == "chosen"
    assert loaded.pattern.wavelength == pytest.approx(angstrom, abs=1e-5)


def test_a_choice_against_the_file_is_used_and_noted():
    loaded = load(source("panalytical.xrdml"), "MoKa")
    assert loaded.pattern.wavelength == pytest.approx(0.71075, abs=1e-5)
    assert loaded.notice.startswith("The file states 1.54")
    assert load(source("panalytical.xrdml"), f"{load(source('panalytical.xrdml'), '').pattern.wavelength}").notice == ""


def test_a_file_that_is_no_pattern_says_so_rather_than_ask_for_a_wavelength(tmp_path):
    nonsense = tmp_path / "notes.xy"
    nonsense.write_text("shopping list: zinc, terephthalic acid\n")
    with pytest.raises(UserError, match=r"notes\.xy") as caught:
        load(Source(nonsense, nonsense.name), FROM_FILE)
    assert "Choose the one" not in str(caught.value)


def test_a_wavelength_that_is_none_is_refused():
    with pytest.raises(UserError, match="'bananas' is no wavelength"):
        load(source("plain.xy"), "bananas")


def test_every_offered_wavelength_can_be_read():
    choices = dict(wavelength_choices())
    assert choices.pop(FROM_FILE) == FROM_FILE
    for label, value in choices.items():
        assert f"{parse_wavelength(value):.4f} Å" in label


def test_examples_are_named_as_simulated():
    for example in examples():
        assert example.simulated
        assert example.name.endswith("(simulated)")
        assert load(example, FROM_FILE).pattern.wavelength > 0


def test_a_pattern_without_wavelength_is_drawn_where_its_angles_are_known(tmp_path):
    bare = bare_curve(source("plain.xy"))
    assert bare is not None
    assert len(bare.two_theta) == len(load(source("plain.xy"), "CuKa").pattern.two_theta)
    over_q = tmp_path / "q.csv"
    over_q.write_text("q (1/A),intensity\n" + "".join(f"{0.5 + 0.01 * n},{100 + n % 7}\n" for n in range(400)))
    assert bare_curve(Source(over_q, "q.csv")) is None
    assert bare_curve(source("no such file.xy")) is None
