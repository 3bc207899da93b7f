"""Work that is ended between the steps that it tells of."""

import time

import pytest

from generate import interrupt
from generate.interrupt import interruptible
from generate.preview import Cancelled


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(interrupt, "EVERY", 0.02)


def compute(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_what_never_looks_up_is_ended_with_the_words_of_who_asked():
    began = time.monotonic()

    def stop() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match=r"^enough$"), interruptible(stop):
        compute(30)
    assert time.monotonic() - began < 10
    compute(0.1)  # one left over would end the test here


def test_one_that_python_ignores_is_raised_again():
    asked = []

    def stop() -> None:
        asked.append(True)
        raise Cancelled

    def compute_deaf() -> None:
        try:
            compute(30)
        except Cancelled:
            asked.clear()  # as it happens in a callback
        compute(30)

    with pytest.raises(Cancelled), interruptible(stop):
        compute_deaf()
    assert asked


def test_what_may_go_on_is_left_alone():
    asked = []
    end = time.monotonic() + 30
    with interruptible(lambda: asked.append(True)):
        while len(asked) < 3:
            assert time.monotonic() < end
    compute(0.1)
    count = len(asked)
    compute(0.1)
    assert len(asked) == count


def test_what_ends_by_itself_is_not_hit_later():
    def stop() -> None:
        raise Cancelled

    for _ in range(20):
        try:
            with interruptible(stop):
                compute(0.02)
        except Cancelled:
            continue
        compute(0.005)
