import shutil

import pytest
from page_steps import SOON, drop
from test_answers import EXAMPLES

pytestmark = pytest.mark.browser
MIXTURE = '<span class="xs-one">zinc oxide zincite</span> + <span class="xs-one">UiO-66 or UiO-66-NH2</span>'
OVERFLOW = "(() => { const it = document.querySelector('#xs-batch'); return it.scrollWidth - it.clientWidth; })()"
LINES = "(found => [...found.children].map(name => Math.round(name.getBoundingClientRect().height / 19)))"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_table_of_several_files_fits_and_names_of_phases_stay_whole(visit, address, tmp_path, width):
    long = tmp_path / f"{'a_long_name_' * 6}.xye"
    shutil.copy(EXAMPLES[0], long)
    bad = tmp_path / "notes.xy"
    bad.write_text("shopping list")
    page = visit(address, width)
    drop(page, long, bad, EXAMPLES[1])
    page.wait_for_selector("#xs-batch caption >> text=/3 of 3 files/", timeout=2 * SOON)
    page.wait_for_selector('#xs-batch tr[aria-selected="true"]', timeout=SOON)  # it is not drawn anew after that
    found = page.locator("#xs-batch .xs-found").first
    found.evaluate(f"found => {{ found.innerHTML = '{MIXTURE}'; }}")
    assert found.evaluate(LINES) == [1, 1]
    assert page.evaluate(OVERFLOW) <= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    note = page.locator("#xs-batch .xs-words >> text=no rows of numbers")
    assert note.bounding_box()["width"] >= 80
