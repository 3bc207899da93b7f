import pytest
from page_steps import SOON, drop, wait_for_hits

pytestmark = pytest.mark.browser


def test_a_wavelength_can_be_typed(visit, address, without_wavelength):
    page = visit(address)
    page.fill("#xs-wavelength input", "8.0417 keV")
    page.keyboard.press("Enter")
    drop(page, without_wavelength)
    wait_for_hits(page)
    page.wait_for_selector("#xs-facts >> text=λ = 1.54177 Å chosen", timeout=SOON)


@pytest.mark.parametrize("number", ["0.7", "1.54"])
def test_a_number_is_not_taken_for_the_first_line_that_begins_like_it(visit, address, without_wavelength, number):
    page = visit(address)
    drop(page, without_wavelength)
    page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)
    page.fill("#xs-wavelength input", number)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#xs-facts >> text=/λ = {number}0* Å chosen/", timeout=SOON)
    assert page.input_value("#xs-wavelength input") == number


def test_the_arrows_choose_among_the_lines_that_begin_like_a_number(visit, address, without_wavelength):
    page = visit(address)
    drop(page, without_wavelength)
    page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)
    page.fill("#xs-wavelength input", "0.7")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#xs-facts >> text=/λ = 0.7[01][0-9]+ Å chosen/", timeout=SOON)
    assert page.input_value("#xs-wavelength input").startswith("Mo ")


def test_a_wrong_wavelength_is_explained(visit, address, without_wavelength):
    page = visit(address)
    drop(page, without_wavelength)
    page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)
    page.fill("#xs-wavelength input", "bananas")
    page.keyboard.press("Enter")
    page.wait_for_selector("#xs-message >> text='bananas' is no wavelength", timeout=SOON)
