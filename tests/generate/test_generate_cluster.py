"""Generation on a Dask cluster: the same seed gives the same crystals as on this machine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from generate.benchmark import Asking, Choice, Sent, draw, parts_of
from generate.benchmark.asking import answered
from generate.engine import CandidateGenerator
from generate.request import Request
from generate.run import CODE
from generate.solving.solver import Contents, Guess, solve
from indexer.crew import HERE, Crew, Elsewhere, Nothing, hired
from xtal.errors import UserError

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as running:
        yield Elsewhere(running.scheduler_address)


def test_ways_to_fill_a_cell_are_searched_by_workers(cluster, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent / "solving")
    from solving_helpers import FAMILIES, alone, clean_sample, needs_of, symmetric, usual_chemistry

    crystal, heard = FAMILIES[4], []
    guesses = [Guess(symmetric(crystal), 0.0, "its group"), Guess(alone(crystal.lattice), -1.0, "P1")]

    def solved(crew, hear=lambda *_: None):
        contents = Contents(needs_of(crystal), 0.0, "its parts")
        fillings = [(guess, contents) for guess in guesses]
        given = (clean_sample(crystal), fillings, usual_chemistry(), 2.0, np.random.default_rng(1))
        return solve(*given, hear=hear, crew=crew)

    with hired(cluster, None, Nothing, ("generate",)) as crew:
        there = solved(crew, lambda share, best: heard.append((share, best)))
    here = solved(HERE)
    assert len(here) == len(there) > 1
    for one, other in zip(here, there, strict=True):
        assert (one.cost, one.words) == (other.cost, other.words)
        np.testing.assert_allclose(one.crystal.frac_coords, other.crystal.frac_coords, atol=1e-12)
    assert heard[-1][0] == pytest.approx(1)
    assert heard[-1][1].crystal.formula == crystal.formula


def test_questions_of_a_benchmark_are_answered_by_workers(cluster):
    """With the known crystals and the parts of this machine, sent to them, and the models of their own."""
    generator = CandidateGenerator.open()
    material = draw(Choice(f"packed:{DATA / 'core_mof_families.npz'}", limit=1, atoms=(1, 60)), generator.embedder)
    few = replace(material, gallery=material.gallery.of_formula(material.gallery.formulas[0]))
    asking = Asking(generator, few, parts_of(few.gallery, lambda *_: None), Request(2, 2, seconds=1))
    with hired(cluster, asking, lambda: Sent.of(asking, None), CODE) as crew:
        (there,) = crew.map(answered, [0])
    (here,) = Crew(asking).map(answered, [0])
    assert len(here.candidates) == 2
    for name in ("candidates", "built", "templates"):
        assert list(map(told, getattr(there, name))) == list(map(told, getattr(here, name)))


def told(candidate):
    crystal, others = candidate.crystal, {name: value for name, value in vars(candidate).items() if name != "crystal"}
    return others, crystal.lattice.tobytes(), crystal.frac_coords.tobytes()


def test_another_model_than_that_of_this_machine_is_refused():
    with pytest.raises(UserError, match="a worker of the cluster has another model"):
        Sent(None, None, Request(), None, "0" * 64).made()
