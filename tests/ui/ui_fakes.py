"""An engine that answers at once, for tests of what the page does with answers."""

from dataclasses import replace

import numpy as np

from search.answer import Answer, Hit, Overlay, Timings
from ui.inputs import Loaded, Source
from ui.library import Library
from xtal.crystal import Crystal
from xtal.errors import UserError
from xtal.linefinder import find_lines
from xtal.pattern import Pattern

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
    )
    return replace(made, **changes)


def overlay(two_theta, measured) -> Overlay:
    background = np.full(len(two_theta), 100.0)
    calculated = np.maximum(background, 0.9 * measured)
    return Overlay(two_theta, measured, calculated, background, measured - calculated, np.array([31.7, 45.4, np.nan]))


class FakeEngine:
    """Knows one structure by several names."""

    def __init__(self):
        self.hits = (hit(1), hit(2, "halite/b"))
        self.asked = []

    def __len__(self):
        return 1234

    def query(self, patterns, k=10, elements=None, formula=None):
        self.asked.append((k, elements, formula))
        if formula == "Xe":
            raise UserError("no structure has xenon")
        return [Answer(p, find_lines(p), self.hits, Timings(lines=0.010, search=0.020, rerank=0.012)) for p in patterns]

    def crystal(self, _identifier):
        return SALT

    def overlay(self, measured, _chosen):
        return overlay(measured.two_theta, measured.intensity)


def library(engine: FakeEngine | None) -> Library:
    made = Library("salts")
    made.engine = engine
    return made
