import io
import time

import numpy as np
import pytest
from page_server import serve
from page_steps import SOON, drop, legend, selected_id, wait_for_hits, wait_for_text, width_of_content
from PIL import Image

from xtal.crystals import read_cif

pytestmark = pytest.mark.browser

BUILT = 1_800_000  # ms, the whole index on one slow core


def colours(page, selector: str) -> dict[int, int]:
    """Count the pixels of each colour in what is drawn in a place."""
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB")
    packed = np.asarray(picture, np.int64) @ [65536, 256, 1]
    return dict(zip(*(column.tolist() for column in np.unique(packed, return_counts=True)), strict=True))


def other_colours(page, selector: str, seen: list[dict[int, int]]) -> dict[int, int] | None:
    """Count again until the colours are none of `seen`; None when that does not happen soon. Drawing takes time."""
    until = time.monotonic() + SOON / 1000
    while time.monotonic() < until:
        if (now := colours(page, selector)) not in seen:
            return now
        page.wait_for_timeout(100)
    return None


def test_from_a_file_to_its_structure(visit, address, with_wavelength, entry):
    identifier, crystal = entry
    page = visit(address)
    page.wait_for_selector(".xs-ready", timeout=SOON)
    wait_for_text(page, "#xs-status", r"Index coremof2019-asr · 60 structures$")
    drop(page, with_wavelength)
    wait_for_hits(page)
    wait_for_text(page, "#xs-facts", r"[\s\S]*λ = 1\.54180 Å from the file[\s\S]*60 structures searched in \d+ ms")
    assert selected_id(page) == identifier
    assert legend(page)[3] == f"Reflections of {identifier.removesuffix('_clean')}"
    verdict = page.locator("#xs-verdict")
    wait_for_text(page, "#xs-verdict", r"Match: (more than )?\d\d % likely")
    assert identifier.removesuffix("_clean") in verdict.locator("p").first.inner_text()
    assert verdict.locator("li").count() >= 3

    drawn = colours(page, ".xs-canvas")
    assert 0.3 < max(drawn.values()) / sum(drawn.values()) < 0.98  # the rest of the panel is empty
    assert len(drawn) > 200  # shaded balls
    wait_for_text(page, ".xs-legend", r"H\s+C\s+N\s+O\s+Br\s+Cd\s*$")

    with page.expect_download() as waiting:
        page.click(".xs-cif")
    assert waiting.value.suggested_filename == f"{identifier}.cif"
    downloaded = read_cif(waiting.value.path().read_text())
    assert downloaded.reduced_formula == crystal.reduced_formula  # the conventional cell, as fitted
    assert downloaded.volume / len(downloaded) == pytest.approx(crystal.volume / len(crystal), rel=0.03)


def test_no_timer_stands_in_the_texts_of_the_page(visit, address, with_wavelength):
    """gradio keeps one in each of them while it waits, transparent, but read out, found and copied with the text."""
    page = visit(address)
    trackers = page.locator('.block:has(> .html-container) > [data-testid="status-tracker"]')
    assert trackers.count() > 10
    assert set(trackers.evaluate_all("found => found.map(e => getComputedStyle(e).display)")) == {"none"}
    trackers.first.evaluate("tracker => { tracker.className = tracker.className.replace('hide', ''); }")
    assert trackers.first.evaluate("tracker => getComputedStyle(tracker).display") == "none"
    drop(page, with_wavelength)
    wait_for_hits(page)
    assert set(trackers.evaluate_all("found => found.map(e => getComputedStyle(e).display)")) == {"none"}


