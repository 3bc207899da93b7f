"""What fills the slots of a framework: linkers, bare or dressed, that weigh together what is lacking."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise

import numpy as np
from numpy.typing import NDArray

from generate.known.nets import Net
from generate.known.pendants import HYDROGEN, Bare, Group, bare, dressed
from generate.known.shelf import WEIGHTS, Key, Shelf, weight
from xtal.crystals.linkers import Grips, Linker
from xtal.interrupt import look_up

MOST_SLOTS = 3  # that are filled anew at once
MOST_FILLINGS = 20_000  # of one kind of framework,
OF_A_NET = 400  # and of one net in a known cell
NOWHERE = np.empty((0, 2), dtype=np.int64)
OFF, STRETCHED = 0.3, 0.02  # Å, and share of its length, by which a linker may miss its node
ALIKE = 0.1  # Å by which nets may differ that are filled alike
Shape = tuple[tuple[int, Grips, int], ...]
"""Of slots: how many linkers, their donors, and 0, or a number that tells apart slots otherwise alike."""


@dataclass(frozen=True, eq=False)
class Fill:
    """What comes into a slot: a bare linker with so many groups, or a linker as it is, with a key of its own.

    The linkers of some donors are sorted by how often they are met: `place` is where it stands among these.
    """

    bare: Bare
    place: int
    group: Group | None = None
    count: int = 0
    known: Key | None = None

    @property
    def key(self) -> Key:
        """Tell it from others, wherever the groups are."""
        return self.known or (self.bare.linker.kind, self.group.key if self.group and self.count else 0, self.count)

    def linker(self, turn: int = 0) -> Linker:
        """Put the groups on, spread over the places; other turns begin at other places."""
        if self.group is None or not self.count:
            return self.bare.linker
        places = len(self.bare.places)
        at = (np.arange(self.count) * places // self.count + turn) % places
        return dressed(self.bare, dict.fromkeys(at.tolist(), self.group))

    def stripped(self) -> tuple[Bare, tuple[Group, ...]]:
        """Return the bare linker, and the groups that belong on it somewhere."""
        if self.known is not None:
            naked = bare(self.bare.linker)
            return naked, naked.groups
        return self.bare, (self.group,) * self.count if self.group is not None else ()


def solutions(lacking: int, shape: Shape, shelf: Shelf) -> list[tuple[Fill, ...]]:
    """Return fillings of slots of this `shape` that weigh what is `lacking`.

    Ruled linkers are offered for all slots at once alone: any two or three could be, and leave no room for those of
    real frameworks.
    """
    naked, plain = _offers(shape, shelf, ruled=False)
    found = [*_dressed(lacking, shape, naked, shelf), *(fills for fills, _ in _summing(plain, shape, [lacking]))]
    if len({donors for _, donors, _ in shape}) == 1:
        donors, together = shape[0][1], ((sum(n for n, *_ in shape), shape[0][1], 0),)
        ruled = [Fill(k, 0) for k in shelf.ruled.get(donors, ())]
        found += [(fill,) * len(shape) for (fill,) in _dressed(lacking, together, [ruled], shelf)]
    return found


def in_nets(
    lacking: int, shape: Shape, beyond: Sequence[float], rows: Sequence[int], shelf: Shelf, nets: Sequence[Net]
) -> list[tuple[tuple[Fill, ...], tuple[Net, ...]]]:
    """Return fillings of the slots of a net of one node that weigh what is `lacking`, and the nets that they reach in.

    Args:
        lacking: weight.
        shape: of its slots, three or, between rods, two.
        beyond: Å, for each slot, see `generate.known.isoreticular.Slot`.
        rows: for each slot the vector of the net along which it lies.
        shelf: linkers, ruled ones among them.
        nets: in which cells the framework may be.
    """
    alike = [slot for slot in range(1, len(shape)) if shape[slot] == shape[slot - 1]]
    naked, plain = _offers(shape, shelf, ruled=True)
    apart = tuple((n, donors, slot) for slot, (n, donors, _) in enumerate(shape))
    told_apart = [net for net in nets if all(net.order[rows[s]] > net.order[rows[s - 1]] for s in alike)]
    lengths = np.array([net.lengths[list(rows)] for net in told_apart]).reshape(-1, len(shape))
    found: dict[Hashable, tuple[tuple[Fill, ...], list[Net]]] = {}
    _, first, group = np.unique(np.rint(lengths / ALIKE), axis=0, return_index=True, return_inverse=True)
    for k, example in enumerate(first.tolist()):
        look_up()
        here, undressed = (_reaching(every, beyond, lengths[example]) for every in (naked, plain))
        made = chain(
            _dressed(lacking, apart, here, shelf), (fills for fills, _ in _summing(undressed, apart, [lacking]))
        )
        same = [told_apart[row] for row in np.flatnonzero(group.ravel() == k)]
        for fills in islice(made, OF_A_NET):
            found.setdefault(tuple((id(fill.bare), fill.key) for fill in fills), (fills, []))[1].extend(same)
    return [(fills, tuple(where)) for fills, where in found.values()]


def _offers(shape: Shape, shelf: Shelf, ruled: bool) -> tuple[list[list[Fill]], list[list[Fill]]]:
    """Return for each slot bare linkers that may get groups, and linkers as they are."""
    naked = [[Fill(k, place) for place, k in enumerate(shelf.offered(donors, ruled))] for _, donors, _ in shape]
    plain = [
        [Fill(Bare(k, NOWHERE, ()), place, known=key) for place, (k, key) in enumerate(shelf.linkers.get(donors, ()))]
        for _, donors, _ in shape
    ]
    return naked, plain


def _reaching(
    offers: Sequence[Sequence[Fill]], beyond: Sequence[float], lengths: NDArray[np.float64]
) -> list[list[Fill]]:
    """Keep for each slot what is as long as it: `lengths` Å from node to node."""
    return [
        [fill for fill in fills if abs(2 * fill.bare.linker.arm + more - length) < OFF + STRETCHED * length]
        for fills, more, length in zip(offers, beyond, lengths.tolist(), strict=True)
    ]


def _dressed(lacking: int, shape: Shape, naked: Sequence[Sequence[Fill]], shelf: Shelf) -> Iterator[tuple[Fill, ...]]:
    """Yield bare linkers, one of those `naked` for each slot, that weigh what is `lacking`, alone or with groups."""
    most = sum(
        n * max((len(f.bare.places) for f in fills), default=0) for (n, *_), fills in zip(shape, naked, strict=True)
    )
    offers = [(group, count) for group in shelf.groups for count in range(1, most + 1)]
    gains = [weight(group.numbers) - int(WEIGHTS[HYDROGEN]) for group in shelf.groups]
    totals = [lacking, *(lacking - count * gain for gain in gains for count in range(1, most + 1))]
    for fills, which in _summing(naked, shape, totals):
        if not which:
            yield fills
            continue
        group, count = offers[which - 1]
        shared = _shares(count, [(n, len(f.bare.places)) for (n, *_), f in zip(shape, fills, strict=True)])
        if shared:
            yield tuple(replace(f, group=group, count=k) for f, k in zip(fills, shared, strict=True))


def _summing(
    offers: Sequence[Sequence[Fill]], shape: Shape, totals: Sequence[int]
) -> Iterator[tuple[tuple[Fill, ...], int]]:
    """Yield one offer for each slot where they weigh one of the `totals`, and which.

    Pairs of the last two slots are sorted by weight; the rest is looked up among them. Slots alike are not told apart.
    """
    if not totals or not all(offers):
        return
    weights = [
        np.array([n * weight(f.bare.linker.numbers) for f in fills])
        for (n, *_), fills in zip(shape, offers, strict=True)
    ]
    while len(weights) < MOST_SLOTS:
        weights.insert(0, np.zeros(1, dtype=np.int64))
    first, second, third = weights
    pairs = (second[:, None] + third).ravel()
    order = np.argsort(pairs, kind="stable")
    sought = (np.array(totals)[:, None] - first).ravel()
    low, high = (np.searchsorted(pairs[order], sought, side) for side in ("left", "right"))
    alike = [False] * (MOST_SLOTS - len(shape)) + [False, *(a == b for a, b in pairwise(shape))]
    count = 0
    for hit in np.flatnonzero(high > low).tolist():
        which, one = divmod(hit, len(first))
        for pair in order[low[hit] : high[hit]].tolist():
            rows = (one, *divmod(pair, len(third)))
            if any(same and rows[k - 1] > rows[k] for k, same in enumerate(alike)):
                continue
            chosen = rows[MOST_SLOTS - len(shape) :]
            yield tuple(fills[row] for fills, row in zip(offers, chosen, strict=True)), which
            count += 1
            if count == MOST_FILLINGS:
                return


def _shares(count: int, room: Sequence[tuple[int, int]]) -> tuple[int, ...] | None:
    """Share `count` groups among slots of (linkers, places on each), as evenly as whole numbers allow."""
    places = sum(n * p for n, p in room)
    if count > places:
        return None
    share = [min(p, round(count * p / places)) for _, p in room]
    for _ in range(2 * len(room) * max((p for _, p in room), default=1)):
        left = count - sum(n * k for (n, _), k in zip(room, share, strict=True))
        if not left:
            return tuple(share)
        step = 1 if left > 0 else -1
        able = [s for s, (n, p) in enumerate(room) if n <= abs(left) and 0 <= share[s] + step <= p]
        if not able:
            return None
        best = min(able, key=lambda s: step * (share[s] + step / 2) / max(room[s][1], 1))
        share[best] += step
    return None
