import json

import numpy as np
import pytest

from ui.show.viewer import ASSETS, asset_url, scene, script_head
from xtal.crystals import Crystal


def quartz_like() -> Crystal:
    lattice = [[4.913, 0, 0], [-2.4565, 4.2548, 0], [0, 0, 5.405]]
    return Crystal(lattice, [[0.47, 0, 0.667], [0.414, 0.268, 0.786]], [14, 8], name="SiO")


def test_scene_holds_what_the_viewer_draws():
    whole = json.loads(scene(quartz_like(), "SiO", "data_SiO\n", "SiO.cif"))
    assert (whole["cif"], whole["file"], whole["title"]) == ("data_SiO\n", "SiO.cif", "SiO")
    content = whole["views"][-1]
    assert content["symbols"] == ["O", "Si"]
    assert content["cell"][0] == [4.913, 0, 0]
    assert content["polyhedra"] == []
    atoms, bonds = np.array(content["atoms"]), np.array(content["bonds"])
    assert atoms.shape[1] == 5
    assert set(atoms[:, 1]) <= {0, 1}
    length = np.linalg.norm(np.diff(atoms[bonds][:, :, 2:], axis=1)[:, 0], axis=1)
    assert length.max() < 1.11 + 0.66 + 0.3 + 0.01


def test_a_cell_too_large_to_draw_keeps_its_cif(monkeypatch):
    monkeypatch.setattr("ui.show.viewer.MOST_ATOMS", 1)
    content = json.loads(scene(quartz_like(), "SiO", "data_SiO\n", "SiO.cif"))
    view = content["views"][-1]
    assert (view["atoms"], view["bonds"], view["polyhedra"], view["hidden"]) == ([], [], [], 2)
    assert content["cif"] == "data_SiO\n"


def test_the_conventional_cell_comes_first_and_the_primitive_one_is_a_switch_away():
    frac = [[0, 0, 0], [0.5, 0.5, 0.5]]
    rock = Crystal([[0, 2.82, 2.82], [2.82, 0, 2.82], [2.82, 2.82, 0]], frac, [11, 17])
    first, second = json.loads(scene(rock, "salt", "data_salt\n", "salt.cif"))["views"]
    assert (first["name"], second["name"]) == ("conventional cell", "primitive cell")
    assert "Fm-3m" in first["facts"]
    assert "8 atoms in the conventional cell" in first["facts"]
    assert np.linalg.norm(first["cell"], axis=1) == pytest.approx([5.64] * 3)
    assert first["polyhedra"]  # around sodium
    preview = json.loads(scene(rock, "salt", "", ""))["views"]  # what is being made has no symmetry yet
    assert [view["name"] for view in preview] == ["primitive cell"]


def test_the_viewer_library_comes_from_this_machine_with_its_licence():
    assert asset_url("3Dmol-min.js").startswith("gradio_api/file=")
    assert "http" not in script_head()
    assert (ASSETS / "3Dmol-min.js").read_text(encoding="utf-8").startswith("/*!")
    assert "BSD-3-Clause" in (ASSETS / "3Dmol.LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["viewer.js", "table.js", "style.css"])
def test_our_assets_name_no_other_machine(name):
    assert "//" not in (ASSETS / name).read_text(encoding="utf-8").replace("// ", "").replace("/* ", "")


def test_every_atom_that_is_drawn_tells_its_part(monkeypatch):
    monkeypatch.setattr("ui.show.viewer.linkers_of_atoms", lambda _: ["", "BDC"])
    content = json.loads(scene(quartz_like(), "SiO", "data_SiO\n", "SiO.cif", by_parts=True))
    assert content["by_parts"]
    for view in content["views"]:
        assert view["parts"] == ["node", "BDC"]
        elements = [view["symbols"][int(row[0])] for row in view["atoms"]]
        assert [("Si", "O")[part] for part in view["part"]] == elements
