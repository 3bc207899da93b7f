import pytest
from page_steps import SOON, drop, selected_id, wait_for_hits, wait_for_text
from test_answers import ABSENT, SETTLED

from xtal.crystals import write_cif

pytestmark = pytest.mark.browser
FIELD = "#xs-compare textarea, #xs-compare input"


def test_is_it_this_yes_and_no(visit, address, with_wavelength, entry):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.fill(FIELD, entry[0][:6].lower())  # its refcode
    page.press(FIELD, "Enter")
    page.wait_for_selector(".xs-compared.xs-match", timeout=SOON)
    wait_for_text(page, ".xs-compared h3", rf"Is it {entry[0][:6].lower()}\? Yes: (more than )?\d\d % likely$")
    assert page.inner_text(".xs-compared h3").partition(": ")[2] == page.inner_text("#xs-verdict h2").partition(": ")[2]

    page.wait_for_timeout(SETTLED)
    other = page.locator("#xs-table tr[data-rank]:not(.xs-member) .xs-id").last.get_attribute("title")
    page.fill(FIELD, other)
    page.press(FIELD, "Enter")
    page.wait_for_selector(".xs-compared.xs-miss", timeout=SOON)
    wait_for_text(page, ".xs-compared h3", r"Is it .*\? No: (less than )?\d+ % likely$")
    assert page.locator(".xs-compared li").count() >= 2
    assert selected_id(page) == other  # and it is drawn

    page.wait_for_timeout(SETTLED)
    page.fill(FIELD, "UiO-6x")
    page.press(FIELD, "Enter")
    page.wait_for_selector("#xs-message >> text=names like it: UiO-6", timeout=SOON)


def test_a_cif_beside_the_pattern_is_compared_with(visit, address, with_wavelength, entry, tmp_path):
    structure = tmp_path / "mine.cif"
    structure.write_text(write_cif(entry[1], ["mine"]))
    page = visit(address)
    drop(page, with_wavelength, structure)
    wait_for_hits(page)
    wait_for_text(page, ".xs-compared h3", r"Is it mine\? Yes: (more than )?\d\d % likely$")
    assert not page.is_visible("#xs-batch tr[data-rank]")


def test_after_a_miss_the_page_asks_before_it_generates(visit, address):
    page = visit(address)
    drop(page, ABSENT)
    wait_for_hits(page)
    wait_for_text(page, "#xs-verdict h2", "No match")
    page.wait_for_selector("#xs-ask-known", timeout=SOON)
    wait_for_text(page, "#xs-candidates", "Nothing was generated, for nothing is known of the sample")
    page.click("#xs-ask-known")
    page.wait_for_selector("#xs-message >> text=Give the metal", timeout=SOON)
    page.fill("#xs-ask-metal textarea, #xs-ask-metal input", "Zn")
    page.fill("#xs-ask-linkers textarea, #xs-ask-linkers input", "2-mIm")
    page.click("#xs-ask-known")
    page.wait_for_selector("#xs-progress .xs-building", timeout=SOON)
    assert not page.is_visible("#xs-ask-known")
    page.click("#xs-cancel", timeout=SOON)
    page.wait_for_selector("#xs-candidates >> text=The generation was cancelled", timeout=SOON)
    page.wait_for_selector("#xs-ask-known", timeout=SOON)  # and it may be asked for again
