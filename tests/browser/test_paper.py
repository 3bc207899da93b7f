"""Files for a paper, saved from the page."""

from page_steps import SOON, downloaded, drop, wait_for_hits


def test_figure_and_data_of_the_structure_shown_are_saved(visit, address, with_wavelength):
    page = visit(address)
    drop(page, with_wavelength)
    wait_for_hits(page)
    name, figure = downloaded(page, "#xs-paper-svg")
    assert name.startswith("sample-")
    assert name.endswith(".svg")
    assert figure.startswith(b"<?xml")
    name, data = downloaded(page, "#xs-paper-csv")
    assert name.endswith(".csv")
    head, *rows = data.decode().splitlines()
    assert head == "two_theta,observed,calculated,background,difference"
    assert len(rows) == sum(not row.startswith("#") for row in with_wavelength.read_text().splitlines())


def test_the_foot_of_the_page_leads_to_the_documentation(visit, address):
    page = visit(address)
    with page.expect_popup() as waiting:
        page.click("#xs-foot >> text=Reading the verdict")
    opened = waiting.value
    opened.wait_for_selector("h1 >> text=Reading the verdict", timeout=SOON)
    opened.click("nav >> text=Ten minutes")
    opened.wait_for_selector("h1 >> text=from a measured pattern", timeout=SOON)
