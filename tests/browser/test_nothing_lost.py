import re

import pytest
from page_steps import SOON, drop, selected_id, wait_for_hits, wait_for_text
from test_answers import ABSENT, EXAMPLES, ask_for

pytestmark = pytest.mark.browser


def test_a_reload_during_a_generation_finds_it_again(visit, address):
    page = visit(address)
    ask_for(page, "Zn16N64C128H160", 20)
    drop(page, ABSENT)
    wait_for_hits(page)
    page.wait_for_url(re.compile(r"\?answer=[0-9a-f]{8}$"), timeout=SOON)
    before = selected_id(page)
    page.wait_for_selector("#xs-progress .xs-building", timeout=SOON)
    page.reload()
    wait_for_hits(page)
    assert selected_id(page) == before
    page.wait_for_selector(f"#xs-facts >> text={ABSENT.name}", timeout=SOON)
    page.wait_for_selector("#xs-progress .xs-building", timeout=SOON)
    page.click("#xs-cancel", timeout=SOON)  # the page that was opened again also stops it
    page.wait_for_selector("#xs-candidates >> text=The generation was cancelled", timeout=SOON)


def test_an_answer_survives_a_reload_and_a_new_file_changes_the_address(visit, address, with_wavelength, entry):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_url(re.compile(r"\?answer=[0-9a-f]{8}$"), timeout=SOON)
    page.reload()
    wait_for_hits(page)
    assert selected_id(page) == entry[0]
    page.evaluate("kept => { window.kept = kept; }", page.url)
    drop(page, EXAMPLES[0])
    page.wait_for_selector(f"#xs-facts >> text={EXAMPLES[0].name}", timeout=SOON)
    page.wait_for_function("window.location.href !== window.kept", timeout=SOON)


def test_a_second_file_takes_the_place_of_the_first_or_both_are_answered(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    drop(page, EXAMPLES[0])
    page.wait_for_selector(f"#xs-facts >> text={EXAMPLES[0].name}", timeout=SOON)
    wait_for_text(page, "#xs-message", f"{re.escape(EXAMPLES[0].name)} took the place of sample.xy")
    assert not page.is_visible("#xs-batch tr[data-rank]")
    wait_for_hits(page)
    page.click("#xs-together", timeout=SOON)
    page.wait_for_selector("#xs-batch caption >> text=/2 of 2 files/", timeout=2 * SOON)
    assert page.locator("#xs-batch tr[data-rank]").count() == 2
    assert not page.is_visible("#xs-together")


def test_a_row_of_the_history_tells_its_filters(visit, address, with_wavelength):
    page = visit(address)
    page.fill("#xs-elements textarea, #xs-elements input", "C H N O Br Cd")
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_timeout(500)
    page.click("#xs-past button")
    row = page.locator("#xs-history li", has_text="only Br, C, Cd, H, N, O").first
    row.wait_for(timeout=SOON)
    assert "sample.xy" in row.inner_text()


def test_a_reload_before_the_answer_is_there_finds_the_new_file(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_url(re.compile(r"\?answer=[0-9a-f]{8}$"), timeout=SOON)
    drop(page, EXAMPLES[0])
    page.wait_for_function("/answer=[0-9a-f]{16}$/.test(window.location.href)", polling="raf", timeout=SOON)
    page.reload()
    wait_for_hits(page)
    page.wait_for_selector(f"#xs-facts >> text={EXAMPLES[0].name}", timeout=SOON)
    page.wait_for_url(re.compile(r"\?answer=[0-9a-f]{8}$"), timeout=SOON)


def test_a_generation_that_two_tabs_watch_goes_on_when_one_opens_another_file(visit, address, with_wavelength):
    page = visit(address)
    ask_for(page, "Zn16N64C128H160", 20)
    drop(page, ABSENT)
    page.wait_for_selector("#xs-progress .xs-building", timeout=SOON)
    page.wait_for_url(re.compile(r"\?answer=[0-9a-f]{8}$"), timeout=SOON)
    other = visit(page.url)
    other.wait_for_selector("#xs-progress .xs-building", timeout=SOON)
    drop(other, with_wavelength)
    other.wait_for_selector("#xs-facts >> text=sample.xy", timeout=SOON)
    wait_for_text(other, "#xs-verdict h2", "Match|Probable")
    assert page.is_visible("#xs-cancel")
    drop(page, with_wavelength)  # the last that watched it: nothing of it comes back
    page.wait_for_selector("#xs-facts >> text=sample.xy", timeout=SOON)
    wait_for_text(page, "#xs-verdict h2", "Match|Probable")
    page.wait_for_timeout(3000)
    assert page.inner_text("#xs-facts b") == "sample.xy"
    assert not page.is_visible("#xs-cancel")
