import io
import re
import shutil
import zipfile

import pytest
from page_server import ROOT
from page_steps import LATE, SOON, downloaded, drop, legend, selected_id, wait_for_hits, wait_for_text, width_of_content

from xtal.crystals import read_cif

pytestmark = pytest.mark.browser
EXAMPLES = sorted(path for path in (ROOT / "search" / "examples").glob("*.xye") if "-with-" not in path.name)
SETTLED = 500  # ms after an answer: gradio may lose what is asked while it closes the stream of the one before
ABSENT = EXAMPLES[3]  # ZIF-8, which is not among the first entries of the index


def ask_for(page, contents: str, count: int):
    page.wait_for_selector(".xs-ready", timeout=SOON)
    page.click("#xs-generation button")
    page.wait_for_timeout(500)  # what is typed while the fields unfold is lost
    page.fill("#xs-contents textarea, #xs-contents input", contents)
    page.fill("#xs-count input[type=number]", str(count))
    page.press("#xs-count input[type=number]", "Tab")


def test_a_miss_generates_candidates_that_say_what_they_are(visit, address):
    page = visit(address)
    ask_for(page, "ZnS", 2)
    drop(page, ABSENT)
    wait_for_hits(page)
    wait_for_text(page, "#xs-verdict h2", "No match")
    page.wait_for_selector("#xs-candidates tr[data-rank]", timeout=2 * SOON)  # the first one compiles half a minute
    wait_for_text(page, "#xs-candidates h3", "Generated, not verified$")
    assert page.locator("#xs-candidates tr[data-rank]").count() == 2
    page.click('#xs-candidates tr[data-rank="2"]')
    page.wait_for_selector("#xs-plot .legendtext >> text=Reflections of candidate 2", timeout=SOON)
    name, cif = downloaded(page, ".xs-cif")
    assert name == "ZIF-8-generated-2.cif"
    assert "a proposal, not verified" in cif.decode()
    assert read_cif(cif.decode()).formula == "SZn"
    page.wait_for_selector("#xs-cancel", state="hidden", timeout=SOON)
    wait_for_text(page, "#xs-verdict .xs-share", r"\?answer=[0-9a-f]{8}")


def test_a_generation_can_be_cancelled_while_its_hits_stay(visit, address):
    page = visit(address)
    ask_for(page, "Zn16N64C128H160", 20)
    drop(page, ABSENT)
    wait_for_hits(page)
    before = selected_id(page)
    page.click("#xs-cancel", timeout=SOON)
    page.wait_for_selector("#xs-candidates >> text=The generation was cancelled", timeout=SOON)
    page.wait_for_selector("#xs-cancel", state="hidden", timeout=SOON)
    assert selected_id(page) == before
    assert page.locator("#xs-verdict .xs-share").count() == 1  # what was searched is kept
    page.wait_for_timeout(SETTLED)
    page.click("#xs-past button")
    page.wait_for_selector(f"#xs-history li >> text={ABSENT.name}", timeout=SOON)
    page.reload()
    wait_for_hits(page)
    page.wait_for_selector("#xs-candidates >> text=The generation was not finished", timeout=SOON)


def test_an_answer_opens_again_by_its_link_and_from_the_history(visit, address, with_wavelength, entry):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    link = page.locator(".xs-share a").first.get_attribute("href")

    other = visit(address + link)
    wait_for_hits(other)
    assert selected_id(other) == entry[0]
    other.wait_for_selector("#xs-facts >> text=as asked before", timeout=SOON)

    other.click("#xs-examples button >> nth=0")
    other.wait_for_selector("#xs-facts >> text=(simulated)", timeout=SOON)
    wait_for_hits(other)
    # another link stands there when the generation after this miss is done
    wait_for_text(other, "#xs-verdict .xs-share", rf"(?!{re.escape(link)})\?answer=[0-9a-f]{{8}}", LATE)
    other.wait_for_timeout(SETTLED)
    other.click("#xs-past button")
    row = f'#xs-history [data-rank="{link.removeprefix("?answer=")}"]'
    other.press(row, "Enter")  # at once: a history that is drawn anew loses the focus
    other.wait_for_selector("#xs-facts >> text=sample.xy", timeout=SOON)

    wait_for_text(other, "#xs-verdict .xs-share", re.escape(link))
    other.wait_for_timeout(SETTLED)
    other.on("dialog", lambda dialog: dialog.accept())
    other.click(f"{row} button")
    other.wait_for_selector(row, state="detached", timeout=SOON)
    gone = visit(address + link)
    gone.wait_for_selector("#xs-message [role=alert]", timeout=SOON)


