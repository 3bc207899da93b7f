"""An engine that answers at once, for tests of what the page does with answers."""

import threading
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np

from generate.candidate import Candidate
from generate.preview import CANCELLED, Cancelled, Preview, Turn
from generate.run import Generation
from indexer.storage.entries import EntryTable
from search.answer import Answer, Hit, Overlay, Part, Phase, Timings
from search.cache import Cache, Origin
from search.solution import Solution
from search.solve import Solver
from search.verdict import Verdict
from ui.inputs import Loaded, Source
from ui.library import Library
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.linefinder import find_lines
from xtal.physics import LineTable, crystal_lines

SALT = Crystal(
    np.eye(3) * 5.64,
    [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
    [11] * 4 + [17] * 4,
    name="halite",
)


def pattern(source: str = "salt.xy") -> Pattern:
    """Two peaks of 900 and 400 counts on a background of 100."""
    two_theta = np.arange(20, 50, 0.02)
    peaks = 900 * np.exp(-(((two_theta - 31.7) / 0.1) ** 2)) + 400 * np.exp(-(((two_theta - 45.4) / 0.1) ** 2))
    return Pattern(two_theta, np.random.default_rng(0).poisson(100 + peaks), 1.5406, source=source)


def loaded(notice: str = "") -> Loaded:
    return Loaded(pattern(), Source("salt.xy", "salt.xy"), "from the file", notice)


def hit(rank: int = 1, identifier: str = "halite", **changes) -> Hit:
    made = Hit(
        rank,
        identifier,
        name=identifier,
        formula="ClNa",
        similarity=0.9,
        fit=0.8,
        group=3,
        group_size=2,
        n_atoms=8,
        scale=1.001,
        zero_shift=-0.02,
        width=0.1,
        row=rank - 1,
        parameters=(0.0,) * 9,
        chi_square=100.0,
    )
    return replace(made, **changes)


def overlay(two_theta, measured) -> Overlay:
    background = np.full(len(two_theta), 100.0)
    calculated = np.maximum(background, 0.9 * measured)
    return Overlay(two_theta, measured, calculated, background, measured - calculated, np.array([31.7, 45.4, np.nan]))


class FakeEngine:
    """Knows one structure by several names; nothing is known of mixtures."""

    embedder = SimpleNamespace(name="none", model_id="")

    def __init__(self):
        self.hits = (hit(1), hit(2, "halite/b"))
        self.asked = []
        self.index = SimpleNamespace(
            manifest=SimpleNamespace(name="salts"),
            lines=LineTable.stack([crystal_lines(SALT)] * 2),
            entries=EntryTable.describe(["halite", "halite/b"], [SALT] * 2),
        )

    def __len__(self):
        return 1234

    def query(self, patterns, k=10, elements=None, formula=None, required=frozenset(), lines=None):
        self.asked.append((k, elements, formula, required))
        if formula == "Xe" or elements == {"Xe"}:
            raise UserError("no structure has xenon")
        given = [None] * len(patterns) if lines is None else lines
        timings = Timings(lines=0.010, search=0.020, rerank=0.012)
        return [
            Answer(p, find_lines(p) if one is None else one, self.hits, timings, edited=one is not None)
            for p, one in zip(patterns, given, strict=True)
        ]

    def crystal(self, _identifier):
        return SALT

    def overlay(self, measured, _chosen):
        return overlay(measured.two_theta, measured.intensity)

    def stacked(self, measured, hits):
        drawn = overlay(measured.two_theta, measured.intensity)
        shares = np.linspace(0.7, 0.3, len(hits))
        net = drawn.calculated - drawn.background
        return replace(drawn, parts=tuple(Part(h.id, s * net, drawn.ticks) for h, s in zip(hits, shares, strict=True)))


class FakeJudge:
    """Calls every answer a match, a mixture of two, or a miss."""

    calibration = SimpleNamespace(decisive=0.9)

    def __init__(self, kind: str = "match"):
        self.kind = kind

    def verdict(self, _answer):
        if self.kind == "match_and_more":
            phases = (Phase(hit(1), 0.97, 0.8, 0.7, 5.0, ("villiaumite",)), Phase(hit(2, "<ice>"), 0.91, 0.2, 0.3, 2.0))
            return Verdict("match_and_more", 0.97, ("<ice>: 30% of it",), None, phases, (45.4,))
        if self.kind == "match":
            return Verdict("match", 0.97, ("it explains all 2 lines <found>", "it fits 90%"), 0.42)
        return Verdict("miss", 0.12, ("it explains nothing",), 0.05, unexplained=(31.7, 45.4))


def candidate(rank: int = 1, **changes) -> Candidate:
    made = Candidate(
        rank,
        replace(SALT, name=f"generated-{rank}"),
        similarity=0.7 / rank,
        fit=0.6 / rank,
        chi_square=12.0,
        agreement=0.5 / rank,
        closest=0.8 if rank > 1 else 1.1,
        start="noise" if rank > 1 else "<halite>",
        seed=0,
        number=rank - 1,
        model_id="ab" * 32,
        zero_shift=0.01,
        width=0.2,
    )
    return replace(made, **changes)


class FakeSolver(Solver):
    """The real one, but for what it asks of the models: every step of its generation waits for `go`."""

    origin = Origin("embedder", "denoiser", "salts", "build-1")
    describer = None  # nothing is told of entries

    def __init__(self, engine: FakeEngine, kind: str = "match", cache: Cache | None = None, formulas=("ClNa",)):
        super().__init__(engine, FakeJudge(kind), cache)
        self.steps, self.formulas, self.go = 3, formulas, threading.Event()
        self.go.set()

    def _generation(self, _answer, options, hear):
        count = len(self.formulas)
        turns = [Turn(n, count, f, (n - 1) / count, n / count) for n, f in enumerate(self.formulas, 1)]
        for turn, step in product(turns, range(1, self.steps + 1)):
            try:
                hear(Preview(step, self.steps, lambda: [SALT], turn))
            except Cancelled:
                if turn.number == 1:
                    raise
                return Generation([candidate()], ["Cl4Na4"], [CANCELLED], cancelled=True)
            assert self.go.wait(30)
        made = [candidate(rank) for rank in range(1, options.request.count + 1)]
        return Generation(made, ["Cl4Na4"], ["no formula was given"])


def solution(kind: str = "match", **changes) -> Solution:
    answer = FakeEngine().query([pattern()])[0]
    made = Solution("0123456789abcdef" * 4, answer, FakeJudge(kind).verdict(answer))
    return replace(made, **changes)


def library(engine: FakeEngine | None, kind: str = "match", cache: Cache | None = None) -> Library:
    made = Library("salts")
    made.solver = None if engine is None else FakeSolver(engine, kind, cache)
    return made
