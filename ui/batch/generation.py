"""Crystals for the files of a batch that nothing matches: the same generation as for one file, one after the other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from generate.preview import CANCELLED
from ui.batch.batch import Batch, Files, Item
from ui.job import Job, Step
from ui.question import Question
from ui.show.candidates import progress_html

if TYPE_CHECKING:
    from search.solve import Solver

TICK = 1.0  # seconds between words on a generation
NEXT, NOW = "waiting for its generation", "generating"


def generate_misses(
    solver: "Solver", files: Files, batch: Batch, question: Question
) -> Iterator[tuple[Batch | None, str]]:
    """Generate for each miss of a batch; ends early when the files are stopped or `run` anew.

    Yields:
        The batch where it changed, else None, and HTML of how far it is, about every second.

    Raises:
        UserError: a control cannot be read.
    """
    options = replace(question, outright=True).options()
    run = files.run = object()
    missed = [place for place, item in enumerate(batch) if item.missed]
    items = [replace(item, news=NEXT) if item.missed else item for item in batch]
    for turn, place in enumerate(missed):
        item = items[place]
        job = Job(solver, item.loaded.pattern, options)  # type: ignore[union-attr]  # a miss was loaded
        job.previewing = False
        items[place] = replace(item, news=NOW)
        yield tuple(items), _progress(Step(), turn, len(missed), item)
        job.start()
        try:
            while not (job.wait(TICK) or files.stopped or files.run is not run):
                yield None, _progress(job.step or Step(), turn, len(missed), item)
        finally:
            job.cancel()  # unless it is done
        while not (job.wait(TICK) or files.stopped or files.run not in (run, None)):
            yield None, _progress(job.step or Step(), turn, len(missed), item)
        items[place] = _ended(item, job)
        if job.cancelled:
            break
    if not files.stopped and files.run in (run, None):  # else the table is another's by now
        files.run = None
        yield tuple(replace(item, news=CANCELLED) if item.news == NEXT else item for item in items), ""


def _ended(item: Item, job: Job) -> Item:
    """Return the file with what was generated, or with why there is nothing."""
    kept = job.solution is not None and (job.solution.candidates or not job.cancelled)
    if not kept or job.error:
        return replace(item, news=job.error or CANCELLED)
    return replace(item, solution=job.solution, news="")


def _progress(step: Step, turn: int, count: int, item: Item) -> str:
    """Return how far the generation of one of `count` misses is; the bar is about all of them."""
    share = (turn + step.share) / count
    return progress_html(replace(step, share=share), f"{item.source.name} ({turn + 1} of {count} without a match)")