def test_another_hit_is_overlaid_and_drawn(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    first, before = selected_id(page), colours(page, ".xs-canvas")
    page.click('tr[data-rank="2"]')
    second = page.locator('tr[data-rank="2"] .xs-id').inner_text()
    page.wait_for_selector(f".xs-cell >> text={second}", timeout=SOON)
    page.wait_for_selector(f"#xs-plot .legendtext >> text=Reflections of {second}", timeout=SOON)
    assert second in selected_id(page) != first
    assert other_colours(page, ".xs-canvas", [before]) is not None

    page.keyboard.press("ArrowDown")
    page.wait_for_selector('tr[data-rank="3"][aria-selected="true"]')
    third = page.locator('tr[data-rank="3"] .xs-id').inner_text()
    page.wait_for_selector(f".xs-cell >> text={third}", timeout=SOON)


def test_the_cell_can_be_looked_at_along_its_axes(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_selector('[data-axis="0"]:enabled')
    views = [colours(page, ".xs-canvas")]
    for axis in "012":
        page.click(f'[data-axis="{axis}"]')
        views.append(other_colours(page, ".xs-canvas", views))
    assert None not in views  # each axis shows what none before did


def test_the_cell_turns_by_the_keyboard_and_the_primitive_one_is_a_switch_away(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_selector('[data-axis="0"]:enabled')
    views = [colours(page, ".xs-canvas")]
    for key in ("ArrowRight", "+", "b"):
        page.focus(".xs-canvas")
        page.keyboard.press(key)
        views.append(other_colours(page, ".xs-canvas", views))
    assert None not in views
    switch = page.locator(".xs-switch")
    if switch.is_visible():  # the entry's conventional cell may be its primitive one
        before = page.inner_text(".xs-cell")
        switch.click()
        page.wait_for_function("text => document.querySelector('.xs-cell').innerText !== text", arg=before)
        assert "primitive cell" in page.inner_text(".xs-cell")
    page.click(".xs-solid")
    assert page.get_attribute(".xs-solid", "aria-pressed") == "false"
    assert other_colours(page, ".xs-canvas", views) is not None


def test_square_roots_are_a_click_away(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.click("#xs-root input")
    page.wait_for_selector("#xs-plot .ytitle >> text=√ Intensity", timeout=SOON)
    assert "Calculated" in legend(page)


def test_a_file_without_a_wavelength_asks_for_it_and_then_searches(visit, address, without_wavelength, entry):
    page = visit(address)
    drop(page, without_wavelength)
    alert = page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)
    words = "no wavelength in bare.xy; choose the one it was measured with under “Wavelength”"
    assert alert.inner_text().startswith(words)
    page.wait_for_selector("#xs-plot .legendtext >> text=Measured", timeout=SOON)  # its angles are known
    assert page.locator("tr[data-rank]").count() == 0
    page.click("#xs-message button >> text=/^Cu Kα$/")
    wait_for_hits(page)
    assert page.input_value("#xs-wavelength input") == "Cu Kα (1.5419 Å)"
    page.wait_for_selector("#xs-facts >> text=λ = 1.54187 Å chosen", timeout=SOON)
    page.wait_for_selector("#xs-message [role=alert]", state="detached", timeout=SOON)
    assert selected_id(page) == entry[0]


def test_a_file_that_is_no_pattern_is_explained(visit, address, tmp_path):
    bad = tmp_path / "<i>notes.xy"
    bad.write_text("shopping list: zinc nitrate, terephthalic acid\n")
    page = visit(address)
    drop(page, bad)
    alert = page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)
    assert ".xy" in alert.inner_text()
    assert "Traceback" not in page.content()
    assert page.locator("#xs-message i").count() == 0


def test_a_file_that_is_too_large_is_refused(visit, address, tmp_path):
    large = tmp_path / "large.xy"
    with large.open("wb") as file:
        file.truncate(60 * 2**20)
    page = visit(address)
    drop(page, large)
    page.wait_for_selector("text=/exceeds|too large|maximum/i", timeout=SOON)


def test_searching_without_a_pattern_is_explained(visit, address):
    page = visit(address)
    page.click("#xs-search")
    page.wait_for_selector("#xs-message >> text=Drop a file or pick an example first", timeout=SOON)


def test_an_example_is_named_as_simulated_and_found(visit, address):
    page = visit(address)
    page.click("#xs-examples button >> nth=0")
    wait_for_hits(page)
    page.wait_for_selector("#xs-facts >> text=(simulated)", timeout=SOON)
    assert "Simulated" in legend(page)
    assert "Measured" not in legend(page)


def test_removing_the_file_empties_the_page(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.click('#xs-file [aria-label="Clear"], #xs-file [aria-label="Remove this file"]')
    page.wait_for_selector("#xs-table .xs-empty", timeout=SOON)
    wait_for_text(page, ".xs-cell", "$")


@pytest.mark.parametrize("width", [390, 768])
def test_a_narrow_screen_does_not_overflow(visit, address, with_wavelength, width):
    page = visit(address, width)
    assert width_of_content(page) == width
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_timeout(500)
    assert width_of_content(page) == width
    assert page.locator("#xs-plot .main-svg").first.bounding_box()["width"] <= width


def test_a_phone_shows_the_verdict_first_and_what_is_pressed_is_large_enough(visit, address, with_wavelength):
    page = visit(address, 390)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_function("document.querySelector('#xs-verdict h2').getBoundingClientRect().top < 200", timeout=SOON)
    assert page.locator("#xs-verdict h2").bounding_box()["y"] >= 0
    small = page.locator("#xs-results button:visible, #xs-results summary:visible, #xs-results .xs-share a:visible")
    sizes = small.evaluate_all("found => found.map(e => [e.getBoundingClientRect(), e.textContent])")
    assert len(sizes) > 8
    assert [text for box, text in sizes if min(box["width"], box["height"]) < 24] == []
    page.locator("#xs-table summary").press("Enter")  # the legend of the columns, without a pointer
    page.wait_for_selector("#xs-table dd >> text=Calibrated probability", timeout=SOON)


def test_a_dark_page_repaints_the_figure(visit, address, with_wavelength):
    strokes = {}
    for scheme in ("light", "dark"):
        page = visit(address, scheme=scheme)
        drop(page, with_wavelength)
        wait_for_hits(page)
        line = page.locator("#xs-plot .scatterlayer .js-line").first
        strokes[scheme] = line.evaluate("line => getComputedStyle(line).stroke")
    assert strokes == {"light": "rgb(31, 41, 55)", "dark": "rgb(215, 222, 232)"}


def test_the_page_names_no_other_machine(visit, address):
    """Not even in a link: gradio's own page holds some for search engines, which no browser follows."""
    page = visit(address)
    loaders = "script[src], link[rel=stylesheet], img[src], iframe[src]"
    loading = page.locator(loaders).evaluate_all("found => found.map(e => e.src || e.href)")
    assert loading
    assert all(url.startswith((address, "data:")) for url in loading)


def test_the_first_start_builds_the_index_and_says_how_far_it_is(visit, with_wavelength, tmp_path):
    server = serve(tmp_path / "empty-home", tmp_path)
    page = visit(next(server))
    page.wait_for_selector("#xs-status progress", timeout=SOON)
    drop(page, with_wavelength)
    page.wait_for_selector("#xs-message >> text=The index is not ready yet", timeout=SOON)
    page.wait_for_selector("#xs-plot .legendtext >> text=Peaks found", timeout=SOON)
    page.wait_for_selector("#xs-status >> text=/[1-9][0-9,]* of 12,020/", timeout=2 * SOON)
    server.close()


def test_screenshot(visit, request, tmp_path):
    """With ``--screenshot PATH``: the page in the user's own index, for the README."""
    path = request.config.getoption("--screenshot", default=None)
    if path is None:
        pytest.skip("only with --screenshot PATH")
    server = serve(None, tmp_path)
    page = visit(next(server))
    page.wait_for_selector(".xs-ready", timeout=BUILT)
    page.click("#xs-examples [data-pick=MOF-5]")
    wait_for_hits(page)
    page.wait_for_timeout(1500)
    page.screenshot(path=path, full_page=True)
    server.close()
