import re

import numpy as np

from ui.inputs import examples
from ui.opening.examples import HEIGHT, WIDTH, curve_path, examples_html
from xtal.patterns import Pattern


def test_every_example_is_a_button_with_a_drawing():
    html = examples_html(examples())
    assert re.findall('data-pick="([^"]+)"', html) == [source.path.stem for source in examples()]
    assert html.count("<path") == len(examples()) > 3
    assert examples_html([]) == ""


def test_a_drawing_keeps_its_peaks_and_its_box():
    intensity = np.full(8 * WIDTH, 5.0)
    intensity[400] = 105.0  # one point of all
    path = curve_path(Pattern(np.linspace(5, 25, 8 * WIDTH), intensity, 1.54))
    points = np.array([[float(n) for n in point.split()] for point in path.removeprefix("M").split("L")])
    assert len(points) == WIDTH
    assert points[:, 1].argmin() == 400 // 8
    assert points.min() >= 0
    assert points[:, 0].max() <= WIDTH
    assert points[:, 1].max() < HEIGHT