def test_twenty_files_and_a_bad_one(visit, address, tmp_path):
    files = [tmp_path / f"{number:02d}-{EXAMPLES[number % 5].name}" for number in range(20)]
    for number, file in enumerate(files):
        shutil.copy(EXAMPLES[number % 5], file)
    bad = tmp_path / "notes.xy"
    bad.write_text("shopping list")
    page = visit(address)
    drop(page, *files, bad)
    page.wait_for_selector("#xs-batch caption >> text=/21 of 21 files.* 1 error/", timeout=2 * SOON)
    assert page.locator("#xs-batch tr[data-rank]").count() == 21
    page.wait_for_selector('#xs-batch tr[data-rank="21"] .xs-words >> text=no rows of numbers', timeout=SOON)
    wait_for_hits(page)
    page.click('#xs-batch tr[data-rank="3"]')
    page.wait_for_selector(f"#xs-facts >> text={files[2].name}", timeout=SOON)
    page.wait_for_selector("#xs-verdict h2", timeout=SOON)

    name, table = downloaded(page, "#xs-csv")
    assert name == "xtalscout-batch.csv"
    assert len(table.decode("utf-8-sig").splitlines()) == 22
    name, packed = downloaded(page, "#xs-zip")
    assert name == "xtalscout-batch.zip"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert len(archive.namelist()) == 20
        assert archive.namelist()[0].startswith("01-00-HKUST-1-")

    page.click('#xs-batch tr[data-rank="21"]')
    page.wait_for_selector("#xs-message [role=alert]", timeout=SOON)


def test_crystals_are_generated_for_the_misses_of_a_batch(visit, address, with_wavelength, tmp_path):
    other = tmp_path / "other.xye"
    shutil.copy(EXAMPLES[0], other)
    page = visit(address)
    ask_for(page, "ZnS", 2)
    drop(page, with_wavelength, ABSENT, other)
    page.wait_for_selector("#xs-batch caption >> text=/3 of 3 files.*1 match, 2 no match/", timeout=2 * SOON)
    assert not page.is_checked("#xs-batch-generate input")
    page.wait_for_timeout(1500)  # nothing begins by itself
    assert page.locator("#xs-batch th").count() == 7
    page.click('#xs-batch tr[data-rank="3"]')
    page.wait_for_selector(f"#xs-facts >> text={ABSENT.name}", timeout=SOON)

    page.check("#xs-batch-generate input")
    page.wait_for_selector("#xs-batch-progress >> text=/of 2 without a match/", timeout=SOON)
    page.wait_for_selector("#xs-batch th >> text=Generated", timeout=2 * SOON)
    page.wait_for_selector("#xs-candidates tr[data-rank]", timeout=SOON)  # of the row that is shown
    assert page.locator('#xs-batch tr[aria-selected="true"]').get_attribute("data-rank") == "3"
    page.wait_for_selector("#xs-batch-progress .xs-building", state="detached", timeout=2 * SOON)
    made = page.locator("#xs-batch tr[data-rank] td:nth-child(7)").all_inner_texts()
    assert [bool(text.strip()) for text in made] == [True, False, True]  # other, sample, ZIF-8
    _, packed = downloaded(page, "#xs-zip")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        generated = [name for name in archive.namelist() if "generated" in name]
        assert generated == [
            f"0{n}-{stem}-generated-{r}.cif" for n, stem in ((1, "other"), (3, "ZIF-8")) for r in (1, 2)
        ]
        assert "not verified" in archive.read(generated[0]).decode()


