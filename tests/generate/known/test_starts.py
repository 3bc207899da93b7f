from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from generate_helpers import small_mofs

import models
from generate.benchmark.matching import match_all
from generate.known import Builder, Gallery
from generate.known.centring import centrings, in_lattice
from generate.known.pendants import bare
from generate.known.starts import OF_ONE_SET
from generate.known.templates import in_turn, templates
from generate.start import Start
from xtal.crystals import Crystal, take_apart
from xtal.crystals.linkers import lone_linker
from xtal.patterns.sample import Sample
from xtal.physics import PAPER_SCAN, reflections
from xtal.physics.artefacts import Artefacts, apply

MOFS = small_mofs()
HOST = MOFS[3]
FLUORINE, COPPER = 9, 29


def fluorinated(name: str, which: int, metal: int = 30) -> Crystal:
    """The host with one hydrogen fluorinated, in another metal."""
    numbers = np.where(HOST.numbers == 30, metal, HOST.numbers).astype(np.uint8)
    numbers[np.flatnonzero(numbers == 1)[which]] = FLUORINE
    return replace(HOST, numbers=numbers, name=name)


def measured(crystal: Crystal) -> Sample:
    clean = replace(Artefacts.draw(0.0, np.random.default_rng(0)), fwhm=0.2, eta=0.5, counts=20_000.0)
    return Sample.of(apply(clean, reflections(crystal, 2.3), np.random.default_rng(1), PAPER_SCAN))


def builder(truth: Crystal, known: list[Crystal]) -> Builder:
    embedder, sample = models.load("profile"), measured(truth)
    vector = embedder.embed_patterns([sample.lines])[0]
    return Builder(embedder, sample, vector, Gallery.of_crystals(known, embedder).nearest(vector, len(known)))


def test_the_crystal_is_built_from_two_others():
    truth = fluorinated("truth", 0)
    donor = fluorinated("donor", 0, COPPER)
    numbers = np.sort(truth.numbers).astype(np.int64)
    found = builder(truth, [*MOFS, donor]).build(numbers, 5)
    assert {f"{name} with other linkers" for name in ("donor", HOST.name)} & {start.id for start in found}
    errors = [match[0].rmse for match in match_all([(start.crystal, truth) for start in found])]
    assert max(errors[:1]) < 0.02


def test_of_one_set_of_linkers_few_are_kept():
    truth = fluorinated("truth", 0)
    donors = [replace(fluorinated("donor", 0, COPPER), name=f"donor-{i}") for i in range(OF_ONE_SET + 2)]
    numbers = np.sort(truth.numbers).astype(np.int64)
    found = [take_apart(start.crystal) for start in builder(truth, donors).build(numbers, 20)]
    sets = Counter((tuple(sorted(bare(k).linker.kind for k in f.linkers)), round(f.crystal.volume, -2)) for f in found)
    assert found
    assert all(count <= 2 * OF_ONE_SET for count in sets.values())  # with and without a net in the other


def test_nets_in_each_other_are_found():
    """Every other diagonal shifted: known is the net alone."""
    alone = MOFS[2]
    truth = in_lattice(alone, list(centrings(alone.lattice, len(alone)))[1])
    numbers = np.sort(truth.numbers).astype(np.int64)
    found = builder(truth, [alone, *MOFS]).build(numbers, 5)
    assert found[0].id.endswith("interpenetrated")
    errors = [match[0].rmse for match in match_all([(start.crystal, truth) for start in found], workers=1)]
    assert min(error for error in errors if error is not None) < 0.1


def test_hosts_that_are_not_near_are_taken_for_their_composition():
    truth = fluorinated("truth", 0)
    numbers = np.sort(truth.numbers).astype(np.int64)
    near = builder(truth, [MOFS[0]])
    gallery = Gallery.of_crystals([*MOFS, fluorinated("donor", 0, COPPER)], near.embedder)
    assert near.build(numbers, 5) == []
    assert replace(near, alike=gallery.alike(numbers, 6)).build(numbers, 5)


@pytest.mark.parametrize("known", [[], MOFS])
def test_without_the_parts_nothing_is_built(known):
    numbers = np.append(HOST.numbers, FLUORINE).astype(np.int64)
    assert builder(HOST, known).build(numbers, 5) == []


def test_disordered_crystals_are_no_hosts():
    half = replace(HOST, occupancies=np.full(len(HOST), 0.5))
    found = builder(HOST, [half]).build(np.sort(HOST.numbers).astype(np.int64), 5)
    assert not [start.id for start in found if start.id.startswith(HOST.name)]


def test_templates_need_few_changes():
    near = builder(HOST, MOFS).near
    numbers = np.sort(HOST.numbers).astype(np.int64)
    found = templates(near, numbers)
    assert found[0].id == HOST.name
    assert found[0].words == HOST.name
    assert replace(found[0], diffused=True).words == f"{HOST.name}, noised"
    assert templates(near, np.array([8, 8, 14])) == []


@pytest.mark.parametrize(
    ("built", "known", "count", "expected"),
    [
        ("", "", 2, ["noise", "noise"]),
        ("B", "", 2, ["B", "noise"]),
        ("", "K", 4, ["K", "K, noised", "noise", "K"]),
        ("BC", "KL", 6, ["B", "C", "K", "K, noised", "noise", "L"]),
    ],
)
def test_starts_take_turns(built, known, count, expected):
    starts = in_turn([Start(x, HOST) for x in built], [Start(x, HOST) for x in known], count)
    assert ["noise" if start is None else start.words for start in starts] == expected


def test_extra_linkers_are_used():
    """The fluorinated pillar is in no known crystal, but given by itself."""
    truth = fluorinated("truth", 5)
    numbers = np.sort(truth.numbers).astype(np.int64)
    pillar = max(take_apart(truth).linkers, key=lambda linker: len(linker.numbers))
    alone = lone_linker(pillar.numbers, pillar.position, pillar.bonds, pillar.bound)
    known = builder(truth, [HOST])
    assert known.build(numbers, 5) == []
    found = replace(known, extra=(alone,)).build(numbers, 5)
    errors = [match[0].rmse for match in match_all([(start.crystal, truth) for start in found], workers=1)]
    assert min(error for error in errors if error is not None) < 0.15
