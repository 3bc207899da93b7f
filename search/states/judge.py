"""The verdict where nothing matches as it is: perhaps a known framework with other guests, or in another pore state."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer, Phase
from search.filters import Filter
from search.states.calibration import shipped_curve
from search.states.evidence import features
from search.states.find import Found, Stretched, find_states
from search.verdict import Verdict
from xtal.patterns import two_theta_from_q
from xtal.physics.fit import Fit
from xtal.refinement.voids import is_porous

if TYPE_CHECKING:
    from search.engine import Engine

NOTABLE_LOW = 0.3  # of ln intensity at low angles
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])  # xx, yy, zz, yz, xz, xy


class StateJudge:
    """Looks for a known framework in another state in the answers of one engine; safe to use from several threads."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def examined(self, answer: Answer, verdict: Verdict, passing: Filter | None = None) -> Verdict:
        """Return the verdict after a look at frameworks with other cells and guests; anything but a miss stays.

        Args:
            answer: of the search.
            verdict: on it.
            passing: the search's filter; None lets all pass.
        """
        curve = shipped_curve(self._engine.embedder)
        fitted = bool(answer.hits) and answer.hits[0].chi_square is not None
        if verdict.kind != "miss" or curve is None or not fitted or not len(answer.lines):
            return verdict
        allowed = None if passing is None else passing.rows(self._engine.index.entries)
        found = find_states(self._engine, answer, allowed)
        if found is None or not found.stretched:
            return verdict
        chances = curve.curve.probabilities(features(found, self._engine.index))
        best = int(np.argmax(chances))
        if chances[best] < curve.least or not is_porous(self._engine.index.crystal(found.stretched[best].row)):
            return verdict
        return self._named(found, found.stretched[best], float(chances[best]), verdict)

    def _named(self, found: Found, one: Stretched, probability: float, before: Verdict) -> Verdict:
        near = one.near.met(found.places)
        angles = two_theta_from_q(2 * np.pi * np.sqrt(found.places.q), found.target.wavelength)
        met = near.any(axis=1)
        strongest = np.argsort(-found.places.weight[~met], kind="stable")
        left = tuple(angles[~met][strongest].tolist())
        hit = self._engine.describe(1, one.row, one.similarity, _whole(one, found), found.target.fwhm)
        area = float(one.fit.scale[0])
        phase = Phase(hit, probability, 1.0, 1.0, area, (), tuple(angles[met].tolist()))
        said = tuple(_reasons(found, one, hit.id, int(met.sum()), before))
        return Verdict("other_state", probability, said, None, (phase,), left)


def _whole(one: Stretched, found: Found) -> Fit:
    """Return the fit of a stretched candidate as one of the entry itself: lines go as ``q (1 - n ε n)`` there."""
    parameters = one.fit.parameters.copy()
    strain = np.eye(3) - np.linalg.inv(np.eye(3) + one.strain)
    parameters[0, :6] += strain[VOIGT]
    fit = one.fit
    return Fit(parameters, fit.chi_square, fit.explained, fit.scale, fit.second, np.array([found.target.growth]))


def _reasons(found: Found, one: Stretched, name: str, met: int, before: Verdict) -> Iterator[str]:
    """Yield what speaks for a framework in another state."""
    count = len(found.places.q)
    yield f"{met} of {count} peaks stand where the lattice of {name}, stretched within its symmetry, puts them"
    yield _words_on_cell(one.strain)
    told = one.scrutiny.residual
    if abs(told.low_angles) >= NOTABLE_LOW:
        how = "of the intensity expected beside the other reflections: guests in the pores do that"
        yield f"below 2θ = {told.below:.0f}° it shows {np.exp(told.low_angles):.0%} {how}"
    if told.shown:
        yield f"beyond the low angles its intensities are {told.beyond:.1f} times as wrong as is usual in a sample"
    yield f"as the index has them, no structure matches ({before.headline[0].lower()}{before.headline[1:]})"


def _words_on_cell(strain: NDArray[np.float64]) -> str:
    """Say how far the cell is stretched in the directions of most and least."""
    least, *_, most = 100 * np.linalg.eigvalsh(strain)
    volume = 100 * (np.linalg.det(np.eye(3) + strain) - 1)
    return f"the cell grew by {least:+.1f} to {most:+.1f} % along its directions, {volume:+.1f} % in volume"
