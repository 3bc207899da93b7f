"""Hits in rows: entries of one framework stand together, each row with one calibrated probability, the likeliest first.

Entries are one framework when they have the same common name (whatever the metal), when their lines look alike
(`search.verdict.lookalikes`), or when they have the same composition but for metal and hydrogen and as much room.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from search.answer import Answer, Hit
from search.frameworks.chances import later_chances
from search.frameworks.described import metals_of
from search.frameworks.entry import EntryId
from search.frameworks.names import bare_name
from xtal.crystals import amounts_of

if TYPE_CHECKING:
    from search.frameworks.described import Describer
    from search.verdict import Verdict

MOST_NAMES = 2  # of a row, beside one more
LIKE = "like "  # before the name of another entry with the same lines
SAME_ROOM = 0.08  # of the volume per metal atom


@dataclass(frozen=True)
class Framework:
    """One row of an answer.

    Attributes:
        hits: entries of the framework among the hits, the best first.
        probability: that the sample holds it, or something with the same lines; calibrated, 0 to 1.
        name: common ones of its entries, the best one's first; with "like" where that has none, "" where none has.
        names: common ones of each entry, "" where it has none.
        metals: of all its entries.
        linkers: by name or SMILES; empty where they were not told apart.
    """

    hits: tuple[Hit, ...]
    probability: float
    name: str = ""
    names: tuple[str, ...] = ()
    metals: tuple[str, ...] = ()
    linkers: tuple[str, ...] = ()

    @property
    def first(self) -> Hit:
        """The best entry."""
        return self.hits[0]

    def name_of(self, hit: Hit) -> str:
        """Return the common name of one of its entries; "like" that of another where it has none itself."""
        own = dict(zip((one.id for one in self.hits), self.names, strict=False)).get(hit.id, self.name)
        return own or (f"like {self.name.removeprefix(LIKE)}" if self.name else "")

    @property
    def label(self) -> str:
        """The best entry's common name with its id, what a phase is called, or that id alone."""
        name = self.name_of(self.first)
        return f"{name} ({self.first.id})" if name else EntryId.of(self.first.id).phase or self.first.id


def framework_data(row: Framework) -> dict[str, Any]:
    """Return a row as JSON takes it: what it is, how likely, and its entries, the best first."""
    entries = [EntryId.of(hit.id) for hit in row.hits]
    named = [*row.names, *[""] * len(entries)]
    return {
        "name": row.name,
        "probability": row.probability,
        "metals": list(row.metals),
        "linkers": list(row.linkers),
        "entries": [
            {"id": e.id, "name": name, "refcode": e.refcode, "link": e.link, "badges": list(e.badges)}
            for e, name in zip(entries, named, strict=False)
        ],
    }


def spoken_of(answer: Answer, verdict: "Verdict", describer: "Describer | None") -> tuple[str, ...]:
    """Return what the verdict speaks of, all phases or the first hit: common names where there are."""
    hits = [phase.hit for phase in verdict.phases] or list(answer.hits[:1])
    return tuple((describer.name(hit.row) if describer else "") or EntryId.of(hit.id).words for hit in hits)


def all_hits(answer: Answer, verdict: "Verdict") -> tuple[Hit, ...]:
    """Return the hits of an answer, and after them those of its phases that are not among them, ranked on."""
    listed = {hit.id for hit in answer.hits}
    more = [phase.hit for phase in verdict.phases if phase.hit.id not in listed]
    last = max((hit.rank for hit in answer.hits), default=0)
    return answer.hits + tuple(replace(hit, rank=last + n) for n, hit in enumerate(more, 1))


def frameworks(
    answer: Answer, verdict: "Verdict", describer: "Describer | None", linkers: bool = True
) -> tuple[Framework, ...]:
    """Return an answer's hits by framework, the likeliest first.

    Args:
        answer: of the search.
        verdict: on it; the first hit's framework has its probability, and every named phase its own.
        describer: of the index that was searched; None where that is not at hand: each hit then stands by itself.
        linkers: whether they are told apart, which takes a second the first time and some milliseconds then.
    """
    hits = all_hits(answer, verdict)
    if not hits:
        return ()
    names = [describer.name(hit.row) if describer else "" for hit in hits]
    places = _grouped(hits, names, describer)
    rows = [[n for n, place in enumerate(places) if place == first] for first in dict.fromkeys(places)]
    later = iter(later_chances(len(rows), verdict.probability))
    known = {phase.hit.group: phase.probability for phase in verdict.phases}
    spoken = {phase.hit.id for phase in verdict.phases}
    made: list[Framework] = []
    for row in rows:
        row.sort(
            key=lambda n: (hits[n].id not in spoken, hits[n].group not in known)
        )  # of those alike, the verdict speaks of that one
        own = tuple(hits[n] for n in row)
        sure = [known[hit.group] for hit in own if hit.group in known]
        if not known and not made:
            sure = [verdict.probability]
        made.append(
            Framework(
                own,
                max(sure) if sure else next(later),
                _name([names[n] for n in row]),
                tuple(names[n] for n in row),
                tuple(dict.fromkeys(metal for hit in own for metal in metals_of(hit.formula))),
                next(
                    (found for hit in own if describer and linkers and (found := describer.parts(hit.row).linkers)), ()
                ),
            )
        )
    return tuple(sorted(made, key=lambda one: -one.probability))


def _name(names: Sequence[str]) -> str:
    """Return what a row is called by the names of its entries, the best first: all that its lines leave open."""
    if len(names) == 1:
        return names[0]
    *first, last = dict.fromkeys(bare_name(name) for name in names if name) or [""]
    said = f"{', '.join(first[:MOST_NAMES])} or {last}" if first else last
    return said if names[0] or not said else f"{LIKE}{said}"


def _grouped(hits: Sequence[Hit], names: Sequence[str], describer: "Describer | None") -> list[int]:
    """Return for each hit the place of the first hit of its framework."""
    places = list(range(len(hits)))
    if describer is None:
        return places
    alike = describer.alike([hit.row for hit in hits])
    kinds = [_kind(hit) for hit in hits]
    room = [describer.room(hit.row) for hit in hits]
    for n in range(len(hits)):
        for first in range(n):
            named = names[n] and bare_name(names[n]) == bare_name(names[first])
            same = kinds[n] and kinds[n] == kinds[first] and abs(room[n] / room[first] - 1) < SAME_ROOM
            if places[first] == first and (named or same or alike[n, first]):
                places[n] = first
                break
    return places


def _kind(hit: Hit) -> tuple[tuple[str, float], ...]:
    """Return the composition per metal atom without metals and hydrogen; nothing where it holds no carbon or metal."""
    amounts, metals = amounts_of(hit.formula), metals_of(hit.formula)
    total = sum(amounts[metal] for metal in metals)
    if not total or "C" not in amounts:
        return ()
    return tuple((s, round(n / total, 3)) for s, n in amounts.items() if s not in metals and s != "H")
