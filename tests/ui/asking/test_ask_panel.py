from dataclasses import replace

import pytest
from ui_fakes import candidate, solution

from ui.asking.panel import AskPanel
from ui.view import View


@pytest.mark.parametrize(
    ("view", "job", "shows"),
    [
        (View(), None, False),
        (View(solution=solution("match")), None, False),
        (View(solution=solution("miss")), None, True),
        (View(solution=solution("miss")), object(), False),
        (View(solution=replace(solution("miss"), candidates=(candidate(),))), None, False),
    ],
)
def test_it_asks_after_a_miss_for_which_nothing_was_generated(view, job, shows):
    assert AskPanel.value(view, job).visible is shows