def test_generation_for_a_batch_can_be_cancelled(visit, address, with_wavelength):
    page = visit(address)
    ask_for(page, "Zn16N64C128H160", 20)
    drop(page, with_wavelength, ABSENT)
    page.wait_for_selector("#xs-batch caption >> text=/2 of 2 files.*1 no match/", timeout=2 * SOON)
    page.check("#xs-batch-generate input")
    page.click("#xs-batch-cancel", timeout=SOON)
    page.wait_for_selector("#xs-batch .xs-words >> text=the generation was cancelled", timeout=SOON)
    page.wait_for_selector("#xs-batch-cancel", state="hidden", timeout=SOON)
    assert not page.is_checked("#xs-batch-generate input")


def test_many_files_are_answered_sorted_and_drawn_as_a_series(visit, address, with_wavelength, tmp_path):
    files = [tmp_path / f"{number}.xy" for number in range(55)]
    for file in files[:-1]:
        shutil.copy(with_wavelength, file)
    files[-1].write_text("no pattern")
    page = visit(address)
    drop(page, *files)
    page.wait_for_selector("#xs-batch caption >> text=/55 of 55 files.* 1 error/", timeout=4 * SOON)
    wait_for_hits(page)  # the table is drawn anew once the first answer is open
    names = page.locator("#xs-batch tbody tr td:first-child")
    assert names.first.inner_text() == "54.xy"  # what must be mended
    page.click("#xs-batch .xs-sort >> text=File")
    assert names.nth(2).inner_text() == "2.xy"
    page.click("#xs-batch .xs-sort >> text=File")
    assert [names.first.inner_text(), names.nth(44).inner_text()] == ["54.xy", "10.xy"]
    page.click("#xs-draw-series")
    page.wait_for_selector("#xs-series img", timeout=SOON)
    assert page.locator("#xs-series a[download]").count() == 2


def test_the_report_is_a_page_that_needs_nothing_else(visit, address, with_wavelength, entry):
    page = visit(address)
    assert page.locator("#xs-report").is_disabled()
    drop(page, with_wavelength)
    wait_for_hits(page)
    name, report = downloaded(page, "#xs-report")
    assert name == "sample-report.html"
    assert entry[0] in report.decode()
    assert "Match:" in report.decode()
    assert re.findall(r'(?:src="|<link[^>]* href=")http', report.decode()) == []


