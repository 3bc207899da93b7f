"""Work that is ended where it looks up."""

import threading

import pytest

from xtal import interrupt
from xtal.interrupt import interruptible, look_up


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(interrupt, "EVERY", 0.0)


class EnoughError(Exception):
    pass


def stop() -> None:
    raise EnoughError("nobody waits")


def test_work_ends_where_it_looks_up_with_what_was_raised():
    done = []

    def work() -> None:
        done.append("before")
        look_up()
        done.append("after")

    with pytest.raises(EnoughError, match="nobody waits"), interruptible(stop):
        work()
    assert done == ["before"]


def test_nobody_is_asked_outside():
    with interruptible(stop):
        pass
    look_up()


def test_work_within_work_asks_its_own():
    asked = []
    with interruptible(lambda: asked.append("outer")):
        with interruptible(lambda: asked.append("inner")):
            look_up()
        look_up()
    assert asked == ["inner", "outer"]


def test_another_thread_is_left_alone():
    ended = []

    def work() -> None:
        look_up()
        ended.append(True)

    with interruptible(stop):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert ended


def test_nobody_is_asked_more_often_than_need_be(monkeypatch):
    monkeypatch.setattr(interrupt, "EVERY", 60.0)
    with interruptible(stop):
        for _ in range(100):
            look_up()
