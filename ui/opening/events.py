"""Handlers of everything that brings a pattern onto the page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from search.paper.series import natural
from ui.actions import Actions
from ui.batch import Files, Several
from ui.batch.batch import Item
from ui.inputs import Source, examples
from ui.job import Seat
from ui.opening.structures import is_structure
from ui.show.texts import notice_html
from ui.view import Edits, View

FOUND_ANEW = "The peaks edited for {} were left out: several files are answered with the peaks found in them."
REPLACED = "{} took the place of {}. “Answer both” makes a table of the two."
COMPARE = 5  # place of what is compared with among what is shown
Shown = Callable[[View, bool], list[Any]]


class Opening:
    """Opens files and examples; each returns what the page's components show then.

    The first of these are the pattern's source, the files of a batch, what is dropped, the two
    files that may be answered together with the button for that, and the structure that is compared with.
    """

    def __init__(self, actions: Actions, shown: Shown) -> None:
        """Read with `actions`; `shown` returns the values of all components of one pattern."""
        self._actions, self._shown = actions, shown

    def files(
        self,
        sources: list[Source] | None,
        before: Source | None,
        wavelength: str,
        root: bool,
        seat: Seat | None,
        files: Files,
        view: View,
    ) -> list[Any]:
        """Read what was dropped: one file is drawn, also in place of one before, several wait in a table."""
        stop(seat, files)
        if before is not None and view.loaded is None and view.bare is None and not files.sources:
            sources = [source for source in sources or [] if source.path != before.path]  # no pattern, as was said
            before = None
        sources = list({source.path: source for source in sources or []}.values())
        dropped = [source for source in sources if not is_structure(source.path)]
        structures = [source for source in sources if is_structure(source.path)]
        if structures and (dropped or before is not None):  # beside a pattern: to compare it with
            dropped = dropped or [before] if before is not None else dropped
            return self._beside(dropped, structures[-1], wavelength, root, view)
        new = [source for source in sources if before is None or source.path != before.path]
        if before is not None and len(new) == 1 and len(sources) == 2:
            return self._replaced(before, new[0], wavelength, root, view)
        return self._answered(sources, wavelength, root, view)

    def left(self, view: View, seat: Seat | None, root: bool) -> list[Any]:
        """Draw what the phases of the answer shown leave of its pattern."""
        stop(seat)
        return self._shown(self._actions.left(view), root)

    def _beside(self, sources: list[Source], cif: Source, wavelength: str, root: bool, view: View) -> list[Any]:
        """Read patterns, and the structure that they are to be compared with."""
        shown = self._answered(sources, wavelength, root, view)
        shown[COMPARE : COMPARE + 2] = [cif.name, cif]
        return shown

    def together(
        self, pair: tuple[Source, ...], wavelength: str, root: bool, seat: Seat | None, files: Files, view: View
    ) -> list[Any]:
        """Answer a file and the one that took its place as a batch."""
        stop(seat, files)
        return self._answered(list(pair), wavelength, root, view)

    def example(self, name: str, wavelength: str, root: bool, seat: Seat | None, files: Files, view: View) -> list[Any]:
        """Read a bundled pattern, by the stem of its file."""
        stop(seat, files)
        source = next((each for each in examples() if each.path.stem == name), None)
        return self._opened(source, self._actions.show(source, wavelength, view.edits), root, Files(), [])

    def wavelength(
        self, source: Source | None, wavelength: str, root: bool, seat: Seat | None, files: Files, view: View
    ) -> list[Any] | None:
        """Read again with another wavelength; edited lines stay with their measurement. None without a pattern."""
        if source is None and not files.sources:  # a file may be on its way, and its view must not be wiped
            return None
        stop(seat, files)
        shown = without(view.edits) if source is None else self._actions.show(source, wavelength, view.edits)
        return [Files(files.sources), *self._shown(shown, root)]

    def _replaced(self, before: Source, source: Source, wavelength: str, root: bool, view: View) -> list[Any]:
        """Show a file in place of another, and offer to answer both."""
        shown = self._actions.show(source, wavelength, view.edits)
        if shown.loaded is not None:
            remark = REPLACED.format(source.name, before.name)
            loaded = replace(shown.loaded, remark=" ".join(filter(None, (shown.loaded.remark, remark))))
            shown = replace(shown, loaded=loaded, message=notice_html(loaded.news))
        pair = (before, source) if before.path.is_file() else ()
        return self._opened(source, shown, root, Files(), [source], pair)

    def _answered(self, sources: list[Source], wavelength: str, root: bool, view: View) -> list[Any]:
        if len(sources) > 1:
            several = sorted(sources, key=lambda source: natural(source.name))
            return self._opened(None, without(view.edits), root, Files(tuple(several)), sources)
        source = sources[0] if sources else None
        return self._opened(source, self._actions.show(source, wavelength, view.edits), root, Files(), sources)

    def _opened(
        self,
        source: Source | None,
        view: View,
        root: bool,
        files: Files,
        dropped: list[Source],
        pair: tuple[Source, ...] = (),
    ) -> list[Any]:
        batch = tuple(Item(each) for each in files.sources)
        both = [pair, gr.Button(visible=bool(pair))]
        opened = [source, files, dropped or None, *both, gr.skip(), gr.skip()]
        return [*opened, *Several.values(batch), *self._shown(view, root)]


def stop(seat: Seat | None, files: Files | None = None) -> None:
    """Leave what still works on an earlier question; it stops unless another page watches it."""
    if seat is not None:
        seat.leave()
    if files is not None:
        files.stopped = True


def without(edits: Edits | None) -> View:
    """Return the view before several files are answered, which all are with the peaks found in them."""
    return View() if edits is None else View(message=notice_html(FOUND_ANEW.format(edits.pattern.source)))
