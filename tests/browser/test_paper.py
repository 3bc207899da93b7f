"""Files for a paper, saved from the page."""

from page_steps import downloaded, drop, wait_for_hits


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
