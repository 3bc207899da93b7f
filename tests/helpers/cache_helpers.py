"""What the tests of the cache share: solutions with every kind of number in them, and whether two are the same."""

from dataclasses import fields, replace

import numpy as np

from generate.candidate import Candidate
from search.cache import Origin, solution_key
from search.solution import Solution
from search.verdict import Verdict

SETTINGS = {"k": 10, "elements": frozenset({"Zn", "O"}), "formula": None}
ORIGIN = Origin("e" * 64, "d" * 64, "coremof2019-asr", "20261123T000000-abc")
MODELS = (ORIGIN.embedder_id, ORIGIN.denoiser_id)


def made_candidates(engine):
    crystals = [replace(engine.index.crystal(row), name=f"generated-{row + 1}") for row in range(3)]
    return tuple(
        Candidate(i, crystal, 0.9 - i / 7, 0.8 - i / 7, np.inf, 0.7, 1.01, "noise", 2**40, i, "d" * 64, 0.01, 0.12)
        for i, crystal in enumerate(crystals, 1)
    )


def solution(answer, candidates=()):
    verdict = Verdict("miss" if candidates else "match", 0.123456789, ("fits: 0.9", "lines β unexplained"))
    key = solution_key(answer.pattern, SETTINGS, MODELS, ORIGIN.build_id)
    return Solution(key, answer, verdict, candidates, ("tried C8H4O5Zn",), 1.25)


def same_arrays(ours, theirs, names):
    for name in names:
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert (mine is None) == (other is None)
        assert mine is None or (mine.dtype == other.dtype and mine.tobytes() == other.tobytes())


def same(found, stored):
    """Every field of every object is as it was; coordinates to 1e-7 of the cell."""
    assert found.answer.hits == stored.answer.hits
    same_arrays(found.answer.pattern, stored.answer.pattern, ("two_theta", "intensity", "sigma"))
    same_arrays(found.answer.lines, stored.answer.lines, ("q", "intensity", "width"))
    assert found.answer.lines.q_range == stored.answer.lines.q_range
    assert (found.answer.timings, found.answer.edited) == (stored.answer.timings, stored.answer.edited)
    assert (found.answer.pattern.source, found.answer.pattern.wavelength) == (
        stored.answer.pattern.source,
        stored.answer.pattern.wavelength,
    )
    for name in ("key", "verdict", "notes", "seconds"):
        assert getattr(found, name) == getattr(stored, name)
    assert len(found.candidates) == len(stored.candidates)
    for ours, theirs in zip(found.candidates, stored.candidates, strict=True):
        for field in fields(Candidate):
            if field.name != "crystal":
                assert getattr(ours, field.name) == getattr(theirs, field.name)
        assert ours.crystal.name == theirs.crystal.name
        same_arrays(ours.crystal, theirs.crystal, ("lattice", "numbers"))
        np.testing.assert_allclose(ours.crystal.frac_coords, theirs.crystal.frac_coords, atol=1e-7)


def rows(cache, table):
    return cache._file._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
