"""Search an index: fingerprints give a shortlist, physics orders it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import models
from indexer.storage import Index, open_index
from indexer.storage.vectors import on_gpus
from models.embedder import Embedder
from search.answer import Answer, Hit, Overlay, Part, Timings
from search.edited_lines import sample_with
from search.filters import Filter
from search.overlay import profile
from search.ranking import reproduce, rerank, settle
from search.ranking.prepared import prepared
from xtal.crystals import Crystal, impossible_pairs
from xtal.errors import UserError
from xtal.patterns import Lines, Pattern
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, powder_lines
from xtal.physics.fit import Fit
from xtal.physics.powder import expected_reflections
from xtal.physics.target import Target

COPIES_COMPARED = 3  # of one structure; they differ by temperature and solvent, so one alone may be the wrong one
ROOM_FOR_COPIES = 3  # times the shortlist, searched so that copies do not crowd out other structures
MOST_CHECKED = 10  # hits that are looked at for overlapping atoms
REMEMBERED = 4096  # entries whose overlaps are known already
DRAWN_BEYOND = 1.02  # of the last q: strain may move lines into the scan
MOST_WAVES = 3e7  # an overlay's lines are computed where reflections times atoms are no more, some tenths of a second
UNTIMED = Timings(0.0, 0.0, 0.0)
SHORTLIST = 100  # the right structure is among so many in 99 % of even badly disturbed patterns


@dataclass(frozen=True, eq=False)
class Shortlist:
    """Rows (R,) of an index most like one pattern, and their similarities (R,), falling."""

    rows: NDArray[np.int64]
    similarity: NDArray[np.float32]


def repeats(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """(R,) how often each label occurred before in `labels` (R,)."""
    order = np.argsort(labels, kind="stable")
    first = np.flatnonzero(np.diff(labels[order], prepend=labels.min(initial=0) - 1))
    before = np.arange(len(labels)) - np.repeat(first, np.diff(first, append=len(labels)))
    result = np.empty(len(labels), dtype=np.int64)
    result[order] = before
    return result


def noise_share(target: Target) -> float:
    """Mean ``Σ|noise| / Σ|net|`` of a target: what counting leaves unexplained by the true profile, 0 to 1."""
    expected = np.sqrt(2 / np.pi * target.variance[target.measured]).sum()  # the mean of |x| for a normal x
    return float(min(1.0, expected / max(np.abs(target.net).sum(), 1e-30)))


class Engine:
    """An opened index with the embedder that made it; safe to use from several threads."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self.index, self.embedder = index, embedder
        self._accelerated = on_gpus(index.vectors)
        self._overlaps = lru_cache(REMEMBERED)(lambda row: impossible_pairs(index.crystal(row)))

    @classmethod
    def open(cls, name: str, home: Path | None = None) -> Self:
        """Open an index, or several with "+" between the names; UserError when one is missing, damaged or not ours."""
        from indexer.storage import read_manifest
        from indexer.storage.joined import split

        # the matrices of a fit are small: more threads take longer, for they mostly wait for each other
        threadpool_limits(1, user_api="blas")
        embedder = models.load(read_manifest(split(name)[0], home).embedder)
        return cls(open_index(name, home, embedder), embedder)

    def __len__(self) -> int:
        """Return the number of structures that are searched."""
        return len(self.index)

    def query(
        self,
        patterns: Sequence[Pattern],
        k: int = 10,
        elements: frozenset[str] | None = None,
        formula: str | None = None,
        physics: bool = True,
        copies: bool = False,
        without: Sequence[NDArray[np.int64]] | None = None,
        required: frozenset[str] = frozenset(),
        lines: Sequence[Lines | None] | None = None,
    ) -> list[Answer]:
        """Find the `k` structures most like each pattern, best first.

        Args:
            patterns: B patterns, searched as one batch.
            k: hits per pattern.
            elements: symbols; entries that hold any other element are passed over.
            formula: reduced formula in Hill order; other entries are passed over.
            physics: order the shortlist by the fitted profile; otherwise by the fingerprints alone.
            copies: list every entry of a structure that the index holds several times, not only the best one.
            required: symbols; entries that lack one of them are passed over.
            without: rows left out for each of the B patterns, as if the index did not hold them.
            lines: for each of the B patterns those to search with, or None for those found in it.

        Raises:
            UserError: nothing in the index passes the filter, `k` is not positive, or given lines cannot be used.
        """
        if k < 1:
            raise UserError(f"the number of hits must be at least 1, got {k}")
        allowed = Filter(elements, formula, required).rows(self.index.entries)
        clock = [time.perf_counter()]
        given = [None] * len(patterns) if lines is None else lines
        samples = [sample_with(*one) for one in zip(patterns, given, strict=True)]
        clock.append(time.perf_counter())
        vectors = self.embedder.embed_patterns([sample.lines for sample in samples])
        shortlists = self._shortlists(vectors, max(k, SHORTLIST), allowed, copies, without)
        clock.append(time.perf_counter())
        answers = [self._answer(*found, k, physics, copies) for found in zip(samples, shortlists, strict=True)]
        if physics and allowed is not None:
            whole = self._shortlists(vectors, SHORTLIST, None, copies=False, without=without)
            answers = [self._with_excluded(*one, allowed) for one in zip(answers, samples, whole, strict=True)]
        clock.append(time.perf_counter())
        timings = Timings(*(np.diff(clock) / max(len(patterns), 1)).tolist())
        edited = [one is not None for one in given]
        return [replace(a, timings=timings, edited=e) for a, e in zip(answers, edited, strict=True)]

    def nearest(
        self, vectors: NDArray[np.float32], size: int, allowed: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """Return the rows of the `size` entries most like the first of some vectors, among those `allowed`."""
        return self._shortlists(vectors, size, allowed, copies=False)[0].rows

    @cached_property
    def _group_sizes(self) -> NDArray[np.int64]:
        return np.bincount(self.index.entries.group)

    def crystal(self, id_: str) -> Crystal:
        """Return the primitive crystal of an entry; UserError when there is none of this id."""
        return self.index.crystal(self.index.row_of(id_))

    def overlay(self, pattern: Pattern, hit: Hit) -> Overlay:
        """Draw the fitted profile of a hit over the whole measured range."""
        return self.stacked(pattern, [hit])

    def stacked(self, pattern: Pattern, hits: Sequence[Hit]) -> Overlay:
        """Draw the fitted profiles of hits that were fitted together, with the scales that fit the pattern best."""
        from xtal.physics.joint import non_negative

        sample = Sample.of(pattern)
        under, net = sample.under, pattern.intensity - sample.under
        usual = Target.of(pattern, sample.lines, under).fwhm
        drawn = [self._profile(pattern, hit, usual) for hit in hits]
        scale = non_negative(np.array([curve for curve, _ in drawn]), net)
        parts = tuple(
            Part(hit.id, factor * curve, np.sort(centres))
            for hit, factor, (curve, centres) in zip(hits, scale, drawn, strict=True)
        )
        calculated = under + np.sum([part.curve for part in parts], axis=0)
        difference, ticks = pattern.intensity - calculated, np.sort(np.concatenate([part.ticks for part in parts]))
        own = parts if len(parts) > 1 else ()
        return Overlay(pattern.two_theta, pattern.intensity, calculated, under, difference, ticks, own)

    def _profile(self, pattern: Pattern, hit: Hit, usual: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the profile (M,) of a hit in any unit, and the places (K,) of its lines in degrees."""
        parameters = np.array(hit.parameters or (0.0,) * 9)
        return profile(pattern, self._lines_to(hit, pattern), parameters, hit.width or usual, hit.growth, hit.second)

    def _lines_to(self, hit: Hit, pattern: Pattern) -> LineTable:
        """Return the lines of a hit to the end of a scan: an index keeps those of large cells to some angle only."""
        last = DRAWN_BEYOND * pattern.q_range[1]
        crystal = self.index.crystal(hit.row)
        if expected_reflections(crystal, last) * len(crystal) > MOST_WAVES:
            return self.index.lines.take(np.array([hit.row]))
        return LineTable.stack([powder_lines(crystal, last, wavelength=pattern.wavelength)])

    def _shortlists(
        self,
        vectors: NDArray[np.float32],
        size: int,
        allowed: NDArray[np.int64] | None,
        copies: bool,
        without: Sequence[NDArray[np.int64]] | None = None,
    ) -> list[Shortlist]:
        """Search the `size` entries most like each vector; equal ones stand in the order of the index."""
        spare = max(map(len, without), default=0) if without is not None else 0  # makes up for what is left out
        deep = size if copies else size * ROOM_FOR_COPIES
        wanted = min(deep + spare, len(self.index) if allowed is None else len(allowed))
        if allowed is None:
            similarity, rows = self._accelerated.search(vectors, wanted)
        else:  # a GPU does not look at chosen rows
            similarity, rows = self.index.vectors.search(vectors, wanted, allowed)
        found = list(zip(rows, similarity, strict=True))
        if without is not None:
            marked = [(r, s, ~np.isin(r, left_out)) for (r, s), left_out in zip(found, without, strict=True)]
            found = [(r[stays][:deep], s[stays][:deep]) for r, s, stays in marked]
        if copies:
            return [Shortlist(r, s) for r, s in found]
        kept = ((r, s, np.flatnonzero(repeats(self.index.entries.group[r]) < COPIES_COMPARED)[:size]) for r, s in found)
        return [Shortlist(r[few], s[few]) for r, s, few in kept]

    def _answer(self, sample: Sample, shortlist: Shortlist, k: int, physics: bool, copies: bool) -> Answer:
        """Order one shortlist and describe its first `k`, and the first that is another structure."""
        order, fit, fwhm, points, noise = np.arange(len(shortlist.rows)), Fit.start(len(shortlist.rows)), 0.0, 0, 0.0
        if physics and len(sample.lines) and len(order):
            target = prepared(sample.pattern, sample.lines, sample.under)
            ranking = settle(rerank(target, self.index.lines, shortlist.rows), self.index, shortlist.rows)
            if target.computed:
                ranking = reproduce(ranking, self.index, shortlist.rows)
            order, fit, target = ranking.order, ranking.fit, ranking.target
            fwhm = target.fwhm
            points, noise = target.points, noise_share(target)
        groups = self.index.entries.group[shortlist.rows[order]]
        places = np.arange(len(order)) if copies else np.sort(np.unique(groups, return_index=True)[1])
        rivals = np.flatnonzero(groups != groups[:1])[:1]

        def described(rank: int, place: int) -> Hit:
            """Describe the hit at a place of the order."""
            row, similarity = shortlist.rows[order[place]], shortlist.similarity[order[place]]
            return self.describe(rank, row, similarity, fit.take(np.array([place])), fwhm)

        hits = tuple(described(rank, place) for rank, place in enumerate(places[:k], 1))
        rival = described(1 + int(np.searchsorted(places, rivals[0])), rivals[0]) if len(rivals) else None
        return Answer(sample.pattern, sample.lines, hits, UNTIMED, rival, points, noise)

    def _with_excluded(self, answer: Answer, sample: Sample, whole: Shortlist, allowed: NDArray[np.int64]) -> Answer:
        """Note the best rival that the `whole` index has for the first hit, unless it is one of the `allowed` rows."""
        found = self._answer(sample, whole, 1, physics=True, copies=False)
        if not answer.hits or not found.hits:
            return answer
        best = found.hits[0] if found.hits[0].group != answer.hits[0].group else found.rival
        return answer if best is None or best.row in allowed else replace(answer, excluded=best)

    def describe(self, rank: int, row: int, similarity: float, fit: Fit, fwhm: float) -> Hit:
        """Describe one entry; a fit that was never compared (infinite χ²) counts as none."""
        entries = self.index.entries
        group = int(entries.group[row])
        known = bool(np.isfinite(fit.chi_square[0]))
        values = tuple(float(v) for v in fit.parameters[0]) if known else ()
        return Hit(
            rank=rank,
            id=str(entries.ids[row]),
            name=str(entries.names[row]),
            formula=str(entries.formulas[row]),
            similarity=float(similarity),
            fit=float(fit.explained[0]) if known else None,
            group=group,
            group_size=int(self._group_sizes[group]),
            n_atoms=int(entries.n_atoms[row]),
            scale=1 + sum(values[:3]) / 3 if known else None,
            zero_shift=values[6] if known else None,
            width=fwhm * float(np.exp(values[7])) if known else None,
            row=int(row),
            parameters=values,
            chi_square=float(fit.chi_square[0]) if known else None,
            second=float(fit.second[0]),
            growth=float(fit.growth[0]),
            overlaps=self._overlaps(int(row)) if known and rank <= MOST_CHECKED else 0,
        )
