"""“Is it UiO-66?”: one structure, by name, refcode or file, weighed against a pattern like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer, Hit, Overlay
from search.engine import Engine
from search.frameworks.described import Describer
from search.frameworks.entry import EntryId
from search.frameworks.names import bare_name, find_common, nearest_names
from search.verdict import Judge, Verdict, percent
from search.verdict.lookalikes import ALIKE, likeness
from xtal.crystals import Crystal, CrystalTable, primitive, read_cif
from xtal.errors import UserError

if TYPE_CHECKING:
    from indexer.storage import Index

OF_RIVALS = "the next entry that differs"  # how the reason begins that compares with it: it is told in other words
MOST = 60  # entries of one name that are compared


@dataclass(frozen=True, eq=False)
class Compared:
    """The answer to “is it this?”.

    Attributes:
        asked: what was asked for, as it is called here.
        yes: whether it is more likely than not, or than a match needs.
        probability: that the sample holds it, or something with the same lines; calibrated, 0 to 1.
        reasons: what speaks for and against it, in words.
        hit: its best entry, as it was fitted; None where the pattern has no lines.
        engine: that knows this entry.
    """

    asked: str
    yes: bool
    probability: float
    reasons: tuple[str, ...]
    hit: Hit | None
    engine: Engine

    @property
    def headline(self) -> str:
        """The answer in a few words."""
        return f"Is it {self.asked}? {'Yes' if self.yes else 'No'}: {percent(self.probability)} likely"

    def data(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        entry = "" if self.hit is None else self.hit.id
        told = {"asked": self.asked, "yes": self.yes, "probability": self.probability, "entry": entry}
        return {**told, "reasons": list(self.reasons)}

    def overlay(self, answer: Answer) -> Overlay | None:
        """Draw it over the pattern."""
        return None if self.hit is None else self.engine.overlay(answer.pattern, self.hit)


def structure_of(asked: str, name: str = "") -> str | Crystal:
    """Return what is asked for: the crystal of a CIF, named after its file or `name`, or the name as it is."""
    path = Path(asked.strip())
    if path.suffix.lower() != ".cif":
        return asked
    if not path.is_file():
        raise UserError(f"no file at {path}")
    called = name or path.name
    return replace(read_cif(path.read_bytes(), called), name=PurePath(called).stem)


def compare(
    asked: str | Crystal, engine: Engine, judge: Judge, describer: Describer, answer: Answer, verdict: Verdict
) -> Compared:
    """Weigh one structure against a pattern that was answered.

    Args:
        asked: a common name, a refcode or id of an entry, or a crystal of one's own.
        engine: that answered, with its judge and what describes its entries.
        judge: of the engine.
        describer: of its index.
        answer: of the search.
        verdict: on it.

    Raises:
        UserError: nothing is known by that name.
    """
    if isinstance(asked, Crystal):
        words, rows, small = asked.name or "this structure", np.empty(0, np.int64), _of_crystal(asked, engine)
    else:
        words, rows = named_rows(asked, engine.index, describer)
        small = Engine(engine.index.take(rows), engine.embedder)
    own = small.query([answer.pattern], k=1, lines=[answer.lines if answer.edited else None])[0]
    if not own.hits or own.hits[0].chi_square is None:
        return Compared(words, False, 0.0, ("the pattern holds nothing to compare it with",), None, small)
    hit = own.hits[0]
    known = _among(answer, verdict, rows, hit, small, engine)
    if known is not None:
        probability, found = known
        yes = bool(verdict.phases) or probability >= judge.calibration.decisive
        same = () if found.id == hit.id else (f"its peaks are those of {found.id} ({found.formula}), which was found",)
        return Compared(words, yes, probability, same + verdict.reasons, hit, small)
    rival = next(iter(answer.hits), None)
    weighed = Judge(judge.calibration, small.index).verdict(replace(own, rival=rival))
    probability = min(weighed.probability, 1 - verdict.probability)
    better = (
        () if rival is None else (f"{rival.id} ({rival.formula}) is the likeliest: {percent(verdict.probability)}",)
    )
    own_reasons = tuple(reason for reason in weighed.reasons if not reason.startswith(OF_RIVALS))
    return Compared(words, probability >= judge.calibration.decisive, probability, own_reasons + better, hit, small)


def named_rows(asked: str, index: "Index", describer: Describer) -> tuple[str, NDArray[np.int64]]:
    """Return what something is called here, and the rows (R,) of an index that are it.

    Raises:
        UserError: nothing in the index has that name.
    """
    ids = index.entries.ids.astype(str)
    text = asked.strip()
    rows = np.flatnonzero(ids == text)
    if not len(rows) and len(text) >= 6:  # a refcode, of a family too
        rows = np.flatnonzero(np.char.startswith(ids, text.upper()))
    if len(rows):
        return text, rows[:MOST]
    common = find_common(text)
    if not common and len(rows := _phases_named(text, ids)):
        return text, rows[:MOST]
    if not common:
        near = nearest_names(text)
        like = f"; names like it: {', '.join(near)}" if near else ""
        raise UserError(f"nothing is known by the name {text!r}{like}; give another, a refcode, or a CIF")
    wanted = {bare_name(one.name) for one in common} if len(common) > 1 else {common[0].name}
    rows = describer.rows_named(wanted)
    if not len(rows):
        raise UserError(f"the index {index.manifest.name} holds no {common[0].name}; give a CIF of it")
    return common[0].name if len(common) == 1 else text, rows[:MOST]


def _phases_named(text: str, ids: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the phases that are called so: ``zinc oxide``, ``zincite`` and ``zinc oxide zincite`` are one."""
    wanted = text.lower().replace("_", " ")
    likely = np.flatnonzero(np.char.find(np.char.replace(np.char.lower(ids), "_", " "), wanted) >= 0)
    called = [EntryId.of(entry).words.lower().split() for entry in ids[likely]]
    spellings = ({" ".join(words), words[-1], " ".join(words[:-1])} if words else set() for words in called)
    return likely[[wanted in each for each in spellings]]


