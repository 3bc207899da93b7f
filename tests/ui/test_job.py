import threading

import pytest
from ui_fakes import FakeEngine, FakeSolver, pattern

from generate.preview import CANCELLED
from search.options import Options
from ui.job import AWAY, CANCELLING, FAILED, Job, Seat
from xtal.errors import UserError

ALWAYS = Options(generate="auto", formula="NaCl")


def job(kind: str = "miss", **changes) -> Job:
    solver = FakeSolver(FakeEngine(), kind)
    for name, value in changes.items():
        setattr(solver, name, value)
    return Job(solver, pattern(), ALWAYS)


def test_the_search_is_there_before_the_candidates():
    go = threading.Event()
    made = job(go=go).start()
    assert made.wait_for_search().candidates == ()
    assert made.generates
    assert not made.wait(0.01)
    go.set()
    assert made.wait(30)
    assert len(made.solution.candidates) == ALWAYS.request.count
    assert (made.step.step, made.step.steps, made.step.share) == (3, 3, 1.0)


def test_a_match_generates_nothing():
    made = job("match").start()
    assert made.wait_for_search().verdict.kind == "match"
    assert not made.generates
    assert made.wait(30)
    assert made.solution.key


def test_the_progress_runs_once_over_all_formulas_and_names_each():
    solver = FakeSolver(FakeEngine(), "miss", formulas=("ClNa", "CsCl"))
    made = Job(solver, pattern(), ALWAYS)
    hear, seen = made._hear, []

    def listen(event):
        hear(event)
        seen.append((made.step.turn.words, round(made.step.share, 3)))

    made._hear = listen
    assert made.start().wait(30)
    first, second = "formula 1 of 2: ClNa", "formula 2 of 2: CsCl"
    assert seen[1:] == [(first, 0.167), (first, 0.333), (first, 0.5), (second, 0.667), (second, 0.833), (second, 1.0)]


def test_nobody_looking_costs_no_pictures():
    made = job()
    made.previewing = False
    made.start()
    assert made.wait(30)
    assert made.step.crystal is None


def test_a_question_that_cannot_be_answered_is_explained():
    solver = FakeSolver(FakeEngine())
    made = Job(solver, pattern(), Options(reduced_formula="Xe")).start()
    with pytest.raises(UserError, match="no structure has xenon"):
        made.wait_for_search()
    assert made.done


def test_cancelling_before_the_search_ends_says_so():
    made = job()
    made.cancel()
    with pytest.raises(UserError, match=CANCELLED):
        made.wait_for_search()


def test_a_cancelled_job_stays_cancelled():
    go = threading.Event()
    made = job(go=go).start()
    made.wait_for_search()
    made.cancel()
    go.set()
    made._thread.join(30)
    assert made.solution.cancelled
    assert made.solution.notes == (CANCELLED,)
    assert made.solution.candidates == ()


def test_a_job_stops_when_the_last_page_that_watches_it_leaves():
    go = threading.Event()
    made = job(go=go).start()
    made.wait_for_search()
    one, other = Seat(made), Seat(made)
    one.leave()
    assert (one.wait(30), other.wait(0.01), made.cancelled) == (True, False, False)
    closed = Seat(made)
    closed.looked -= AWAY + 1
    other.leave()
    go.set()
    assert made.cancelled


def at_the_second_formula():
    """A job that waits in the second of two formulas; `go` lets it on."""
    solver, go = FakeSolver(FakeEngine(), "miss", formulas=("ClNa", "CsCl")), threading.Event()
    reached, steps = threading.Event(), iter(range(6))

    def hold(_seconds):
        if next(steps) < solver.steps:
            return True
        reached.set()
        return go.wait(30)

    solver.go.wait = hold
    made = Job(solver, pattern(), ALWAYS).start()
    assert reached.wait(30)
    return made, go


def test_a_cancelled_generation_keeps_the_candidates_of_the_formulas_that_are_done():
    made, go = at_the_second_formula()
    made.cancel()
    assert not made.wait(0.01)
    assert made.step.what == CANCELLING
    go.set()
    assert made.wait(30)
    assert made.solution.cancelled
    assert len(made.solution.candidates) == 1
    assert made.solution.notes == (CANCELLED,)


def test_a_cancelled_generation_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("ui.job.GRACE", 0.0)
    made, go = at_the_second_formula()
    made.cancel()
    assert made.wait(0.01)
    go.set()
    made._thread.join(30)
    assert (made.solution.cancelled, made.solution.candidates) == (True, ())


def test_a_generation_that_nobody_waits_for_stops(monkeypatch):
    monkeypatch.setattr("ui.job.FORGOTTEN", -1.0)
    made = job().start()
    made._thread.join(30)
    assert made.cancelled
    assert made.solution.candidates == ()


def test_a_generation_that_nobody_watches_makes_room_for_one_that_waits(monkeypatch):
    monkeypatch.setattr("ui.job.UNWATCHED", -1.0)
    solver, go = FakeSolver(FakeEngine(), "miss"), threading.Event()
    solver.go = go
    alone = Job(solver, pattern(), ALWAYS).start()
    alone.wait_for_search()
    assert not alone.wait(0.2)  # nobody waits for it: it goes on
    other = Job(solver, pattern("other.xy"), ALWAYS).start()
    other.wait_for_search()
    go.set()
    assert other.wait(30)
    alone._thread.join(30)
    assert alone.cancelled
    assert other.solution.candidates


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_leaves_a_word_and_the_search():
    def broken(*_given):
        raise KeyError("oops")

    made = job(_generation=broken).start()
    assert made.wait(30)
    made._thread.join(30)
    assert made.error == FAILED
    assert made.solution.answer.hits
