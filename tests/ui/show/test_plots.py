import json
from dataclasses import replace

import numpy as np
import pytest
from ui_fakes import overlay, pattern

from search.answer import Part
from ui.show.plots import INK, RED, empty_figure, overlay_figure, pattern_figure
from ui.show.viewer import ASSETS
from xtal.patterns import q_from_two_theta
from xtal.patterns.linefinder import find_lines


def made_overlay():
    measured = pattern()
    return overlay(measured.two_theta, measured.intensity)


def by_name(figure):
    return {trace.name: trace for trace in figure.data}


def test_the_pattern_is_drawn_as_measured_with_its_lines_below():
    measured = pattern()
    traces = by_name(pattern_figure(measured, find_lines(measured)))
    assert traces["Measured"].x == pytest.approx(measured.two_theta, abs=1e-5)
    assert traces["Measured"].y == pytest.approx(measured.intensity)
    angles = traces["Peaks found"].x[::3]
    assert np.abs(angles - 31.7).min() < 0.02
    assert np.abs(angles - 45.4).min() < 0.02


def test_pointing_at_the_curve_tells_the_lattice_spacing():
    measured = pattern()
    spacing = by_name(pattern_figure(measured, find_lines(measured)))["Measured"].customdata[:, 0]
    assert spacing == pytest.approx(2 * np.pi / q_from_two_theta(measured.two_theta, 1.5406), rel=1e-5)


def test_measured_is_dark_and_calculated_red():
    traces = by_name(overlay_figure(made_overlay(), pattern(), "halite"))
    assert traces["Measured"].line.color == INK
    assert traces["Calculated"].line.color == RED


def test_one_intensity_has_one_height_in_profile_and_difference():
    figure = overlay_figure(made_overlay(), pattern(), "halite")
    axes = (figure.layout.yaxis, figure.layout.yaxis3)
    heights = [(axis.range[1] - axis.range[0]) / (axis.domain[1] - axis.domain[0]) for axis in axes]
    assert heights[0] == pytest.approx(heights[1])


@pytest.mark.parametrize("root", [False, True])
def test_the_whole_difference_is_in_view_however_bad_the_fit(root):
    good = made_overlay()
    wrong = good.measured[::-1]
    bad = replace(good, calculated=wrong, difference=good.measured - wrong)
    figure = overlay_figure(bad, pattern(), "halite", root)
    low, high = figure.layout.yaxis3.range
    shown = by_name(figure)["Difference"].y
    assert low - 1e-3 <= shown.min() < shown.max() <= high + 1e-3
    domains = [figure.layout[name].domain for name in ("yaxis3", "yaxis2", "yaxis")]
    assert domains[0][0] == 0 < domains[0][1] < domains[1][0] < domains[1][1] < domains[2][0] < domains[2][1] == 1


def test_square_roots_keep_the_true_intensity_at_hand():
    measured = pattern()
    figure = overlay_figure(made_overlay(), measured, "halite", root=True)
    traces = by_name(figure)
    assert traces["Measured"].y == pytest.approx(np.sqrt(measured.intensity), rel=1e-5)
    assert traces["Measured"].customdata[:, 1] == pytest.approx(measured.intensity)
    assert traces["Difference"].y == pytest.approx(traces["Measured"].y - traces["Calculated"].y, abs=1e-4)
    assert figure.layout.yaxis.title.text == "√ Intensity"


def test_ticks_without_an_angle_are_left_out():
    assert len(by_name(overlay_figure(made_overlay(), pattern(), "halite"))["Reflections of halite"].x) == 6


def test_edited_lines_stand_above_those_of_the_structure():
    measured = pattern()
    lines = find_lines(measured)
    traces = by_name(overlay_figure(made_overlay(), measured, "halite", edited=lines))
    assert len(traces["Edited peaks"].x) == 3 * len(lines)
    assert np.nanmin(traces["Edited peaks"].y) > np.nanmax(traces["Reflections of halite"].y)
    assert traces["Edited peaks"].line.color == INK
    assert "Edited peaks" in by_name(pattern_figure(measured, lines, edited=True))


def test_zoom_is_kept_between_hits_and_not_between_patterns():
    one, two = pattern("one.xy"), pattern("two.xy")
    revisions = [overlay_figure(made_overlay(), p, "halite").layout.uirevision for p in (one, one, two)]
    assert revisions[0] == revisions[1] != revisions[2]


def test_a_long_scan_stays_light():
    """One point takes 4 bytes on each axis and 8 for the text at the pointer, times 4/3 in base 64."""
    text = overlay_figure(made_overlay(), pattern(), "halite").to_json()
    assert len(text) / len(pattern()) < 80


def test_every_colour_of_the_figures_is_known_to_the_dark_page():
    style = (ASSETS / "style.css").read_text(encoding="utf-8")
    figure = json.loads(overlay_figure(made_overlay(), pattern(), "halite").to_json())
    for trace in figure["data"]:
        colour = trace["line"]["color"]
        assert colour in style or colour.startswith("rgba")


def test_the_empty_figure_has_axes_and_no_curve():
    figure = empty_figure()
    assert len(figure.data) == 0
    assert figure.layout.xaxis.title.text == "2θ (°)"


def test_each_phase_of_a_mixture_has_its_own_profile_and_ticks():
    whole = made_overlay()
    net = whole.calculated - whole.background
    parts = (Part("halite", 0.7 * net, whole.ticks), Part("ice", 0.3 * net, whole.ticks))
    traces = by_name(overlay_figure(replace(whole, parts=parts), pattern(), "halite + ice"))
    assert traces["halite"].y - whole.background == pytest.approx(0.7 * net, abs=0.01)
    assert traces["halite"].line.color != traces["ice"].line.color == traces["Reflections of ice"].line.color
    upper, lower = (traces[f"Reflections of {name}"].y for name in ("halite", "ice"))
    assert np.nanmin(upper) > np.nanmax(lower)
    assert "Reflections of halite + ice" not in traces
