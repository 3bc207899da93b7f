"""A real server process on a small real index, and a real Chromium that may talk to nobody else."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from page_server import ROOT, environment, serve
from page_steps import SOON

INDEX = "coremof2019-asr"
ENTRIES = 60
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")


def pytest_addoption(parser):
    parser.addoption("--screenshot", metavar="PATH", help="write a picture of the page, searched in the real index")


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Path:
    """A folder with an index of the first entries of CoRE MOF 2019."""
    folder = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "indexer", "build", INDEX, "--limit", str(ENTRIES), "--workers", "1"]
    subprocess.run(command, check=True, cwd=ROOT, env=environment(folder), capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def entry(home):
    """Id and crystal of the entry whose pattern the tests look for."""
    from indexer.storage import open_index

    index = open_index(INDEX, home)
    return str(index.entries.ids[33]), index.crystal(33)


@pytest.fixture(scope="session")
def columns(entry) -> str:
    """Two columns of its pattern as a laboratory might measure it."""
    from xtal.physics import Scan, measure, reflections

    pattern = measure(reflections(entry[1], 5.0), 0.5, np.random.default_rng(33), Scan(3.0, 50.0, 0.02))
    return "".join(f"{x:.3f} {y:.1f}\n" for x, y in zip(pattern.two_theta, pattern.intensity, strict=True))


@pytest.fixture
def with_wavelength(columns, tmp_path) -> Path:
    path = tmp_path / "sample.xy"
    path.write_text(f"# wavelength = 1.5418\n{columns}")
    return path


@pytest.fixture
def without_wavelength(columns, tmp_path) -> Path:
    path = tmp_path / "bare.xy"
    path.write_text(columns)
    return path


@pytest.fixture(scope="session")
def address(home, tmp_path_factory) -> Iterator[str]:
    yield from serve(home, tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def chromium():
    """A browser with WebGL in software; gone after the module, since its event loop would run on under other tests."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with playwright.sync_playwright() as started:
        try:
            browser = started.chromium.launch(executable_path=found, args=[*QUIET, *SOFTWARE_WEBGL])
        except playwright.Error as error:
            pytest.skip(f"no Chromium to drive: {error}")
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Return a function that opens a page; whatever it asks for must come from this machine, and it must not fail."""
    contexts, asked, failed = [], [], []

    def open_page(address: str, width: int = 1400, scheme: str = "light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failed.append(str(error)))
        page.goto(address)
        page.set_default_timeout(3 * SOON)  # a first start shares the cores with the build of an index
        page.wait_for_selector("#xs-search")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert bool(asked) == bool(contexts)
    assert [url for url in asked if not re.match(r"(http://127\.0\.0\.1:\d+/|data:|blob:)", url)] == []
    assert failed == []
