"""Search by phases: the best first phases, what each of them leaves searched again, candidates compared jointly.

Each set of phases is a state; a few of the best go on (a beam). A further phase is looked for among entries that
resemble the lines left over, by fingerprint and by their own lines, each fitted beside the phases known so far, the
best of them with all phases together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer
from search.phases.lines import assigned, left_over
from search.phases.scout import Scout, highest
from search.ranking import STRAIN_MARGIN
from search.ranking.prepared import prepared
from search.verdict.lookalikes import ALIKE, likeness
from xtal.patterns import Lines, q_from_two_theta, two_theta_from_q
from xtal.patterns.linefinder import find_lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics import Sticks
from xtal.physics.fit import Beside, Fit, in_degrees, line_positions, refine
from xtal.physics.joint import JointFit, fit_jointly
from xtal.physics.profile import render_each
from xtal.physics.target import Target, widening

if TYPE_CHECKING:
    from search.engine import Engine

MOST_PHASES = 4
SEEDS, BEAM = 5, 2  # first phases that are tried; sets of phases that go on
CANDIDATES = 50  # of each kind, see `Scout`
STAGES = ((0.025, 2, 24), (0.010, 3, 8), (0.0, 3, 3))  # blur in Å⁻¹, steps, how many go on
WORTH = 0.93  # of χ²: a further phase lowers it at least to this


@dataclass(frozen=True, eq=False)
class State:
    """Phases that explain a pattern together: entries `rows` with their fit."""

    rows: tuple[int, ...]
    fit: JointFit


@dataclass(frozen=True, eq=False)
class Found:
    """The best set of phases, and for each the lowest χ² with another structure in its place (inf without one)."""

    state: State
    rivals: NDArray[np.float64]


class Finder:
    """Searches one pattern by phases."""

    def __init__(self, engine: "Engine", scout: Scout, answer: Answer, allowed: NDArray[np.int64] | None) -> None:
        self.engine, self.index, self.scout, self.answer, self.allowed = engine, engine.index, scout, answer, allowed
        first = answer.hits[0]
        self.target: Target = prepared(answer.pattern, answer.lines).grown(first.growth)
        self.second, self.wavelength = first.second, answer.pattern.wavelength
        self.under = self.target.source[2]
        self.q_max = float(q_from_two_theta(self.target.two_theta[-1], self.wavelength)) * STRAIN_MARGIN

    @cached_property
    def _everywhere(self) -> NDArray[np.int64]:
        """Entries whose own lines are in the pattern, whatever else is."""
        scores = self.scout.scores(self.answer.lines, self.wavelength)
        if self.allowed is None:
            return highest(scores, CANDIDATES)
        return self.allowed[highest(scores[self.allowed], CANDIDATES)]

    def levels(self, sure: bool = False) -> Iterator[Found]:
        """Yield the best single phase, the best pair and so on, as long as a further phase is worth it.

        With `sure`, the first hit is among them and no other is tried in the first place.
        """
        beam = [self._first()] if sure else self._seeds()
        best = min(beam, key=_cost)
        yield Found(best, self._rivals_of_first(best, beam))
        while len(best.rows) < MOST_PHASES:
            grown = self._grown(beam)
            if not grown or grown[0].fit.chi_square > WORTH * best.fit.chi_square:
                return
            best, rivals = self._exchanged(grown[0])
            beam = [best, *grown[1:BEAM]]
            yield Found(best, rivals)

    def sticks(self, rows: Sequence[int]) -> Sticks:
        """Return the lines of entries as the beam draws them."""
        return Sticks.of(self.index.lines, np.array(rows), self.wavelength, self.q_max).doubled(
            self.wavelength, self.second
        )

    @cached_property
    def unit(self) -> float:
        """Area of a found line of relative area 1, intensity x degrees."""
        pattern, lines = self.answer.pattern, self.answer.lines
        angles = two_theta_from_q(lines.q, self.wavelength)
        area = lines.intensity / lorentz_polarisation_ratio(lines.q, self.wavelength)
        width = self.target.fwhm * widening(angles, self.target.growth)
        drawn = render_each(pattern.two_theta, angles, area, width)
        net = pattern.intensity - self.under
        return max(float(drawn @ net), 1e-12) / max(float(drawn @ drawn), 1e-30)

    def lines_met(self, state: State) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return `assigned` for the phases of a state, in the unit of the found lines."""
        fit, target = state.fit, self.target
        return assigned(
            self.answer.lines,
            self.sticks(state.rows),
            fit.parameters,
            fit.scale / self.unit,
            self.wavelength,
            target.fwhm,
            target.growth,
        )

    def left(self, state: State) -> Lines:
        """Return the lines that the phases of a state leave."""
        return left_over(self.answer.lines, self.lines_met(state)[0], self.wavelength)

    def fitted(self, rows: Sequence[int], start: NDArray[np.float64]) -> State:
        """Fit entries together, beginning with their parameters (P, 9)."""
        return State(tuple(rows), fit_jointly(self.target, self.sticks(rows), start))

    def in_place(self, state: State, place: int, rows: NDArray[np.int64], keep: int) -> list[State]:
        """Return states with the best of entries `rows` in the place of one phase."""
        rest = [n for n in range(len(state.rows)) if n != place]
        base = self.fitted([state.rows[n] for n in rest], state.fit.parameters[rest]) if rest else None
        best, fit = self._screened(rows, base, keep)
        made = []
        for n, row in enumerate(best.tolist()):
            start, entries = state.fit.parameters.copy(), list(state.rows)
            start[place], entries[place] = fit.parameters[n], row
            made.append(self.fitted(entries, start))
        return made

    def _seeds(self) -> list[State]:
        """Return the best single phases, of different structures."""
        known = [hit.row for hit in self.answer.hits if hit.parameters]
        more = self.scout.candidates(self.answer.lines, self.wavelength, CANDIDATES, self.allowed, known)
        rows, fit = self._screened(np.array([*known, *more.tolist()], np.int64), None, SEEDS)
        first = self._first()
        starts = zip(rows.tolist(), fit.parameters, strict=True)
        return [first, *(self.fitted([row], start[None]) for row, start in starts if row not in first.rows)]

    def _first(self) -> State:
        """Return the first hit alone."""
        hit = self.answer.hits[0]
        return self.fitted([hit.row], np.array([hit.parameters]))

    def _grown(self, beam: Iterable[State]) -> list[State]:
        """Return states with one phase more, the best first."""
        pool: dict[frozenset[int], State] = {}
        group = self.index.entries.group
        for state in beam:
            for one in self._beside(state):
                pool.setdefault(frozenset(group[list(one.rows)].tolist()), one)
        return sorted(pool.values(), key=_cost)

    def _beside(self, state: State) -> list[State]:
        """Return the best states with one more phase beside those of a state, which looks like none of them."""
        rows = self._candidates(state)
        if not len(rows):
            return []
        best, fit = self._screened(rows, state, STAGES[-1][2])
        alike = likeness(self.index, state.rows, best).max(axis=0, initial=0)
        return [
            self.fitted([*state.rows, row], np.concatenate([state.fit.parameters, fit.parameters[n : n + 1]]))
            for n, row in enumerate(best.tolist())
            if alike[n] < ALIKE
        ]

    def _candidates(self, state: State) -> NDArray[np.int64]:
        """Return entries that may be in the sample besides the phases of a state.

        They resemble the found lines left over, those that stand out of the difference of the profiles, or all lines.
        """
        known = [
            self.scout.candidates(lines, self.wavelength, CANDIDATES, self.allowed, state.rows)
            for lines in (self.left(state), self._standing_out(state))
        ]
        rows = np.concatenate([*known, self._everywhere])
        first = np.sort(np.unique(rows, return_index=True)[1])
        return rows[first][~np.isin(rows[first], state.rows)]

    def _standing_out(self, state: State) -> Lines:
        """Return the lines of what the phases of a state leave of the profile."""
        pattern, target = self.answer.pattern, self.target
        drawn = np.zeros(len(pattern))
        sticks, fit = self.sticks(state.rows), state.fit
        centres = line_positions(sticks, fit.parameters, self.wavelength)[0]
        for phase in range(len(state.rows)):
            width = target.fwhm * np.exp(fit.parameters[phase, 7]) * widening(centres[phase], target.growth)
            share = float(np.clip(0.5 + fit.parameters[phase, 8], 0, 1))
            area = sticks.area[phase] * fit.scale[phase]
            drawn += render_each(pattern.two_theta, centres[phase], area, width, share)
        rest = np.clip(pattern.intensity - np.where(drawn > 0, drawn, 0), 0, None)
        if rest.max() <= rest.min():
            return self.left(state)
        pattern_left = replace(pattern, intensity=rest)
        return find_lines(pattern_left, under=self.under)

    def _screened(self, rows: NDArray[np.int64], state: State | None, keep: int) -> tuple[NDArray[np.int64], Fit]:
        """Return the `keep` best of entries, each fitted beside the phases of a state, of different structures."""
        beside = None if state is None else Beside(self.sticks(state.rows), state.fit.parameters)
        sticks, fit = Sticks.of(self.index.lines, rows, self.wavelength, self.q_max), Fit.start(len(rows))
        for blur, steps, most in STAGES:
            start = fit
            degrees = in_degrees(blur, self.wavelength)
            fit = refine(self.target, sticks, degrees, steps, start, second=self.second, beside=beside)
            order = np.argsort(fit.chi_square, kind="stable")
            groups = self.index.entries.group[rows[order]]
            order = order[np.sort(np.unique(groups, return_index=True)[1])][: max(keep, most)]
            rows, fit, sticks = rows[order], fit.take(order), sticks.take(order)
        return rows[:keep], fit.take(np.arange(min(keep, len(rows))))

    def _rivals_of_first(self, best: State, seeds: Sequence[State]) -> NDArray[np.float64]:
        """Return (1,) the lowest χ² of single phases that do not look like the best one."""
        if len(seeds) == 1:
            rival = self.answer.rival
            return np.array([np.inf if rival is None or rival.chi_square is None else rival.chi_square])
        alike = likeness(self.index, best.rows, [seed.rows[0] for seed in seeds])[0]
        others = [seed.fit.chi_square for seed, like in zip(seeds, alike, strict=True) if like < ALIKE]
        return np.array([min(others, default=np.inf)])

    def _exchanged(self, state: State) -> tuple[State, NDArray[np.float64]]:
        """Try others in the place of each phase; return the best state and the χ² of the best rival of each phase."""
        rivals = np.full(len(state.rows), np.inf)
        for place in range(len(state.rows)):
            rest = [n for n in range(len(state.rows)) if n != place]
            others = self._others(state, rest)
            for other in others:
                alike = likeness(self.index, [state.rows[place]], [other.rows[-1]])[0, 0]
                if other.fit.chi_square < state.fit.chi_square:
                    rivals[place] = state.fit.chi_square if alike < ALIKE else np.inf
                    order = np.argsort([*rest, place])
                    state = self.fitted([other.rows[n] for n in order], other.fit.parameters[order])
                elif alike < ALIKE:
                    rivals[place] = min(rivals[place], other.fit.chi_square)
        return state, np.maximum(rivals, state.fit.chi_square)

    def _others(self, state: State, rest: list[int]) -> list[State]:
        """Return the best states that keep the phases `rest` of a state and have another one in place of the last."""
        present = self.index.entries.group[list(state.rows)]
        base = self.fitted([state.rows[n] for n in rest], state.fit.parameters[rest])
        return [one for one in self._beside(base) if self.index.entries.group[one.rows[-1]] not in present]


def _cost(state: State) -> float:
    return state.fit.chi_square
