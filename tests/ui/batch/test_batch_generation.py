"""What is generated for the files of a batch that nothing matches."""

import csv
import io
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from ui_fakes import FakeEngine, FakeJudge, FakeSolver, library

from generate.preview import CANCELLED
from ui.batch import BatchEvents, Files, batch_html
from ui.batch import generation as batch_generation
from ui.batch.batch import answer_all, batch_csv, batch_zip
from ui.batch.generation import NEXT, NOW, generate_misses
from ui.inputs import FROM_FILE, Source
from ui.question import Question
from xtal.crystals import read_cif
from xtal.errors import UserError

PATTERNS = Path(__file__).parents[2] / "data" / "patterns"
ASKED = Question(count=2)


class OddJudge(FakeJudge):
    """Calls the file `known` a match and all others misses."""

    def verdict(self, answer):
        self.kind = "match" if answer.pattern.source == "known.xye" else "miss"
        return super().verdict(answer)


@pytest.fixture
def solver():
    made = FakeSolver(FakeEngine(), "miss", formulas=("Cl4Na4", "CsCl"))
    made.judge = OddJudge()
    return made


@pytest.fixture
def files(tmp_path) -> Files:
    """Two files that nothing matches, a known one between them, and one that is no pattern."""
    names = ["one.xye", "known.xye", "two.xye", "notes.xy"]
    for name in names[:3]:
        shutil.copy(PATTERNS / "sigma.xye", tmp_path / name)
    (tmp_path / "notes.xy").write_text("shopping list")
    return Files(tuple(Source(tmp_path / name, name) for name in names))


@pytest.fixture
def batch(solver, files):
    return list(answer_all(solver, files.sources, FROM_FILE, ASKED))[-1]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(batch_generation, "TICK", 0.01)


def ran(solver, files, batch):
    return [(made, progress) for made, progress in generate_misses(solver, files, batch, ASKED)]


def test_only_misses_are_generated_for_one_after_the_other_and_shown_as_they_come(solver, files, batch):
    states = [made for made, _ in ran(solver, files, batch) if made is not None]
    made = [[item.best is not None for item in state] for state in states]
    assert made == [[False] * 4, [True, False, False, False], [True, False, True, False]]
    assert [item.news for item in states[0]] == [NOW, "", NEXT, ""]
    assert [item.news for item in states[1]] == ["", "", NOW, ""]
    assert states[-1][0].solution.candidates[0].crystal.formula == "Cl4Na4"
    assert states[-1][1] is batch[1]
    assert files.run is None


def test_the_progress_is_about_all_misses_and_names_file_and_formula(solver, files, batch):
    solver.go = threading.Event()
    going = generate_misses(solver, files, batch, ASKED)
    next(going)
    while "step" not in (said := next(going)[1]):
        pass
    assert "one.xye (1 of 2 without a match): Generating, formula 1 of 2: Cl4Na4, step 1 of 3" in said
    assert f'value="{1 / 12:.3f}"' in said
    solver.go.set()
    assert [progress for _, progress in going][-1] == ""


def test_cancelling_keeps_what_is_made_and_says_so(solver, files, batch):
    going = generate_misses(solver, files, batch, ASKED)
    while (made := next(going)[0]) is None or made[0].best is None:
        pass
    solver.go = threading.Event()
    events = BatchEvents(library(None))
    assert events.cancel(files) == (False, "")
    (last, progress) = list(going)[-1]
    solver.go.set()
    assert [item.best is not None for item in last] == [True, False, False, False]
    assert (last[2].note, last[2].missed, progress) == (CANCELLED, True, "")
    again = [made for made, _ in ran(solver, files, last) if made is not None][-1]
    assert (again[2].best is not None, again[0] is last[0]) == (True, True)


def test_a_new_batch_ends_the_generation_of_the_old_without_a_word(solver, files, batch):
    solver.go = threading.Event()
    going = generate_misses(solver, files, batch, ASKED)
    next(going)
    next(going)
    files.stopped = True
    assert list(going) == []
    solver.go.set()


def test_a_closed_page_ends_the_generation(solver, files, batch):
    solver.go = threading.Event()
    going = generate_misses(solver, files, batch, ASKED)
    next(going)
    next(going)
    going.close()
    solver.go.set()
    assert solver._generating.acquire(timeout=30)


def test_the_panel_generates_when_asked_and_says_what_cannot_be(solver, files, batch):
    answering = library(FakeEngine(), "miss")
    answering.solver = solver
    events = BatchEvents(answering)
    filled = ("", "", "", False, "", 1, 2)
    shown = [values for values in events.generate(files, batch, True, *filled) if isinstance(values[0], tuple)]
    assert shown[-1][0][2].best is not None
    assert "Generated" in shown[-1][1]
    assert all(not isinstance(values[0], tuple) for values in events.generate(files, batch, False, *filled))
    (refused, *_) = events.generate(files, batch, True, "Qq", *filled[1:])
    assert "no element symbol" in refused[2]
    with pytest.raises(UserError, match="no element symbol"):
        next(generate_misses(solver, files, batch, replace(ASKED, elements="Qq")))


def test_table_csv_and_archive_hold_what_was_generated(solver, files, batch):
    last = ran(solver, files, batch)[-1][0]
    table = batch_html(last, 0)
    assert table.count("a proposal, not verified") == 2  # the heading and the legend
    assert table.count('title="Cl4Na4"') == 2
    rows = list(csv.DictReader(io.StringIO(batch_csv(last).decode("utf-8-sig"))))
    assert [(row["generated formula"], row["generated fit"]) for row in rows] == [
        ("Cl4Na4", "0.6000"), ("", ""), ("Cl4Na4", "0.6000"), ("", ""),
    ]  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(batch_zip(last, FakeEngine(), "salts"))) as archive:
        names = archive.namelist()
        cif = archive.read("03-two-generated-2.cif").decode()
    assert names[:4] == ["01-one-halite.cif", "01-one-generated-1.cif", "01-one-generated-2.cif", "02-known-halite.cif"]
    assert "a proposal, not verified" in cif
    assert read_cif(cif).formula == "Cl4Na4"


def test_a_generation_that_fails_is_told_in_its_row(solver, files, batch):
    def refused(*_given):
        raise UserError("no <model>")

    solver._generation = refused
    last = ran(solver, files, batch)[-1][0]
    assert last[0].note == "nothing was generated: no <model>"
    assert "no &lt;model&gt;" in batch_html(last, 0)
