"""Which event of the page calls which handler, and which components its result fills."""

from typing import Any

import gradio as gr

from ui.batch import BatchEvents, Files, connect_batch
from ui.line_panel import connect_lines
from ui.view import View
from ui.wiring import Wiring

POLL = 1.0  # seconds between looks at the progress of a build
AT_ONCE = 8  # searches that may run beside each other
BUSY = "(...given) => { document.body.classList.add('xs-busy'); return given; }"  # the answer shown fades
CALM = "() => { document.body.classList.remove('xs-busy'); }"
LISTENERS = 40  # pages that may watch a generation; one runs at a time


def connect(page: gr.Blocks, wiring: Wiring, status: gr.HTML) -> None:
    """Attach all handlers to their events."""
    connector = Connector(wiring, status)
    connector.connect_files()
    connector.connect_searches()
    connector.connect_answer()
    connector.connect_batch()
    connector.connect_history(page)


class Connector:
    """Attaches the handlers of one page, group by group; what several groups share is made once."""

    def __init__(self, wiring: Wiring, status: gr.HTML) -> None:
        self.w, self.inputs, self.outputs = wiring, wiring.inputs, wiring.outputs
        self.making, self.several, self.status = wiring.making, wiring.several, status
        self.batch = BatchEvents(wiring.library)
        self.source, self.files = gr.State(None), gr.State(Files())
        self.wanted, self.ready = gr.State(""), gr.State(False)
        self.timer = gr.Timer(POLL, active=False)  # `arrive` lets it run while there is no index
        self.question = self.inputs.question()
        self.asks = [self.outputs.view, self.making.job, self.outputs.root]
        self.begins = [*self.asks, self.files]
        self.quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": AT_ONCE,
        }
        self.work = {**self.quiet, "show_progress": "minimal", "show_progress_on": self.outputs.figure}
        self.seek = {**self.work, "js": BUSY}
        self.next = {**self.work, "trigger_mode": "multiple"}  # the search of a file must not wait for the one before
        self.listen = {**self.quiet, "trigger_mode": "multiple", "concurrency_limit": LISTENERS}

    def connect_files(self) -> None:
        """Files, examples and wavelengths: what is opened is searched for."""
        w, inputs, outputs = self.w, self.inputs, self.outputs
        given = [inputs.wavelength, outputs.root, self.making.job, self.files, outputs.view]
        opened = [self.source, self.files, *inputs.opened(), *self.several.components(), *w.every]
        dropped = [inputs.file, self.source, *given]
        loads = [
            gr.on(
                [inputs.file.upload, inputs.file.delete],
                w.opening.files,
                dropped,
                opened,
                trigger_mode="always_last",
                **self.seek,
            ),
            inputs.example.select(w.open_example, given, opened, **self.seek),
            inputs.together.click(w.opening.together, [inputs.pair, *given], opened, **self.seek),
            inputs.wavelength.input(w.change_wavelength, [self.source, *given], [self.files, *w.every], **self.work),
            outputs.message.select(w.picked_wavelength, None, inputs.wavelength, **self.quiet).then(
                w.change_wavelength, [self.source, *given], [self.files, *w.every], **self.work
            ),
        ]
        for load in loads:
            begun = load.then(w.begin_loaded, [*self.begins, *self.question], w.every, **self.next)
            self._answer_files(self._go_on(begun))
        inputs.file.clear(w.opening.files, dropped, opened, **self.quiet)

    def connect_searches(self) -> None:
        """Buttons and fields that search, compare or generate, and the start of the page."""
        w, inputs, outputs, making = self.w, self.inputs, self.outputs, self.making
        boxes = (inputs.elements, inputs.formula, inputs.contents, inputs.metals, inputs.linkers)
        presses = [inputs.button.click, *(box.submit for box in boxes), outputs.lines.again.click]
        self._go_on(gr.on(presses, w.begin, [*self.begins, *self.question], w.every, **self.seek))
        started = self.ready.change(w.start, [*self.begins, self.wanted, *self.question], w.every, **self.work)
        self._answer_files(self._go_on(started))
        left = outputs.left.click(w.opening.left, self.asks, w.every, **self.seek)
        self._go_on(left.then(w.begin_loaded, [*self.begins, *self.question], w.every, **self.work))
        ask = making.ask
        known = gr.on(
            [ask.known.click, ask.metals.submit, ask.linkers.submit],
            w.generate,
            [*self.begins, *ask.texts(), *self.question],
            [*w.every, inputs.metals, inputs.linkers],
            **self.work,
        )
        self._go_on(known)
        anyway = ask.anyway.click(w.generate_anyway, [*self.begins, *self.question], w.every, **self.work)
        self._go_on(anyway)
        asked = [outputs.view, outputs.root, inputs.compare, inputs.cif]
        inputs.compare.submit(w.compare, asked, outputs.components(), **self.work)
        making.cancel.click(w.cancel, making.job, making.progress, **self.quiet)

    def connect_answer(self) -> None:
        """What is looked at and taken away of an answer."""
        w, outputs, quiet = self.w, self.outputs, self.quiet
        view, root = outputs.view, outputs.root
        outputs.table.select(w.select, self.asks, outputs.components(), **quiet)
        outputs.candidates.select(w.select_candidate, [view, root], outputs.components(), **quiet)
        root.input(View.figure, [view, root], outputs.figure, **quiet)
        connect_lines(w.actions, outputs.lines, view, root, outputs.figure, outputs.message, **quiet)
        outputs.report.click(w.report, view, outputs.file, **quiet)

    def connect_batch(self) -> None:
        """The table of several files."""
        w, several, root = self.w, self.several, self.outputs.root
        opened = [several.batch, self.files, self.making.job, root]
        several.table.select(w.open_row, opened, w.every, **self.quiet)
        several.batch.change(w.renew_row, [self.outputs.view, several.batch, root], w.every, **self.quiet)
        connect_batch(self.batch, several, self.files, self.question, self.outputs.file, **self.quiet)

    def connect_history(self, page: gr.Blocks) -> None:
        """Earlier answers, the progress of the index, and the arrival of a reader."""
        w, inputs, quiet = self.w, self.inputs, self.quiet
        state = [self.status, self.timer, self.ready]
        inputs.history.select(w.reopen, [self.making.job, self.outputs.root], [self.source, *w.every], **quiet)
        inputs.history.delete(w.forget, inputs.words, [self.outputs.message, inputs.history], **quiet)
        inputs.words.submit(w.history, inputs.words, inputs.history, **quiet)
        self.timer.tick(w.poll, None, state, **quiet)
        page.load(w.arrive, inputs.words, [*state, self.wanted, inputs.history], **quiet)

    def _go_on(self, event: Any) -> Any:
        """After `event`: show how a generation goes on, what it ends with, and the history with it."""
        event.then(None, js=CALM, api_visibility="private")
        self._list(event)  # what the search found is in it by now
        shown = [self.making.progress, self.outputs.scene]
        followed = event.then(self.w.follow, self.making.job, shown, **self.listen)
        return self._list(followed.then(self.w.conclude, self.asks, self.w.every, **self.listen))

    def _answer_files(self, event: Any) -> None:
        """After `event`: answer several files, show the first, generate for misses where that is wanted."""
        w, several, files = self.w, self.several, self.files
        asked = [files, self.inputs.wavelength, *self.question]
        answered = event.then(self.batch.answer, asked, several.working(), **self.listen)
        shown = [self.outputs.view, several.batch, files, self.outputs.root]
        first = answered.then(w.open_first, shown, [several.table, *w.every], **self.listen)
        wanted = [files, several.batch, several.generate, *self.question]
        made = self._list(first).then(self.batch.generate, wanted, several.working(), **self.listen)
        self._list(made)

    def _list(self, event: Any) -> Any:
        """After `event`: list the history."""
        return event.then(self.w.history, self.inputs.words, self.inputs.history, **self.listen)
