import time
from dataclasses import replace

import numpy as np
import pytest

from search.answer import Phase
from search.frameworks import Framework, all_hits, frameworks
from search.frameworks.chances import later_chances
from search.frameworks.described import Describer, bare_carbons, metals_of, parts_of, setting_of
from search.frameworks.group import _name
from search.verdict import Verdict
from xtal.crystals import Crystal
from xtal.crystals.parts import cut

SALT = Crystal(np.eye(3) * 5.64, [[0, 0, 0], [0.5, 0.5, 0.5]], [11, 17], name="half a salt")


def test_the_first_row_has_the_verdicts_probability_and_rows_fall(answers, engine):
    for answer in answers:
        for probability in (0.003, 0.4, 0.97):
            rows = frameworks(answer, Verdict("miss", probability, ()), Describer(engine.index))
            likely = [row.probability for row in rows]
            assert rows[0].first is answer.hits[0]
            assert likely[0] == probability
            assert likely == sorted(likely, reverse=True)
            assert sum(likely) <= 1
            listed = sorted(hit.rank for row in rows for hit in row.hits)
            assert listed == [hit.rank for hit in answer.hits]


def test_without_the_index_every_hit_stands_by_itself(answers):
    rows = frameworks(answers[0], Verdict("match", 0.9, ()), None)
    assert [row.hits for row in rows] == [(hit,) for hit in answers[0].hits]
    assert {row.name for row in rows} == {""}


def test_phases_have_their_own_probabilities_and_those_beyond_the_hits_are_rows_too(answers):
    first, second, *_ = (hit for hit in answers[0].hits)
    beyond = replace(first, id="beyond", group=10**6)
    phases = (Phase(second, 0.93, 0.7, 0.7, 1.0), Phase(beyond, 0.91, 0.3, 0.3, 1.0))
    verdict = Verdict("match_and_more", 0.93, (), None, phases)
    hits = all_hits(answers[0], verdict)
    assert [hit.rank for hit in hits] == list(range(1, len(answers[0].hits) + 2))
    rows = frameworks(answers[0], verdict, None)
    assert [(row.first.id, row.probability) for row in rows[:2]] == [(second.id, 0.93), ("beyond", 0.91)]
    assert all(row.probability < 0.91 for row in rows[2:])


def test_what_the_first_leaves_is_shared_out():
    assert later_chances(0, 0.5) == []
    assert sum(later_chances(10, 0.2)) < 0.01
    assert later_chances(2, 0.0) == [0.0, 0.0]


def test_an_entry_is_taken_apart_in_little_time(engine):
    describer = Describer(engine.index)
    describer.parts(0)  # loads what names linkers
    begun = time.process_time()
    found = [describer.details(row) for row in range(12)]
    assert time.process_time() - begun < 6
    assert any(one.parts.linkers for one in found)
    for row, one in enumerate(found):
        assert one.entry.id == engine.index.entries.ids[row]
        ratio = np.prod(one.setting.cell[:3]) / engine.index.entries.volume[row]
        assert ratio > 0.9  # the conventional cell is no smaller than the primitive one


def test_doubts_are_told():
    assert parts_of(SALT).doubts == ()
    assert parts_of(replace(SALT, occupancies=np.array([1.0, 0.5]))).doubts == ("1 of its 2 sites are partly occupied",)
    crowded = Crystal(SALT.lattice, [[0, 0, 0], [0.02, 0, 0], [0.5, 0.5, 0.5]], [11, 11, 17])
    assert "1 pairs of its atoms overlap" in parts_of(crowded).doubts[0]


@pytest.mark.parametrize("hydrogens", [0, 4])
def test_missing_hydrogens_are_seen(hydrogens):
    turns = np.exp(1j * np.pi / 3 * np.arange(6))
    ring, outer = 1.39 * turns, 2.48 * turns[:hydrogens]
    atoms = np.concatenate([ring, outer])
    frac = np.column_stack([atoms.real, atoms.imag, np.zeros(len(atoms))]) / 20
    benzene = Crystal(np.eye(3) * 20, frac, [6] * 6 + [1] * hydrogens)
    assert bare_carbons(cut(benzene)) == 6 - hydrogens


def test_space_group_and_cell_are_conventional():
    rock = Crystal([[0, 2.82, 2.82], [2.82, 0, 2.82], [2.82, 2.82, 0]], [[0, 0, 0], [0.5, 0.5, 0.5]], [11, 17])
    setting = setting_of(rock)
    assert setting.space_group == "Fm-3m"
    assert setting.cell == pytest.approx((5.64, 5.64, 5.64, 90, 90, 90))


def test_metals_of_a_formula():
    assert metals_of("C24H14CeO16Zr2") == ("Ce", "Zr")
    assert metals_of("C2H6") == ()


def test_an_entry_without_a_name_is_only_like_one_that_has_it(answers):
    first, second, *_ = answers[0].hits
    row = Framework((first, second), 0.9, "like ZIF-8", ("", "ZIF-8"))
    assert (row.name_of(first), row.name_of(second)) == ("like ZIF-8", "ZIF-8")
    assert _name(["", "ZIF-8"]) == "like ZIF-8"
    assert _name(["UiO-66 (Hf)", "", "UiO-66"]) == "UiO-66"
    assert _name(["MOF-5", "", "IRMOF-3", "MOF-5 (Ni)", "IRMOF-6"]) == "MOF-5, IRMOF-3 or IRMOF-6"
    assert _name(["UiO-66 (Hf)"]) == "UiO-66 (Hf)"
    assert _name([""]) == _name(["", ""]) == ""