def test_lines_can_be_edited_searched_with_and_found_again(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    first_id = selected_id(page)
    page.click("#xs-edit .label-wrap")
    page.wait_for_selector("#xs-lines >> text=peaks found", timeout=SOON)
    buttons = page.locator("#xs-lines [data-remove]")
    count, first = buttons.count(), buttons.first.get_attribute("data-remove")
    assert page.locator("#xs-again").is_disabled()

    buttons.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Delete")
    page.wait_for_selector(f"#xs-lines >> text={count - 1} edited peaks, not searched with yet", timeout=SOON)
    page.wait_for_selector("#xs-plot .legendtext >> text=Edited peaks", timeout=SOON)
    assert buttons.first.get_attribute("data-remove") == first
    assert page.evaluate("document.activeElement.dataset.remove") == buttons.nth(1).get_attribute("data-remove")

    page.fill("#xs-place input, #xs-place textarea", "170")
    page.fill("#xs-height input, #xs-height textarea", "5")
    page.click("#xs-add")
    page.wait_for_selector("#xs-lines [role=alert] >> text=must lie in the measured range", timeout=SOON)
    page.fill("#xs-place input, #xs-place textarea", "33.3")
    page.keyboard.press("Enter")
    page.wait_for_selector('#xs-lines [data-remove="33.300000"]', timeout=SOON)
    page.wait_for_selector("#xs-lines [role=alert]", state="detached", timeout=SOON)

    page.click("#xs-again")
    page.wait_for_selector(f"#xs-verdict .xs-edited >> text=Searched with {count} edited peaks.", timeout=SOON)
    page.wait_for_selector(f"#xs-facts >> text={count} edited peaks", timeout=SOON)

    page.click("#xs-found")
    page.wait_for_selector(f"#xs-lines >> text={count} peaks found, not searched with yet", timeout=SOON)
    page.click("#xs-again")
    page.wait_for_selector("#xs-verdict .xs-edited", state="detached", timeout=SOON)
    assert selected_id(page) == first_id
    page.wait_for_selector("#xs-plot .legendtext >> text=Edited peaks", state="detached", timeout=SOON)


def test_edited_lines_stay_with_their_measurement(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.click("#xs-edit .label-wrap")
    page.wait_for_selector("#xs-lines >> text=peaks found", timeout=SOON)
    count = page.locator("#xs-lines [data-remove]").count()
    page.locator("#xs-lines [data-remove]").first.click()
    page.wait_for_selector(f"#xs-lines >> text={count - 1} edited peaks", timeout=SOON)
    kept = page.locator("#xs-lines [data-remove]").first.get_attribute("data-remove")

    page.fill("#xs-wavelength input", "1.5406")
    page.keyboard.press("Enter")
    page.wait_for_selector("#xs-message >> text=The edited peaks of this measurement were kept", timeout=SOON)
    page.wait_for_selector(f"#xs-verdict .xs-edited >> text=Searched with {count - 1} edited peaks", timeout=SOON)
    assert page.locator("#xs-lines [data-remove]").first.get_attribute("data-remove") == kept
    page.click("#xs-search")
    page.wait_for_selector("#xs-message >> text=were kept", state="detached", timeout=SOON)

    page.click('#xs-file [aria-label="Clear"], #xs-file [aria-label="Remove this file"]')
    page.wait_for_selector("#xs-table .xs-empty", timeout=SOON)
    drop(page, with_wavelength)
    page.wait_for_selector("#xs-message >> text=were kept", timeout=SOON)
    page.wait_for_selector("#xs-verdict .xs-edited", timeout=SOON)
    page.click("#xs-found")
    page.wait_for_selector("#xs-message >> text=were kept", state="detached", timeout=SOON)


def test_the_periodic_table_filters_hits(visit, address, with_wavelength, entry):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.click("#xs-periodic button")
    page.click('[data-element="Cd"]')
    wait_for_text(page, ".xs-marked", "Must: Cd$")
    page.click("#xs-search")
    page.wait_for_function(
        "[...document.querySelectorAll('#xs-table .xs-formula')].every(cell => cell.title.includes('Cd'))", timeout=SOON
    )
    assert selected_id(page) == entry[0]
    page.click('[data-element="Cd"]')
    page.click("#xs-search")
    page.wait_for_function(
        "[...document.querySelectorAll('#xs-table .xs-formula')].every(cell => !cell.title.includes('Cd'))",
        timeout=SOON,
    )
    assert page.locator("#xs-table tr[data-rank]").count() > 0


def test_a_phone_shows_verdict_and_batch_without_overflow(visit, address, with_wavelength, tmp_path):
    second = tmp_path / ("a-rather-long-name-of-a-measurement" * 3 + ".xy")
    shutil.copy(with_wavelength, second)
    page = visit(address, 390, "dark")
    drop(page, with_wavelength, second)
    page.wait_for_selector("#xs-batch caption >> text=2 of 2 files", timeout=SOON)
    wait_for_hits(page)
    assert "Calculated" in legend(page)
    page.wait_for_timeout(500)
    assert width_of_content(page) == 390
    colour = page.locator(".xs-verdict").evaluate("banner => getComputedStyle(banner).backgroundColor")
    assert colour == "rgb(19, 38, 29)"
