"""What a chemist would know of a framework, and questions that tell no more."""

from pathlib import Path

import pytest

import models
from generate.benchmark import Choice, draw
from generate.benchmark.knowing import known_of
from generate.knowledge import linker_kinds
from xtal.crystals import CrystalTable
from xtal.crystals.parts import cut, graph_of
from xtal.errors import UserError

FAMILIES = Path(__file__).parents[2] / "data" / "core_mof_families.npz"
PACKED = f"packed:{FAMILIES}"


TOLD = [crystal for crystal in CrystalTable.load(FAMILIES) if known_of(crystal)]


@pytest.mark.parametrize("crystal", TOLD, ids=lambda c: c.name)
def test_linkers_that_are_told_are_in_the_framework(crystal):
    known = known_of(crystal)
    held = {graph_of(piece.part.key) for piece in cut(crystal).pieces}
    for text in known.linkers:
        assert held & {graph_of(kind.key) for kind in linker_kinds(text)}
    assert set(known.metals) <= set(crystal.composition)


def test_some_frameworks_have_linkers_that_can_be_told():
    assert len(TOLD) > 10
    assert {len(known_of(crystal).linkers) for crystal in TOLD} <= {1, 2}


def test_questions_without_formula_come_with_linkers():
    embedder = models.load()
    material = draw(Choice(PACKED, "all", 4, (1, 100), given="linkers"), embedder)
    assert [question.known for question in material.questions] == [known_of(q.truth) for q in material.questions]
    assert all(question.known for question in material.questions)
    assert draw(Choice(PACKED, "all", 4, (1, 100)), embedder).questions[0].known is None


def test_both_and_the_composition_are_given_as_asked():
    embedder = models.load()
    for given, told in (("both", True), ("composition", False)):
        questions = draw(Choice(PACKED, "all", 2, (1, 100), given=given), embedder).questions
        assert [(q.given, q.known is not None) for q in questions] == [(given, told)] * 2


def test_nothing_is_asked_where_no_linker_can_be_told(tmp_path):
    crystals = [c for c in CrystalTable.load(FAMILIES) if known_of(c) is None]
    CrystalTable.from_crystals(crystals).save(tmp_path / "none.npz")
    with pytest.raises(UserError, match="SMILES leads back to"):
        draw(Choice(f"packed:{tmp_path / 'none.npz'}", "all", 4, (1, 400), given="linkers"), models.load())
