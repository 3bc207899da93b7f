import gemmi
import pytest
from page_steps import SOON, downloaded, drop, legend, wait_for_hits, wait_for_text

pytestmark = pytest.mark.browser


def test_the_hit_shown_is_refined_and_handed_out(visit, address, with_wavelength, entry):
    page = visit(address)
    page.wait_for_selector(".xs-ready", timeout=SOON)
    drop(page, with_wavelength)
    wait_for_hits(page)
    wait_for_text(page, "#xs-verdict h2", "Match|Probable")
    page.click("#xs-refinement button")
    page.click("#xs-refine", timeout=SOON)
    page.wait_for_selector("#xs-refined >> text=GoF", timeout=SOON)
    wait_for_text(page, "#xs-refined table", "Fit")
    assert "Background" in legend(page)
    name, cif = downloaded(page, "#xs-refined-cif")
    assert name == f"sample-{entry[0]}-refined.cif"
    block = gemmi.cif.read_string(cif.decode()).sole_block()
    assert block.find_value("_cell_length_a").endswith(")")
    assert float(block.find_value("_pd_proc_ls_prof_wR_factor")) < 0.5
    name, csv = downloaded(page, "#xs-refined-csv")
    assert csv.startswith(b"two_theta,observed,calculated,background,difference,sigma\n")
    page.click('#xs-table tr[data-rank="2"]')
    page.wait_for_selector("#xs-refined >> text=within half a minute", timeout=SOON)
