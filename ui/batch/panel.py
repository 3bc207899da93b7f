"""The panel in which several files are answered, and crystals generated for those that nothing matches."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ui.batch.batch import Batch, Files, answer_all, batch_csv, batch_html, batch_zip
from ui.batch.generation import generate_misses
from ui.batch.series import series_html
from ui.library import Library
from ui.question import Question
from ui.show.downloads import download
from ui.show.texts import error_html
from xtal.errors import UserError

FEW, PAUSE = 50, 1.0  # files of a table that is sent anew after each; seconds between tables of more files


@dataclass(frozen=True, eq=False)
class Several:
    """Its components: the table, what generates for its misses, and what downloads it."""

    batch: gr.State
    panel: gr.Column
    table: gr.HTML
    generate: gr.Checkbox
    progress: gr.HTML
    cancel: gr.Button
    csv: gr.Button
    cifs: gr.Button
    draw: gr.Button
    series: gr.HTML

    def components(self) -> list[Any]:
        """Return the components in the order of `values`."""
        return [self.batch, self.panel, self.table, self.progress, self.series]

    def working(self) -> list[Any]:
        """Return the components that change while files are answered."""
        return [self.batch, self.table, self.progress]

    @staticmethod
    def values(batch: Batch) -> list[Any]:
        """Return what each component shows at first."""
        return [batch, gr.Column(visible=bool(batch)), batch_html(batch, 0), "", ""]


class BatchEvents:
    """Handlers of the panel's events, but for those that show one of its answers."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def answer(self, files: Files, wavelength: str, *filled: Any) -> Iterator[list[Any]]:
        """Answer several files one by one, unless another handler has begun to."""
        solver = self._library.solver
        if len(files.sources) > 1 and solver is not None and files.claim():
            told = 0.0
            for batch in answer_all(solver, files.sources, wavelength, Question(*filled)):
                if files.stopped:
                    break
                if len(batch) <= FEW or time.monotonic() - told > PAUSE or not any(item.waiting for item in batch):
                    yield [batch, batch_html(batch, files.selected), ""]
                    told = time.monotonic()
        yield [gr.skip()] * 3

    def generate(self, files: Files, batch: Batch, wanted: bool, *filled: Any) -> Iterator[list[Any]]:
        """Generate for each file that nothing matches, or stop that when it is no longer wanted.

        While files are still answered nothing begins: that comes after the last of them.
        """
        solver, answered = self._library.solver, not any(item.waiting for item in batch)
        if not wanted:
            files.run = None
        elif solver is not None and answered and any(item.missed for item in batch):
            try:
                for changed, progress in generate_misses(solver, files, batch, Question(*filled)):
                    if files.stopped:
                        break
                    table = gr.skip() if changed is None else batch_html(changed, files.selected)
                    yield [gr.skip() if changed is None else changed, table, progress]
            except UserError as error:
                yield [gr.skip(), gr.skip(), error_html(str(error))]
        yield [gr.skip()] * 3

    def cancel(self, files: Files) -> tuple[bool, str]:
        """Stop what is being generated; `generate` then ends by itself."""
        files.run = None
        return False, ""

    def csv(self, batch: Batch) -> str:
        """Offer the table."""
        return download("xtalscout-batch.csv", "text/csv", batch_csv(batch))

    def series(self, batch: Batch) -> str:
        """Draw the answers as a series."""
        engine = self._library.engine
        if engine is None:
            return ""
        try:
            return series_html(batch, engine)
        except UserError as error:
            return error_html(str(error))

    def cifs(self, batch: Batch) -> str:
        """Offer first hits and generated crystals."""
        engine = self._library.engine
        if engine is None:
            return ""
        packed = batch_zip(batch, engine, self._library.index_name)
        return download("xtalscout-batch.zip", "application/zip", packed)


def connect_batch(
    events: BatchEvents, panel: Several, files: gr.State, question: list[Any], file: gr.HTML, **how: Any
) -> None:
    """Attach the handlers of everything but the table, with gradio's options `how`; downloads go through `file`."""
    given = [files, panel.batch, panel.generate, *question]
    panel.generate.input(events.generate, given, panel.working(), **{**how, "trigger_mode": "multiple"})
    panel.cancel.click(events.cancel, files, [panel.generate, panel.progress], **how)
    panel.csv.click(events.csv, panel.batch, file, **how)
    panel.draw.click(events.series, panel.batch, panel.series, **how)
    panel.cifs.click(events.cifs, panel.batch, file, **how)
