from dataclasses import replace

import pytest
from ui_fakes import candidate, solution

from ui.asking.panel import AskPanel
from ui.view import View


@pytest.mark.parametrize(
    ("view", "working", "shows"),
    [
        (View(), False, False),
        (View(solution=solution("match")), False, False),
        (View(solution=solution("miss")), False, True),
        (View(solution=solution("miss")), True, False),
        (View(solution=replace(solution("miss"), candidates=(candidate(),))), False, False),
    ],
)
def test_it_asks_after_a_miss_for_which_nothing_was_generated(view, working, shows):
    assert AskPanel.value(view, working).visible is shows
