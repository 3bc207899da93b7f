"""What is given with a question is told, and nothing else."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from generate.benchmark.asking import Asking, answered
from generate.benchmark.knowing import known_of
from generate.benchmark.questions import Question
from generate.request import Request
from xtal.crystals import CrystalTable

FAMILIES = CrystalTable.load(Path(__file__).parents[2] / "data" / "core_mof_families.npz")
CRYSTAL = next(c for c in FAMILIES if known_of(c) and c.formula != c.reduced_formula)
KNOWN = known_of(CRYSTAL)


class Told:
    """Stands where a generator does, and notes what it is told."""

    def __init__(self):
        self.heard = []

    def knowing(self, _library):
        return self

    def generate(self, _sample, numbers, request, *_):
        self.heard.append((len(numbers), request.metals, request.linkers))
        return []

    def undiffused(self, *_):
        self.heard.append("what generation begins from")
        return [], []


@pytest.mark.parametrize(
    ("given", "heard"),
    [
        ("formula", [(len(CRYSTAL), (), ()), "what generation begins from"]),
        ("both", [(len(CRYSTAL), KNOWN.metals, KNOWN.linkers)]),
        ("composition", [("with", CRYSTAL.reduced_formula, None, ())]),
        ("linkers", [("with", "", None, KNOWN.linkers)]),
    ],
)
def test_what_is_given_is_told(monkeypatch, given, heard):
    told = Told()

    def generate_with(_generator, _gallery, _sample, formula, units, request):
        told.heard.append(("with", formula, units, request.linkers))
        return SimpleNamespace(candidates=[])

    monkeypatch.setattr("generate.benchmark.asking.generate_with", generate_with)
    question = Question(CRYSTAL, None, given, KNOWN if given in ("linkers", "both") else None)
    nothing = SimpleNamespace(without=lambda _: None)
    material = SimpleNamespace(questions=[question], gallery=nothing)
    answer = answered(Asking(told, material, nothing, Request(count=2)), 0)
    assert told.heard == heard
    assert answer.candidates == []
    assert answer.seconds >= 0
