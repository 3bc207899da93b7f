import pytest
from page_steps import SOON, drop, selected_id, wait_for_hits

pytestmark = pytest.mark.browser
FORMULA, ELEMENTS = ("#xs-formula textarea, #xs-formula input", "#xs-elements textarea, #xs-elements input")


def test_filters_are_applied_and_explained(visit, address, with_wavelength, entry):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.fill(FORMULA, entry[1].formula)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('tr[data-rank]').length === 1", timeout=SOON)
    assert selected_id(page) == entry[0]
    page.fill(FORMULA, "")
    page.fill(ELEMENTS, "Xe")
    page.click("#xs-search")
    page.wait_for_selector("#xs-message >> text=no entry of the index has", timeout=SOON)
    assert page.locator("tr[data-rank]").count() == 1  # the answer before it stays


def test_a_formula_that_no_entry_has_is_an_answer_that_names_what_it_excludes(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.fill(FORMULA, "XeF2")
    page.click("#xs-search")
    page.wait_for_selector("#xs-verdict >> text=no entry of the index has the reduced formula", timeout=SOON)
    assert "which the filter excludes, is a match" in page.locator("#xs-verdict").inner_text()
    page.wait_for_selector("#xs-candidates >> text=ask again without the filter", timeout=SOON)
    assert page.locator("tr[data-rank]").count() == 0
