"""The figure and the columns for a paper."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from search.paper import figure_bytes, of_hits
from search.paper.figure import CLOSE, MOST_LABELS, strongest
from xtal.errors import UserError

POINTS = 72  # in an inch


@pytest.fixture(scope="module")
def profile(engine, answers):
    return of_hits(engine, answers[0].pattern, answers[0].hits[:1], "sample <1>", (12.5,))


def test_the_columns_are_those_of_the_overlay(profile, engine, answers):
    head, *rows = profile.csv().splitlines()
    assert head == "two_theta,observed,calculated,background,difference"
    table = np.array([row.split(",") for row in rows], float)
    overlay = engine.overlay(answers[0].pattern, answers[0].hits[0])
    np.testing.assert_allclose(table[:, 2], overlay.calculated, rtol=1e-5)
    np.testing.assert_allclose(table[:, 4], table[:, 1] - table[:, 2], atol=1e-3 * table[:, 1].max())


def test_r_wp_is_small_for_a_calculated_pattern_and_one_for_none(profile, engine, answers):
    assert 0 < profile.r_wp < 0.5
    assert of_hits(engine, answers[0].pattern, (), "bare").r_wp == 1.0


def test_an_svg_has_print_size_and_no_letters_that_a_font_must_draw(profile):
    root = ElementTree.fromstring(figure_bytes(profile, ".svg"))
    assert root.attrib["width"] == f"{6.7 * POINTS:g}pt"
    assert not root.findall(".//{http://www.w3.org/2000/svg}text")
    assert figure_bytes(profile, ".svg") == figure_bytes(profile, ".svg")  # no date, no chance


def test_a_png_has_600_dots_per_inch_and_a_pdf_is_one(profile):
    image = Image.open(io.BytesIO(figure_bytes(profile, ".PNG")))
    assert (image.width, round(image.info["dpi"][0])) == (4020, 600)
    assert figure_bytes(profile, ".pdf").startswith(b"%PDF-")


def test_a_figure_of_another_kind_is_refused(profile):
    with pytest.raises(UserError, match=r"must end in \.png, \.pdf, \.svg, got '\.gif'"):
        figure_bytes(profile, ".gif")


def test_labels_stand_apart_and_name_the_strongest_peak(profile):
    reach = CLOSE * (profile.two_theta[-1] - profile.two_theta[0])
    labels = strongest(profile, reach)
    places = np.array([place for place, _, _ in labels])
    assert 1 <= len(labels) <= MOST_LABELS
    assert (np.diff(places) > reach).all()
    net = profile.calculated - profile.background
    assert np.abs(places - profile.two_theta[int(np.argmax(net))]).min() < 0.2


def test_a_pattern_without_a_structure_is_drawn_alone(engine, answers):
    bare = of_hits(engine, answers[0].pattern, (), "bare")
    assert b"<svg" in figure_bytes(bare, ".svg")
    assert bare.phases == ()
