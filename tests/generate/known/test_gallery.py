import numpy as np
import pytest
from generate_helpers import small_mofs

import models
from generate.known import Gallery
from generate.known import gallery as gallery_module
from indexer.storage import EntryTable, Manifest, open_index
from indexer.storage.contents import Contents, flat_index
from indexer.storage.manifest import Counts
from indexer.storage.publish import publish
from indexer.storage.store import building
from xtal.crystals import CrystalTable
from xtal.errors import UserError
from xtal.physics import LineTable, crystal_lines

MOFS = small_mofs()
PROFILE = models.load("profile")
GALLERY = Gallery.of_crystals(MOFS, PROFILE)
QUERIES = PROFILE.embed_patterns([crystal_lines(crystal) for crystal in MOFS])


def test_a_crystal_is_nearest_to_itself():
    for vector, crystal in zip(QUERIES, MOFS, strict=True):
        first, second = GALLERY.nearest(vector, 2)
        assert (first.id, first.crystal) == (crystal.name, crystal)
        assert first.similarity == pytest.approx(1, abs=1e-4)
        assert second.similarity < first.similarity


def test_all_are_there_best_first():
    near = GALLERY.nearest(QUERIES[2], 99)
    assert {neighbour.id for neighbour in near} == {crystal.name for crystal in MOFS}
    similarity = [neighbour.similarity for neighbour in near]
    assert similarity == sorted(similarity, reverse=True)


def test_embedding_in_pieces_changes_nothing(monkeypatch):
    monkeypatch.setattr(gallery_module, "EMBEDDED", 2)
    assert Gallery.of_crystals(MOFS, PROFILE).vectors == pytest.approx(GALLERY.vectors, abs=1e-6)
    empty = Gallery.of_crystals([], PROFILE)
    assert (empty.vectors.shape, empty.nearest(QUERIES[0], 3)) == ((0, PROFILE.dimension), [])


def test_crystals_by_name():
    assert GALLERY.named(MOFS[3].name).crystal is MOFS[3]
    with pytest.raises(UserError, match=r"no crystal 'nonsense' among the 5 known ones; choose auto, none or an id"):
        GALLERY.named("nonsense")


def test_crystals_by_formula():
    chosen = GALLERY.of_formula(MOFS[1].reduced_formula)
    assert chosen.ids.tolist() == [MOFS[1].name]
    assert chosen.nearest(chosen.vectors[0], 5)[0].crystal is MOFS[1]
    assert len(GALLERY.of_formula("H2O").ids) == 0


def test_crystals_of_other_formulas():
    others = GALLERY.without(MOFS[1].reduced_formula)
    assert set(others.ids.tolist()) == {crystal.name for crystal in MOFS} - {MOFS[1].name}
    assert others.crystal(1) is MOFS[2]


def test_galleries_are_joined():
    parts = [Gallery.of_crystals(some, PROFILE) for some in (MOFS[:2], [], MOFS[2:])]
    joined = Gallery.joined(parts)
    assert joined.ids.tolist() == GALLERY.ids.tolist()
    assert joined.vectors == pytest.approx(GALLERY.vectors, abs=1e-6)
    assert [joined.crystal(row) for row in range(5)] == MOFS


def test_crystals_of_a_like_composition():
    numbers = np.sort(MOFS[2].numbers).astype(np.int64)
    near = GALLERY.alike(numbers, 3)
    assert near[0].crystal is MOFS[2]
    assert {29} == {int(n.crystal.numbers.max()) for n in near[:2] if 35 not in n.crystal.numbers} | {29}
    zinc = np.where(numbers == 29, 30, numbers)
    assert GALLERY.alike(zinc, 1)[0].crystal.numbers.tolist().count(30)  # the metal before the rest


def test_an_index_is_a_gallery(tmp_path):
    lines = LineTable.stack([crystal_lines(crystal) for crystal in MOFS])
    contents = Contents(
        EntryTable.describe([crystal.name for crystal in MOFS], MOFS),
        CrystalTable.from_crystals(MOFS),
        lines,
        flat_index(PROFILE.embed_crystals(MOFS, lines)),
    )
    draft = Manifest("mofs", "", "", PROFILE.name, PROFILE.model_id, PROFILE.dimension, (), None, Counts(), "", ())
    with building("mofs", tmp_path):
        publish(draft, contents, [], tmp_path)
    gallery = Gallery.of_index(open_index("mofs", tmp_path, embedder=PROFILE))
    order = [gallery.ids.tolist().index(crystal.name) for crystal in MOFS]
    assert gallery.vectors[order] == pytest.approx(GALLERY.vectors, abs=1e-6)
    assert gallery.formulas[order].tolist() == [crystal.reduced_formula for crystal in MOFS]
    for vector, crystal in zip(QUERIES, MOFS, strict=True):
        found = gallery.nearest(vector, 1)[0]
        assert found.id == crystal.name
        assert found.crystal.lattice == pytest.approx(crystal.lattice, rel=1e-6)
        assert found.crystal.reduced_formula == crystal.reduced_formula
