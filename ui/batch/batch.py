"""Several files at once: each is read and answered on its own, and a bad one does not stop the others."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

from search.frameworks import spoken_of
from search.verdict import WORDS, percent
from ui.inputs import Loaded, Source, load
from ui.question import Question
from ui.show.table import bar, formula_html, row_html, table_html
from ui.show.texts import file_name
from xtal.errors import UserError

if TYPE_CHECKING:
    from generate.candidate import Candidate
    from search.answer import Hit
    from search.engine import Engine
    from search.solution import Solution
    from search.solve import Solver

WAITING = "waiting"
COLUMNS = (
    ("File", "As it was dropped"),
    ("Verdict", "Whether the structure was found"),
    ("Likely", "Calibrated probability that the structure is right"),
    ("Structure", "What the verdict speaks of, by its common name where it has one: the first hit, or all phases"),
    ("Formula", "Reduced formula of the first of them"),
    ("Fit", "Share of the measured intensity above the background that the fitted profile reproduces (1 - R)"),
    ("Note", "What went wrong, or what to look at"),
)
HEAD = (
    *("file", "verdict", "probability", "structure", "first hit", "formula", "similarity", "fit"),
    *("generated formula", "generated fit", "note"),
)
MADE = ("Generated", "Contents of the cell and fit of the best generated crystal: a proposal, not verified")


@dataclass(frozen=True, eq=False)
class Item:
    """One file of a batch: not looked at yet, answered, or refused with an `error`; `news` is of its generation.

    `found` names what the verdict speaks of.
    """

    source: Source
    loaded: Loaded | None = None
    solution: "Solution | None" = None
    error: str = ""
    news: str = ""
    found: str = ""

    @property
    def first(self) -> "Hit | None":
        """The hit that the verdict speaks of first."""
        if self.solution is None:
            return None
        named = [phase.hit for phase in self.solution.verdict.phases]
        return next(iter([*named, *self.solution.answer.hits]), None)

    @property
    def best(self) -> "Candidate | None":
        """The best generated crystal."""
        made = () if self.solution is None else self.solution.candidates
        return made[0] if made else None

    @property
    def waiting(self) -> bool:
        """Whether it is neither answered nor refused yet."""
        return self.solution is None and not self.error

    @property
    def missed(self) -> bool:
        """Whether nothing matches it and nothing was generated for it."""
        return _kind(self) == "no match" and self.best is None

    @property
    def note(self) -> str:
        """What to tell of it."""
        if self.error or self.news:
            return self.error or self.news
        if self.solution is None:
            return WAITING
        notice = "" if self.loaded is None else self.loaded.notice
        return notice or "; ".join(self.solution.notes)


Batch = tuple[Item, ...]


class Files:
    """The files of one batch, and what happens to them; several handlers look at it while they work.

    Attributes:
        sources: the files.
        stopped: set once another batch took its place, so that work on it ends.
        selected: number of the row that is shown, from 1; 0 for none.
        run: names the generations that are going on; they end when it is another one. None while there are none.
    """

    def __init__(self, sources: tuple[Source, ...] = ()) -> None:
        self.sources, self.stopped, self.selected = sources, False, 0
        self.run: object | None = None
        self._claims = [True]  # not a lock: gradio copies the first value of a state

    def claim(self) -> bool:
        """Return True to the first who asks, who alone answers these files; a second would overwrite the first."""
        try:
            return self._claims.pop()
        except IndexError:
            return False


def answer_all(solver: "Solver", sources: Sequence[Source], wavelength: str, question: Question) -> Iterator[Batch]:
    """Answer file by file and yield the batch as it is after each; see `ui.batch.generation` for crystals."""
    batch = [Item(source) for source in sources]
    for place, source in enumerate(sources):
        batch[place] = _answer(solver, source, wavelength, replace(question, generate=False))
        yield tuple(batch)


def batch_html(batch: Batch, selected: int) -> str:
    """Return the table of a batch, the row of number `selected` (from 1) marked; nothing for no batch."""
    if not batch:
        return ""
    made = any(item.best for item in batch)
    columns = (*COLUMNS[:-1], MADE, COLUMNS[-1]) if made else COLUMNS
    order = sorted(enumerate(batch, 1), key=lambda pair: not pair[1].error)  # what must be mended stands at the top
    rows = [row_html(_row(item, made), number, number == selected) for number, item in order]
    return table_html(columns, rows, "xs-batch", _words(batch), sorts=True)


def batch_csv(batch: Batch) -> bytes:
    """Return the batch as CSV for spreadsheets; a cell that would be run as a formula is quoted."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(HEAD)
    table.writerows([_harmless(cell) for cell in _cells(item)] for item in batch)
    return text.getvalue().encode("utf-8-sig")  # the mark lets spreadsheets read θ and Å


