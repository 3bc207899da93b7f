"""Metals and linkers that somebody named decide what is generated."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner
from ui_fakes import candidate

from generate.__main__ import app
from generate.benchmark.matching import rmse
from generate.console import knowledge
from generate.engine import CandidateGenerator
from generate.guessing import indexed_cells, likely_cells
from generate.guessing.linkers import SEARCHING
from generate.knowledge.learning import Recipes
from generate.preview import Cancelled
from generate.request import Request
from generate.run import GUESSES, INDEXING, generate_with, known_cells
from search.cache import solution_key
from search.options import Options
from xtal.crystals import CrystalTable
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

HYDROXIDE = CrystalTable.load(Path(__file__).parents[1] / "data" / "core_mof_families.npz")[6]
BDC = Request(count=6, metals=("Zn",), linkers=("BDC",), seconds=0)


@pytest.fixture(autouse=True)
def no_pattern(monkeypatch):
    """Nothing is indexed: there is no pattern here."""
    monkeypatch.setattr("generate.run.indexed_cells", lambda _sample: [])


def generated(request, formula="", elements=None):
    """Contents that a generator is asked for, and the notes."""
    asked = []

    def generate(_sample, numbers, *_):
        asked.append(np.array(numbers))
        return []

    found = generate_with(SimpleNamespace(generate=generate), None, None, formula, 1, request, elements=elements)
    return asked, found.notes


def test_linkers_give_the_contents_and_the_notes_say_so():
    asked, notes = generated(BDC)
    assert len(asked) == GUESSES
    assert all(30 in numbers and 6 in numbers for numbers in asked)
    assert len({tuple(numbers) for numbers in asked}) == GUESSES
    assert "no formula was given" in notes[0]
    assert "(BDC)" in notes[0]


def test_without_a_formula_the_likely_cells_are_filled(monkeypatch):
    """Nothing but metal and linker is told; the framework comes first, with its hydroxide."""
    monkeypatch.setattr("generate.run.indexed_cells", indexed_cells)
    heard = []
    request = Request(count=6, metals=("Cr",), linkers=("BDC",), seconds=12)
    sample = Sample.of(simulate_all([HYDROXIDE], 0.0, 0)[0])
    found = generate_with(CandidateGenerator.open(), None, sample, "", 1, request, heard.append)
    assert [c.rank for c in found.candidates] == list(range(1, len(found.candidates) + 1))
    assert (rmse(found.candidates[0].crystal, HYDROXIDE) or 1.0) < 0.2
    assert "in the likeliest cell" in found.notes[0]
    assert max(c.beforehand for c in found.candidates) < 0
    shares = [preview.share for preview in heard]
    assert np.diff(shares).min() > -1e-9
    assert {preview.what for preview in heard} >= {INDEXING, SEARCHING}


def test_cells_hold_only_elements_that_are_there():
    cell = SimpleNamespace(volume=1100.0, probability=0.9)
    cells = likely_cells([cell, cell, SimpleNamespace(volume=1100.0, probability=0.001)], BDC)
    assert len(cells) == 2
    numbers = [
        z for c in likely_cells([cell], BDC, frozenset({"Zn", "C", "H", "O"})) for h in c.contents for z in h.numbers
    ]
    assert set(numbers) == {1, 6, 8, 30}
    assert likely_cells([cell], BDC, frozenset({"Zn", "C"})) == []


def test_what_was_generated_before_it_was_cancelled_is_kept():
    made = iter([[candidate()]])

    def generate(*_):
        for batch in made:
            return batch
        raise Cancelled("time is up")

    generator = SimpleNamespace(generate=generate)
    heard: list[str] = []
    found = generate_with(generator, None, None, "", 1, BDC, lambda preview: heard.append(preview.what))
    assert heard == [INDEXING]  # it takes long, and comes before the first formula
    assert [each.rank for each in found.candidates] == [1]
    assert found.cancelled
    assert found.notes[-1] == "time is up after 1 of 3 formulas; what was generated until then is kept"
    with pytest.raises(Cancelled, match="time is up"):  # before the first is done
        generate_with(generator, None, None, "", 1, BDC)


def test_a_formula_goes_before_them():
    asked, notes = generated(BDC, "Zn4O13C24H12")
    assert [len(numbers) for numbers in asked] == [53]
    assert notes == []


def test_elements_that_are_not_allowed_are_left_out():
    cells = known_cells(Request(metals=("Zn",), linkers=("BDC", "bipy")), frozenset({"Zn", "C", "H", "N", "O"}))
    assert {z for cell in cells for z in cell.numbers.tolist()} <= {1, 6, 7, 8, 30}
    with pytest.raises(UserError, match="no cell of at most"):
        known_cells(BDC, frozenset({"Zn", "C"}))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"metals": ("Zn",)}, "one to three linkers with the metals, got 0"),
        ({"linkers": ("BDC",)}, "one or two metals with the linkers, got 0"),
        ({"guests": ("DMF",)}, "one or two metals"),
        ({"metals": ("Zn",), "linkers": ("terphthalic acid",)}, "nearest names are terephthalic acid"),
        ({"metals": ("Zn",), "linkers": ("/etc/hosts.mol",)}, "no known name of a linker"),
        ({"metals": ("Zn",), "linkers": ("BDC",), "guests": ("quux1",)}, "no known name of a guest"),
        ({"metals": ("Zn",), "linkers": ("BDC",), "guests": ("DMF",) * 4}, "at most 3 guests"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_slow(known, words):
    with pytest.raises(UserError, match=words):
        Request(**known)


def test_another_linker_is_another_question():
    pattern = Pattern(np.linspace(5, 50, 100), np.arange(100.0), 1.54)
    keys = {
        solution_key(pattern, Options(request=request), [], "")
        for request in (Request(), BDC, Request(metals=("Zn",), linkers=("NDC",)), Request(count=6))
    }
    assert len(keys) == 4


def test_a_linker_in_a_file_becomes_a_smiles(tmp_path):
    from rdkit import Chem

    path = tmp_path / "linker.mol"
    path.write_text(Chem.MolToMolBlock(Chem.MolFromSmiles("OC(=O)c1ccc(cc1)C(=O)O")))
    assert knowledge(["Zn"], [str(path), "BTC"], None)["linkers"] == ("O=C([O-])c1ccc(C(=O)[O-])cc1", "BTC")


def test_the_command_line_refuses_unknown_linkers(tmp_path):
    done = CliRunner().invoke(app, ["run", str(tmp_path / "none.xy"), "--metal", "Zn", "--linker", "terphthalic acid"])
    assert done.exit_code == 2
    assert "nearest names are terephthalic acid" in done.stderr


def test_contents_are_listed():
    done = CliRunner().invoke(
        app, ["knowledge", "contents", "--metal", "Zn", "--linker", "BDC", "--volume", "4277", "-n", "3", "--json"]
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert len(rows) == 3
    assert (rows[0]["words"], rows[0]["formula"], rows[0]["atoms"]) == ("Zn4O(BDC)3, Z = 2", "C48H24O26Zn8", 106)


def test_recipes_are_learnt_from_a_source(tmp_path):
    source = Path(__file__).parents[1] / "data" / "core_mof_families.npz"
    out = tmp_path / "recipes.tsv.gz"
    done = CliRunner().invoke(app, ["knowledge", "learn", "--source", f"packed:{source}", "--out", str(out)])
    assert done.exit_code == 0, done.output
    recipes = Recipes.load(out).recipes
    assert f"wrote {len(recipes)} recipes" in done.stdout
    assert {"cx2"} <= {word for recipe in recipes for word in recipe.words}
