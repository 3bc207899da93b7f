"""The key of an answer: what it sees, and what does not matter."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.cache import solution_key
from xtal.patterns import Pattern


def _pattern(**changes):
    two_theta = np.linspace(5, 40, 50)
    return replace(Pattern(two_theta, np.arange(50.0), 1.5406, source="a.xy"), **changes)


def test_the_key_is_this_one():
    """Pinned: a change would make every user's cache useless."""
    key = solution_key(_pattern(), {"k": 10}, ("m",), "i")
    assert key == "e35bedfe2f6bd590403ebcb5cf8d7ac1ea5820d502623fea29597438ef93bff3"


def test_the_key_ignores_what_does_not_matter():
    @dataclass(frozen=True)
    class Settings:
        k: int = 10
        elements: frozenset[str] = frozenset({"Zn", "O", "C"})

    negative_zero = np.arange(50.0)
    negative_zero[0] = -0.0
    key = solution_key(_pattern(), Settings(), ("m",), "i")
    assert key == solution_key(_pattern(source="b.xy"), Settings(), ["m"], "i")
    assert key == solution_key(_pattern(), {"elements": frozenset({"C", "O", "Zn"}), "k": 10}, ("m",), "i")
    assert key == solution_key(_pattern(intensity=negative_zero), Settings(), ("m",), "i")


@given(st.sampled_from(["two_theta", "intensity", "sigma"]), st.integers(0, 49), st.floats(1e-9, 1e-3))
def test_the_key_sees_every_number(name, place, change):
    pattern = _pattern(sigma=np.ones(50))
    values = getattr(pattern, name).copy()
    values[place] += change
    changed = replace(pattern, **{name: values})
    same = np.array_equal(values, getattr(pattern, name))
    keys = {solution_key(p, {}, (), "") for p in (pattern, changed)}
    assert len(keys) == 2 - same


def test_the_key_sees_everything_else():
    asked = [
        (_pattern(), {"k": 10}, ("m", ""), "i"),
        (_pattern(wavelength=1.5407), {"k": 10}, ("m", ""), "i"),
        (_pattern(sigma=np.ones(50)), {"k": 10}, ("m", ""), "i"),
        (_pattern(), {"k": 11}, ("m", ""), "i"),
        (_pattern(), {"k": 10, "formula": "ZnO"}, ("m", ""), "i"),
        (_pattern(), {"k": 10}, ("m", "d"), "i"),
        (_pattern(), {"k": 10}, ("", "m"), "i"),
        (_pattern(), {"k": 10}, ("m", ""), "j"),
    ]
    assert len({solution_key(*one) for one in asked}) == len(asked)


def test_settings_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="settings hold text, numbers"):
        solution_key(_pattern(), {"home": object()}, (), "")