def batch_zip(batch: Batch, engine: "Engine", index: str) -> bytes:
    """Return first hits and generated crystals as CIFs in a zip archive, each named by its number and file."""
    from search.refinement.hit_cif import hit_cif

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, item in enumerate(batch, 1):
            hit, stem = item.first, f"{number:02d}-{PurePath(item.source.name).stem}"
            if hit is not None:
                told = f"{item.source.name}, first hit; {_kind(item)}"
                archive.writestr(file_name(f"{stem}-{hit.id}"), hit_cif(engine.crystal(hit.id), hit, index, told))
            for candidate in () if item.solution is None else item.solution.candidates:
                archive.writestr(file_name(f"{stem}-generated-{candidate.rank}"), _generated_cif(candidate))
    return packed.getvalue()


def _generated_cif(candidate: "Candidate") -> str:
    from generate.cif import candidate_cif
    from models.ccsg.denoiser import NAME

    return candidate_cif(candidate, NAME, candidate.crystal.formula)


def _answer(solver: "Solver", source: Source, wavelength: str, question: Question) -> Item:
    try:
        loaded = load(source, wavelength)
        solution = solver.solve(loaded.pattern, question.options())
        named = spoken_of(solution.answer, solution.verdict, solver.describer)
        return Item(source, loaded, solution, found=" + ".join(named))
    except UserError as error:
        return Item(source, error=str(error))


_DOTS = {"match and more": "match", "another pore state": "match", "no match": "miss"}  # of the style sheet


def _kind(item: Item) -> str:
    if item.error:
        return "error"
    if item.solution is None:
        return ""
    return WORDS[item.solution.verdict.kind]


def _words(batch: Batch) -> str:
    done = sum(1 for item in batch if not item.waiting)
    counts = [(sum(1 for item in batch if _kind(item) == kind), kind) for kind in (*WORDS.values(), "error")]
    found = ", ".join(f"{count} {kind}" for count, kind in counts if count)
    return f"{done} of {len(batch)} files" + (f": {found}" if found else "")


def _row(item: Item, made: bool) -> tuple[str, ...]:
    """Return the cells of a row, with one for what was generated if `made`."""
    hit, name, kind = item.first, escape(item.source.name), _kind(item)
    likely = "" if item.solution is None else _likely(item.solution.verdict.probability)
    return (
        f'<span class="xs-id" title="{name}">{name}</span>',
        f'<i class="xs-dot xs-{_DOTS.get(kind, kind)}"></i>{kind}' if kind else "",
        likely,
        "" if hit is None else _structure(hit.id, item.found),
        "" if hit is None else f'<span class="xs-formula">{formula_html(hit.formula)}</span>',
        "" if hit is None else bar(hit.fit),
        *([_made(item)] if made else []),
        f'<span class="xs-words" title="{escape(item.note)}">{escape(item.note)}</span>',
    )


def _structure(entry: str, found: str) -> str:
    """Return what the verdict speaks of, each name whole on its line; the first entry shows at a look."""
    names = " + ".join(f'<span class="xs-one">{escape(name)}</span>' for name in (found or entry).split(" + "))
    return f'<span class="xs-found" title="{escape(entry)}">{names}</span>'


def _likely(probability: float) -> str:
    """Return a probability in words, with the number that its column is sorted by."""
    return f'<span data-value="{probability:.4f}">{percent(probability)}</span>'


def _made(item: Item) -> str:
    best = item.best
    if best is None:
        return ""
    formula = best.crystal.formula
    return f'<span class="xs-formula" title="{escape(formula)}">{formula_html(formula)}</span> {bar(best.fit)}'


def _cells(item: Item) -> list[str]:
    hit, solution = item.first, item.solution
    probability = "" if solution is None else f"{solution.verdict.probability:.4f}"
    found = [""] * 5 if hit is None else [item.found, hit.id, hit.formula, f"{hit.similarity:.4f}", _number(hit.fit)]
    made = ["", ""] if item.best is None else [item.best.crystal.formula, _number(item.best.fit)]
    return [item.source.name, _kind(item), probability, *found, *made, item.note]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
