"""What people do with the page and look at, in steps that several tests take."""

SOON = 60_000  # ms; a machine that is busy with other things needs them
LATE = 240_000  # ms, after a generation with several formulas


def drop(page, *paths):
    page.set_input_files("#xs-file input[type=file]", list(paths))


def wait_for_hits(page):
    page.wait_for_selector("#xs-table tr[data-rank]", timeout=SOON)
    page.wait_for_selector("#xs-plot .legendtext >> text=Calculated", timeout=SOON)


def wait_for_text(page, selector: str, pattern: str, timeout: int = SOON) -> None:
    """Wait until the visible text of a place begins as the regular expression says."""
    page.wait_for_function(
        "([place, pattern]) => new RegExp('^(?:' + pattern + ')').test(document.querySelector(place)?.innerText ?? '')",
        arg=[selector, pattern],
        timeout=timeout,
    )


def legend(page) -> list[str]:
    return page.locator("#xs-plot .legendtext").all_text_contents()


def selected_id(page) -> str:
    return page.locator('#xs-table tr[aria-selected="true"] .xs-id').get_attribute("title")


def width_of_content(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def downloaded(page, button: str):
    """Press a button and return the name and bytes of the file that it gives."""
    with page.expect_download(timeout=SOON) as waiting:
        page.click(button)
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()
