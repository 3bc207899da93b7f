"""The handlers of the page: they hand components to actions, and views to components; `ui.connect` attaches them."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import gradio as gr

from ui.actions import Actions
from ui.asking.panel import NOTHING, AskPanel
from ui.batch import Files, Several, batch_html
from ui.batch.batch import Batch
from ui.inputs import Source
from ui.job import Job, Seat
from ui.layout import Inputs, Making, Outputs
from ui.library import Library
from ui.opening.events import Opening, stop
from ui.question import Question
from ui.show.candidates import progress_html
from ui.show.downloads import download
from ui.show.history import EVERYTHING, history_html
from ui.show.report import report_html
from ui.show.texts import error_html, file_name, library_html
from ui.show.viewer import scene
from ui.view import View, pattern_view
from xtal.errors import UserError

TICK = 1.0  # seconds between words on a generation
PICTURES = 3.0  # seconds between its pictures: a browser without a graphics card needs that long


class Wiring:
    """Handlers of the page's events: they hand components to `Actions` and views to components."""

    def __init__(self, library: Library, inputs: Inputs, outputs: Outputs, making: Making, several: Several) -> None:
        self.library, self.actions = library, Actions(library)
        self.inputs, self.outputs, self.making, self.several = inputs, outputs, making, several
        self.every = [*outputs.components(), *making.components()]
        self.opening = Opening(self.actions, self.shown)

    def shown(self, view: View, root: bool, seat: Seat | None = None) -> list[Any]:
        """Return the values of `every`."""
        step = progress_html(None if seat is None else seat.job.step)
        making = [seat, step, gr.Button(visible=seat is not None), AskPanel.value(view, seat is not None)]
        return [*Outputs.values(view, root), *making]

    def unchanged(self, count: int | None = None) -> list[Any]:
        """Return values that leave so many components, by default `every`, as they are."""
        return [gr.skip() for _ in range(len(self.every) if count is None else count)]

    def change_wavelength(self, *given: Any) -> list[Any]:
        """Read the pattern shown again with another wavelength."""
        return self.opening.wavelength(*given) or [gr.skip(), *self.unchanged()]

    def picked_wavelength(self, event: gr.EventData) -> str:
        """Choose the wavelength of a button beside the message that one is missing."""
        return str(event.pick)

    def open_example(
        self, wavelength: str, root: bool, seat: Seat | None, files: Files, view: View, event: gr.EventData
    ) -> list[Any]:
        """Read a bundled pattern."""
        return self.opening.example(str(event.pick), wavelength, root, seat, files, view)

    def begin(self, view: View, seat: Seat | None, root: bool, files: Files, *filled: Any) -> list[Any]:
        """Search for the pattern shown, at the press of a button."""
        return self._asked(view.told(), seat, root, files, Question(*filled))

    def generate(
        self, view: View, seat: Seat | None, root: bool, files: Files, metals: str, linkers: str, *filled: Any
    ) -> list[Any]:
        """Generate with what is known of the sample."""
        question = replace(Question(*filled), outright=True, metals=metals, linkers=linkers)
        if metals.strip() or linkers.strip():
            return [*self._asked(view.told(), seat, root, files, question), metals, linkers]
        return [*self.shown(replace(view, message=error_html(NOTHING)), root, seat), gr.skip(), gr.skip()]

    def generate_anyway(self, view: View, seat: Seat | None, root: bool, files: Files, *filled: Any) -> list[Any]:
        """Generate whatever is known."""
        return self._asked(view.told(), seat, root, files, replace(Question(*filled), outright=True))

    def _asked(self, view: View, seat: Seat | None, root: bool, files: Files, question: Question) -> list[Any]:
        """Search; what was found is not shown where something else was opened meanwhile: `files` are stopped then."""
        stop(seat)
        before = view
        self.actions.asked.ask(before.asked, question, before.edited_lines)
        view, job = self.actions.begin(before.loaded, question, before.edited_lines)
        if files.stopped:
            if job is not None:
                job.cancel()
            return self.unchanged()
        if view.solution is None and view.message and before.solution is not None:
            view = replace(before, message=view.message)  # nothing could be asked: the answer shown stays
        if view.solution is None:
            view = replace(view, asked=before.asked)
        if question.compare and view.solution is not None:
            view = self.actions.compare(view, question.compare, question.cif)
        return self.shown(view, root, _seat(job))

    def compare(self, view: View, root: bool, asked: str, cif: Source | None) -> list[Any]:
        """Answer “is it …?” of the pattern shown, beside whatever is being generated."""
        return Outputs.values(self.actions.compare(view, asked, cif), root)

    def begin_loaded(self, view: View, seat: Seat | None, root: bool, files: Files, *filled: Any) -> list[Any]:
        """Search for the pattern shown, if there is one."""
        return self._asked(view, seat, root, files, Question(*filled)) if view.loaded else self.unchanged()

    def start(self, view: View, seat: Seat | None, root: bool, files: Files, wanted: str, *filled: Any) -> list[Any]:
        """Once the index is ready: search for the pattern shown, or open what the address names."""
        if view.loaded is None and (opened := self.actions.asked.find(wanted)) is not None:
            question = opened.question or Question(*filled)
            view = replace(pattern_view(opened.loaded, opened.lines, opened.lines is not None), asked=wanted)
            return self._asked(view, seat, root, files, question)
        if view.loaded is None and wanted:
            found, running = self.actions.rejoin(wanted)
            return self.shown(found, root, _seat(running))
        return self.begin_loaded(view, seat, root, files, *filled)

    def follow(self, seat: Seat | None) -> Iterator[list[Any]]:
        """Show how far a generation is, and its first candidate as it takes shape, until it ends."""
        drawn = time.monotonic()
        while seat is not None and not seat.wait(TICK):
            step, picture, now = seat.job.step, gr.skip(), time.monotonic()
            if step is not None and step.crystal is not None and seat.job.previewing and now - drawn > PICTURES:
                about = filter(
                    None, ("First candidate", step.turn.words, step.what or f"step {step.step} of {step.steps}")
                )
                title = ", ".join(about)
                drawn, picture = now, scene(step.crystal, title, "", "", by_parts=True)
            yield [progress_html(step), picture]
        yield self.unchanged(2)

    def conclude(self, view: View, seat: Seat | None, root: bool) -> list[Any]:
        """Show what a generation ended with, unless something else was opened; a newer one that runs is left alone."""
        if seat is None or seat.left or not seat.job.done:
            return self.unchanged()
        return self.shown(self.actions.finish(view, seat.job), root)

    def cancel(self, seat: Seat | None) -> str:
        """Stop a generation, for all pages that watch it; `follow` and `conclude` then end by themselves."""
        if seat is not None:
            seat.job.cancel()
        return ""

    def select(self, view: View, seat: Seat | None, root: bool, event: gr.EventData) -> list[Any]:
        """Show another hit."""
        _look_away(seat)
        return Outputs.values(self.actions.select(view, _rank(event)), root)

    def select_candidate(self, view: View, root: bool, event: gr.EventData) -> list[Any]:
        """Show another candidate."""
        return Outputs.values(self.actions.select_candidate(view, _rank(event)), root)

    def open_first(self, view: View, batch: Batch, files: Files, root: bool) -> list[Any]:
        """Show the first answer of a batch, once all are there, unless another is shown."""
        number = next((n for n, item in enumerate(batch, 1) if item.solution is not None), 0)
        if not number or view.loaded is not None or any(item.waiting for item in batch):
            return [gr.skip(), *self.unchanged()]
        first, files.selected = self._row(batch, number), number
        shown = replace(first, message=view.message + first.message)
        return [batch_html(batch, number), *self.shown(shown, root)]

    def open_row(self, batch: Batch, files: Files, seat: Seat | None, root: bool, event: gr.EventData) -> list[Any]:
        """Show one answer of a batch."""
        stop(seat)
        files.selected = _rank(event)
        return self.shown(self._row(batch, files.selected), root)

    def renew_row(self, view: View, batch: Batch, root: bool) -> list[Any]:
        """Show what was generated for the answer of a batch that is shown, unless it was searched for anew since."""
        item = next((item for item in batch if item.best is not None and item.loaded is view.loaded), None)
        if item is None or item.solution is None or view.answer is None or view.solution is item.solution:
            return self.unchanged()
        if view.edited or view.answer.hits != item.solution.answer.hits:
            return self.unchanged()
        again = self.actions.answered(view.loaded, item.solution)  # type: ignore[arg-type]  # it is the item's
        return self.shown(self.actions.select(again, view.hit), root)

    def _row(self, batch: Batch, number: int) -> View:
        item = batch[number - 1] if 1 <= number <= len(batch) else None
        if item is None or item.loaded is None or item.solution is None:
            return View(message=error_html(item.error) if item is not None and item.error else "")
        return self.actions.answered(item.loaded, item.solution)

    def reopen(self, seat: Seat | None, root: bool, event: gr.EventData) -> list[Any]:
        """Show an answer of the history."""
        found, running = self.actions.rejoin(str(event.rank))
        if seat is None or running is not seat.job:
            stop(seat)
            seat = _seat(running)
        return [None, *self.shown(found, root, seat)]

    def forget(self, words: str, event: gr.EventData) -> list[Any]:
        """Forget one answer, or all of them."""
        cache, key = self._cache(), str(event.rank)
        try:
            if cache is not None:
                cache.forget_all() if key == EVERYTHING else cache.forget(key)
        except UserError as error:
            return [error_html(str(error)), history_html(cache, words, self._name)]
        return [gr.skip(), history_html(cache, words, self._name)]

    def history(self, words: str) -> str:
        """List the earlier answers that hold these words."""
        return history_html(self._cache(), words, self._name)

    def _name(self, entry: str) -> str:
        """Return the common name of an entry."""
        describer = None if self.library.solver is None else self.library.solver.describer
        return "" if describer is None else describer.name_of(entry)

    def _cache(self) -> Any:
        return None if self.library.solver is None else self.library.solver.cache

    def report(self, view: View) -> str:
        """Offer the answer shown as a page of its own."""
        if view.solution is None or view.loaded is None:
            return ""
        cif = json.loads(view.scene)["cif"] if view.scene else ""
        page = report_html(view, self.library.index_name, cif, self.library.engine)
        name = file_name(PurePath(view.loaded.pattern.source).stem, "-report.html")
        return download(name, "text/html", page.encode())

    def poll(self) -> list[Any]:
        """Look how far the index is."""
        return [library_html(self.library), gr.Timer(active=not self.library.settled), self.library.solver is not None]

    def arrive(self, words: str, request: gr.Request) -> list[Any]:
        """Greet a page that was opened, perhaps with ``?answer=`` and the first digits of a key in its address."""
        (status, timer, ready), wanted = self.poll(), request.query_params.get("answer", "")
        # files need no `start` where the index is there before them, and would be searched with twice
        return [status, timer, ready and wanted != "", wanted, self.history(words)]


def _look_away(seat: Seat | None) -> None:
    """Take note that the reader looks at something else than what is being made."""
    if seat is not None:
        seat.job.previewing = False


def _seat(job: Job | None) -> Seat | None:
    """Return the place of this page at a job that goes on."""
    return None if job is None else Seat(job)


def _rank(event: gr.EventData) -> int:
    """Return the number that a row names; 0 for anything else."""
    text = str(event.rank)
    return int(text) if text.isdecimal() and len(text) < 6 else 0
