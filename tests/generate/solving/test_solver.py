import time

import gemmi
import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from solving_helpers import FAMILIES, alone, clean_sample, needs_of, symmetric, usual_chemistry, where_it_is

from generate.parts import Kind
from generate.solving.assign import Need, assignments
from generate.solving.problem import Setting
from generate.solving.search import Search
from generate.solving.solver import Contents, Guess, Solved, solve
from generate.solving.starts import named, room
from generate.solving.turns import SLICE, turns
from indexer.crew import HERE
from xtal.crystals import Crystal, to_structure
from xtal.crystals.parts import cut, graph_of

AZOLATE, ROD, FORMATE = FAMILIES[4], FAMILIES[8], FAMILIES[21]


def rmse(found: Crystal, truth: Crystal) -> float:
    """Of the best superposition without hydrogen, which a pattern hardly shows; infinite where there is none."""
    matcher = StructureMatcher(ltol=0.2, stol=0.7, angle_tol=5, primitive_cell=False)
    best = matcher.get_rms_dist(*(to_structure(heavy(crystal)) for crystal in (found, truth)))
    return np.inf if best is None else best[0]


def heavy(crystal: Crystal) -> Crystal:
    kept = crystal.numbers != 1
    return Crystal(crystal.lattice, crystal.frac_coords[kept], crystal.numbers[kept])


def solved(crystal: Crystal, seed: int = 0, seconds: float = 4.0, **more) -> list[Solved]:
    guess = Guess(symmetric(crystal), 0.0, "its group")
    contents = Contents(needs_of(crystal), 0.0, "its parts")
    return solve(
        clean_sample(crystal), [(guess, contents)], usual_chemistry(), seconds, np.random.default_rng(seed), **more
    )


@pytest.mark.parametrize("crystal", [AZOLATE, ROD], ids=lambda c: c.name)
def test_frameworks_are_solved_from_their_parts(crystal):
    best, *others = min((solved(crystal, seed) for seed in range(2)), key=lambda found: found[0].cost)
    assert rmse(best.crystal, crystal) < 0.2  # one search in eight ends elsewhere, and its cost says so
    assert best.crystal.formula == crystal.formula
    assert best.words == "its parts in its group"
    assert best.terms[0] < 0.1
    assert [best.cost, *(o.cost for o in others)] == sorted([best.cost, *(o.cost for o in others)])


def test_a_seed_repeats_a_run():
    one, two, other = solved(AZOLATE, 1, 0.5), solved(AZOLATE, 1, 0.5), solved(AZOLATE, 2, 0.5)
    assert [s.cost for s in one] == [s.cost for s in two]
    np.testing.assert_array_equal(one[0].crystal.frac_coords, two[0].crystal.frac_coords)
    assert [s.cost for s in one] != [s.cost for s in other]


def test_the_number_of_cores_makes_no_difference(monkeypatch):
    monkeypatch.setattr("xtal.settings.cores", lambda: 1)
    alone = solved(AZOLATE, 1, 0.5)
    monkeypatch.setattr("xtal.settings.cores", lambda: 4)
    assert [s.cost for s in solved(AZOLATE, 1, 0.5)] == [s.cost for s in alone]


def test_those_who_listen_hear_shares_and_may_stop_it():
    heard: list[float] = []
    solved(AZOLATE, seconds=0.5, hear=lambda share, best: heard.append(share if best else -1))
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1)

    def stop(_share: float, _best: Solved | None) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        solved(AZOLATE, seconds=0.5, hear=stop)


def test_what_is_nearly_right_is_put_right():
    """Parts pushed out of their places find back, without knowing the parts or the group."""
    problem, pose = where_it_is(FORMATE, clean_sample(FORMATE))
    pose += np.random.default_rng(3).normal(0, 0.15, len(pose))
    pushed = problem.crystal(pose, np.array([rows[0] for rows in problem.at]), "pushed")
    before = rmse(pushed, FORMATE)
    (best, *_) = solve(clean_sample(FORMATE), [], usual_chemistry(), 0.5, np.random.default_rng(0), seeds=[pushed])
    assert best.words == "pushed"
    assert rmse(best.crystal, FORMATE) < 0.12 < before