def _among(
    answer: Answer, verdict: Verdict, rows: NDArray[np.int64], hit: Hit, small: Engine, engine: Engine
) -> tuple[float, Hit] | None:
    """Return the first hit or phase that is what was asked for, or looks like it, with its probability before it."""
    told: Sequence[tuple[Hit, float]] = [(phase.hit, phase.probability) for phase in verdict.phases]
    if not told and answer.hits:
        told = [(answer.hits[0], verdict.probability)]
    return next(((p, one) for one, p in told if one.row in rows or _alike(one.row, engine, hit, small)), None)


def _alike(row: int, engine: Engine, hit: Hit, small: Engine) -> bool:
    """Whether an entry of an engine's index and a hit of another engine have the same lines."""
    from indexer.storage.joined import join

    pair = engine.index.take(np.array([row]))
    own = small.index.take(np.array([hit.row]))
    both = type(pair)(*join([(pair.manifest, pair.contents), (own.manifest, own.contents)]))
    return bool(likeness(both, [0], [1])[0, 0] >= ALIKE)


def _of_crystal(crystal: Crystal, engine: Engine) -> Engine:
    """Return an engine that knows one crystal."""
    from indexer.storage.contents import Contents, flat_index
    from indexer.storage.entries import EntryTable
    from xtal.physics import LineTable, crystal_lines

    reduced = replace(primitive(crystal), name=crystal.name)
    lines = LineTable.stack([crystal_lines(reduced)])
    vectors = flat_index(engine.embedder.embed_crystals([reduced], lines))
    table = EntryTable.describe([crystal.name or "own structure"], [reduced])
    contents = Contents(table, CrystalTable.from_crystals([reduced]), lines, vectors)
    return Engine(type(engine.index)(engine.index.manifest, contents), engine.embedder)
