import pytest
from page_steps import SOON, downloaded, drop, wait_for_hits

pytestmark = pytest.mark.browser
ODD = 'Übung "A"<i>%22 50 % 😀.xy'  # a browser sends the quotes as %22, and gradio leaves out what some systems forbid


def test_a_file_is_called_everywhere_as_it_was_where_it_was_dropped(visit, address, with_wavelength, tmp_path):
    odd, (head, *rows) = tmp_path / ODD, with_wavelength.read_text().splitlines()
    odd.write_text("\n".join([head, *rows[:-9]]))  # the history calls the very data of another test as that did
    page = visit(address)
    drop(page, odd)
    wait_for_hits(page)
    assert page.get_attribute("#xs-facts b", "title") == ODD
    name, report = downloaded(page, "#xs-report")
    assert name == "Übung_A_i_22_50-report.html"
    assert "<h1>Übung &quot;A&quot;&lt;i&gt;%22 50 % 😀.xy</h1>" in report.decode()
    page.click("#xs-past button")
    page.wait_for_selector(f"#xs-history li b[title='{ODD}']", timeout=SOON)

    drop(page, with_wavelength)
    page.click("#xs-together", timeout=SOON)
    page.wait_for_selector("#xs-batch caption >> text=/2 of 2 files/", timeout=2 * SOON)
    assert sorted(page.locator("#xs-batch td:first-child").all_inner_texts()) == ["sample.xy", ODD]
    _, table = downloaded(page, "#xs-csv")
    assert '"Übung ""A""<i>%22 50 % 😀.xy"' in table.decode("utf-8-sig")


def test_the_button_for_other_files_is_named_in_words(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    page.wait_for_selector('#xs-file [aria-label="Open other files"]', state="attached", timeout=SOON)
    assert page.locator('[aria-label^="common."], [title^="common."]').count() == 0
