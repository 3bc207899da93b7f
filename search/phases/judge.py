"""The verdict where a pattern may hold several phases: match, match and more, or no match."""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer, Phase
from search.filters import Filter
from search.phases.alike import settled
from search.phases.calibration import PhaseCurves, shipped_curves
from search.phases.cells import kin_of
from search.phases.evidence import features, shares
from search.phases.find import Finder, Found
from search.phases.scout import Scout
from search.phases.shares import weight_shares
from search.states import StateJudge
from search.verdict import Verdict
from xtal.patterns import two_theta_from_q
from xtal.physics.fit import Fit

if TYPE_CHECKING:
    from search.engine import Engine

FEW = 1  # line unexplained that is no reason to look further after a match
MISFIT = 1.2  # χ² per point from which a match is looked at again all the same: one sample of one phase in eight
QUOTED = 3  # lines named in a sentence
KIN = "the strongest peaks that {} leaves stand where its own cell has reflections: a cell like its, with other atoms"
CERTAIN = 0.97  # of a phase beside others that are not sure: so certain were 3 right ones and no wrong one, see docs


class PhaseJudge:
    """Looks for further phases in the answers of one engine; safe to use from several threads."""

    def __init__(self, engine: "Engine") -> None:
        self._engine, self._states = engine, StateJudge(engine)

    @cached_property
    def _curves(self) -> PhaseCurves | None:
        return shipped_curves(self._engine.embedder)

    @cached_property
    def _scout(self) -> Scout:
        return Scout(self._engine)

    def examined(self, answer: Answer, verdict: Verdict, passing: Filter | None = None) -> Verdict:
        """Return the verdict after a look at what the first hit leaves.

        A match of one phase stays as it is unless a further phase is found. Where no single phase is a match, those
        that are sure enough are named, and what they leave is listed. Where none is, a framework in another pore state
        is looked for.

        Args:
            answer: of the search.
            verdict: on its first hit.
            passing: the search's filter; None lets all pass.
        """
        return self._states.examined(answer, self._with_phases(answer, verdict, passing), passing)

    def _with_phases(self, answer: Answer, verdict: Verdict, passing: Filter | None) -> Verdict:
        """Return the verdict after a look at further phases."""
        if not in_doubt(answer, verdict) or self._curves is None:
            return verdict
        allowed = None if passing is None else passing.rows(self._engine.index.entries)
        finder = Finder(self._engine, self._scout, answer, allowed)
        chosen = self._chosen(finder, self._curves, verdict.kind == "match")
        if chosen is None or (len(chosen[0].state.rows) == 1 and verdict.kind == "match"):
            return verdict
        found, probability = chosen
        kin = None if verdict.kind == "match" else kin_of(finder, found)
        if kin is not None:
            return replace(verdict, reasons=(*verdict.reasons, KIN.format(self._engine.index.entries.ids[kin])))
        phases, left = self._described(finder, found, probability)
        if len(phases) == 1 and not left:
            return verdict  # there is nothing more, and alone it was no match
        return Verdict("match_and_more", phases[0].probability, _reasons(phases, left, answer), None, phases, left)

    @staticmethod
    def _chosen(finder: Finder, curves: PhaseCurves, sure: bool) -> tuple[Found, NDArray[np.float64]] | None:
        """Return the largest set of phases each of which is sure enough, with their probabilities.

        Where none is, those of the largest set that are nearly certain beside whatever took the rest: what is in no
        index hides them from a look at them alone.
        """
        chosen = last = None
        for found in finder.levels(sure):
            last = found, curves.probabilities(features(finder, found))
            if curves.sure(last[1]):
                chosen = last
        return chosen or (None if sure or last is None else _certain(finder, *last))

    def _described(
        self, finder: Finder, found: Found, probability: NDArray[np.float64]
    ) -> tuple[tuple[Phase, ...], tuple[float, ...]]:
        """Return the phases, that with the most intensity first, and the lines (degrees 2θ) that none explains."""
        state, alike = settled(finder, found.state)
        found = replace(found, state=state)
        fit, ids = state.fit, self._engine.index.entries.ids
        share, _ = shares(finder, found)
        weight = weight_shares(finder.index, state.rows, fit.scale, finder.q_max, finder.wavelength)
        angles = two_theta_from_q(finder.answer.lines.q, finder.wavelength)
        phases = []
        for rank, place in enumerate(np.argsort(-share.intensity, kind="stable"), 1):
            one = Fit(
                fit.parameters[place : place + 1],
                np.array([fit.chi_square]),
                np.array([fit.explained]),
                fit.scale[place : place + 1],
                np.array([finder.second]),
                np.array([finder.target.growth]),
            )
            phases.append(
                Phase(
                    self._engine.describe(rank, state.rows[place], 0.0, one, finder.target.fwhm),
                    float(probability[place]),
                    float(weight[place]),
                    float(share.intensity[place]),
                    float(fit.scale[place]),
                    tuple(str(ids[row]) for row in alike[place]),
                    tuple(angles[share.own[place]].tolist()),
                )
            )
        order = np.argsort(-finder.answer.lines.intensity[share.unexplained], kind="stable")
        return tuple(phases), tuple(angles[share.unexplained][order].tolist())


def _certain(
    finder: Finder, found: Found, probability: NDArray[np.float64]
) -> tuple[Found, NDArray[np.float64]] | None:
    """Return the phases of a set that are nearly certain, fitted without the others; None where none is."""
    kept = np.flatnonzero(probability >= CERTAIN)
    if len(probability) == 1 or not len(kept):
        return None
    state = finder.fitted([found.state.rows[n] for n in kept], found.state.fit.parameters[kept])
    return Found(state, found.rivals[kept]), probability[kept]


def in_doubt(answer: Answer, verdict: Verdict) -> bool:
    """Whether there may be more in a sample than the first hit."""
    if not answer.hits or answer.hits[0].chi_square is None or not len(answer.lines):
        return False
    if verdict.kind == "miss" or len(verdict.unexplained) > FEW:
        return True
    return answer.hits[0].chi_square > MISFIT * max(answer.points, 1)


def _reasons(phases: tuple[Phase, ...], left: tuple[float, ...], answer: Answer) -> tuple[str, ...]:
    """Say in short sentences what explains the pattern and what is left."""
    said = []
    for phase in phases:
        lines = f"{_peaks(len(phase.lines), len(answer.lines))} mostly its own" if phase.lines else "no peak is its own"
        named = f" (or {', '.join(phase.alike)}, which have the same peaks)" if phase.alike else ""
        share = f", about {phase.share:.0%} by weight" if len(phases) > 1 else ""
        said.append(f"{phase.hit.id}{named}: {phase.intensity:.0%} of the calculated intensity{share}; {lines}")
    if len(phases) > 1:
        said.append("the shares are estimates from the fitted scales, of the named crystalline phases only")
    if left:
        angles = ", ".join(f"{angle:.2f}°" for angle in left[:QUOTED])
        which = "at" if len(left) <= QUOTED else "the strongest at"
        said.append(f"{_peaks(len(left), len(answer.lines))} explained by none of them, {which} 2θ = {angles}")
    return tuple(said)


def _peaks(count: int, every: int) -> str:
    return f"{count} of {every} peaks {'is' if count == 1 else 'are'}"