def test_nothing_to_put_together_gives_nothing():
    assert solve(clean_sample(AZOLATE), [], usual_chemistry(), 1.0, np.random.default_rng(0)) == []


def test_a_search_may_be_left_and_taken_up_again():
    problem, _ = where_it_is(AZOLATE, clean_sample(AZOLATE))
    parts, once = (Search([problem], np.random.default_rng(5)) for _ in range(2))
    once.run(0.6)
    while parts.spent < once.spent:
        parts.run(parts.spent + 1e-6)
    assert parts.cost == once.cost
    assert parts.tried == once.tried


def test_looking_up_in_between_makes_no_difference():
    problem, _ = where_it_is(AZOLATE, clean_sample(AZOLATE))
    parts, once = (Search([problem], np.random.default_rng(5)) for _ in range(2))
    once.run(3 * SLICE)
    turns(HERE, [parts], [3 * SLICE], lambda _: None)
    assert (parts.cost, parts.tried) == (once.cost, once.tried)


def test_parts_fill_the_sites_of_a_group_exactly():
    for crystal in (AZOLATE, ROD, FAMILIES[21]):
        needs, setting = needs_of(crystal), symmetric(crystal)
        ways = assignments(setting, needs)
        assert ways
        for way in ways:
            count = dict.fromkeys((need.shapes[0].key for need in needs), 0)
            for stand in way.stands:
                count[stand.shapes[0].key] += stand.site.multiplicity
            assert count == {need.shapes[0].key: need.count for need in needs}
        assert [w.ln_probability for w in ways] == sorted((w.ln_probability for w in ways), reverse=True)


def test_numbers_that_no_sites_add_up_to_have_no_way():
    setting = symmetric(ROD)
    (need, *_) = (n for n in needs_of(ROD) if len(n.shapes[0]) > 10)
    assert assignments(setting, [Need(need.shapes, 1)]) == []
    assert assignments(alone(ROD.lattice), [Need(need.shapes, 1)])


def test_a_start_says_what_it_was_made_of():
    linker, _, metal = sorted((need.shapes for need in needs_of(ROD)), key=lambda shapes: -len(shapes[0]))
    kinds = (
        Kind(graph_of(metal[0].key), metal, 1, 3, "", "metal"),
        Kind(graph_of(linker[0].key), linker, 1, -2, "OCO", "linker"),
    )
    assert [named(kind) for kind in kinds] == ["Cr", "OCO"]


def test_the_room_of_atoms_holds_real_frameworks():
    for crystal in (AZOLATE, ROD, FORMATE):
        low, high = room(crystal.numbers)
        assert low < crystal.volume < high


def test_cells_without_lines_are_passed_over():
    tiny = Crystal(np.eye(3) * 2.0, [[0, 0, 0]], np.array([24]), name="tiny")
    guess = Guess(alone(tiny.lattice), 0.0, "tiny")
    contents = Contents((Need((cut(tiny).pieces[0].part,), 1),), 0.0, "one atom")
    rng = np.random.default_rng(0)
    assert solve(clean_sample(AZOLATE), [(guess, contents)], usual_chemistry(), 0.5, rng, seeds=[tiny]) == []


def test_many_parts_in_a_group_of_many_sites_are_laid_out_at_once():
    every = [*gemmi.SpaceGroup("F m -3 m").operations().sym_ops]
    rotations = np.array([op.rot for op in every]) // gemmi.Op.DEN
    setting = Setting(np.eye(3) * 20.0, rotations, np.array([op.tran for op in every]) / gemmi.Op.DEN)
    atom = next(need for need in needs_of(ROD) if len(need.shapes[0]) == 1)
    begun = time.process_time()
    for count in (47, 95, 240, 487):
        for way in assignments(setting, [Need(atom.shapes, count)]):
            assert sum(stand.site.multiplicity for stand in way.stands) == count
    assert time.process_time() - begun < 20
