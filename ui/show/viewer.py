"""The 3-D view of one unit cell: a crystal becomes the text that `assets/viewer.js` draws with 3Dmol.js."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gemmi
import numpy as np

from search.frameworks.described import linkers_of_atoms
from ui.show.cell_drawing import draw_cell, polyhedra
from xtal.crystals import Crystal, cell_parameters
from xtal.crystals.conventional import conventional

ASSETS = Path(__file__).parent / "assets"
MOST_ATOMS = 6_000  # drawn sites; beyond, a browser turns the cell at a few frames a second
MOST_SYMMETRISED = 1_000  # atoms of a primitive cell: beyond, its symmetry takes seconds to find
DECIMALS = 3  # Å
PRIMITIVE = "primitive cell"
NODE = "node"  # what is of no linker


def scene(
    crystal: Crystal,
    title: str,
    cif: str,
    file_name: str,
    remarks: Sequence[str] = (),
    cell: str = PRIMITIVE,
    by_parts: bool = False,
) -> str:
    """Return the JSON text of what the viewer draws and offers to download.

    What it holds: ``title``, ``cif``, ``file``, ``by_parts``, whether parts are coloured at first, ``views``: one of
    the conventional cell, if the crystal has another, and one of its own. A view has its ``name``; ``cell`` (3, 3) Å;
    ``symbols``, the elements; ``atoms``, rows of element index, 1 inside or 0 outside, x, y, z in Å; ``parts``, the
    node and the linkers by name, and ``part``, an index of these for each of ``atoms``; ``bonds``, pairs of rows of
    ``atoms``; ``polyhedra``, element index and triangles; ``hidden``, the number of atoms when they are too many to
    draw, else 0; ``facts`` with the `remarks` at
    their end. `cell` is what the crystal's cell is called.
    """
    views = [_view(crystal, cell, remarks)]
    if cell == PRIMITIVE and cif and len(crystal) <= MOST_SYMMETRISED:
        found = conventional(crystal)
        whole = found.whole()
        if len(whole) > len(crystal) or found.group.number > 1:
            symbol = found.group.hm.replace(" ", "")
            views.insert(0, _view(whole, "conventional cell", [symbol, *remarks]))
    return json.dumps({"title": title, "by_parts": by_parts, "views": views, "cif": cif, "file": file_name})


def _view(crystal: Crystal, cell: str, remarks: Sequence[str]) -> dict[str, Any]:
    """Return what is drawn of one cell."""
    drawing = draw_cell(crystal)
    numbers, element = np.unique(crystal.numbers[drawing.atom], return_inverse=True)
    shown = len(drawing.atom) <= MOST_ATOMS
    rows = np.column_stack([element, drawing.inside, drawing.position.round(DECIMALS)])
    solids = polyhedra(crystal, drawing) if shown else []
    linkers = linkers_of_atoms(crystal) if shown else []
    parts = [NODE, *dict.fromkeys(filter(None, linkers))]
    part = np.array([parts.index(name or NODE) for name in linkers], int)
    return {
        "name": cell,
        "facts": [*_facts(crystal, cell), *remarks],
        "cell": crystal.lattice.round(DECIMALS).tolist(),
        "symbols": [gemmi.Element(int(z)).name for z in numbers],
        "atoms": rows.tolist() if shown else [],
        "bonds": drawing.bonds.tolist() if shown else [],
        "polyhedra": [[int(element[site]), faces.round(DECIMALS).tolist()] for site, faces in solids],
        "parts": parts,
        "part": part[drawing.atom].tolist() if shown else [],
        "hidden": 0 if shown else len(crystal),
    }


def _facts(crystal: Crystal, cell: str) -> list[str]:
    """Return what people want to know of a cell: its parameters, volume and contents."""
    lengths, angles = cell_parameters(crystal.lattice)
    return [
        "a {:.3f}  b {:.3f}  c {:.3f} Å".format(*lengths),
        "α {:.2f}  β {:.2f}  γ {:.2f}°".format(*angles),
        f"V {crystal.volume:,.1f} Å³",
        f"{len(crystal):,} atoms in the {cell}",
    ]


def asset_url(name: str) -> str:
    """Return the address of a vendored file, relative to the page, as gradio serves it."""
    return "gradio_api/file=" + quote((ASSETS / name).as_posix())


def script_head() -> str:
    """Return the HTML that loads 3Dmol.js from this machine."""
    return f'<script src="{asset_url("3Dmol-min.js")}"></script>'


def viewer_script() -> str:
    """Return the JavaScript that drives the viewer."""
    return (ASSETS / "viewer.js").read_text(encoding="utf-8")


VIEWER_HTML = """
<div class="xs-viewer">
  <div class="xs-cell"></div>
  <div class="xs-canvas" tabindex="0" role="application" aria-label="Unit cell in three dimensions"></div>
  <p class="xs-note" aria-live="polite">The unit cell of the selected structure is drawn here.</p>
  <div class="xs-viewer-bar">
    <span class="xs-legend"></span>
    <span class="xs-views">
      <button type="button" class="xs-solid" aria-pressed="true" disabled>Polyhedra</button>
      <button type="button" class="xs-parted" aria-pressed="false" title="Nodes and linkers" disabled>Parts</button>
      <button type="button" class="xs-switch" title="The other cell" hidden>Primitive</button>
      <button type="button" data-axis="0" title="Look along a" disabled>a</button>
      <button type="button" data-axis="1" title="Look along b" disabled>b</button>
      <button type="button" data-axis="2" title="Look along c" disabled>c</button>
      <button type="button" class="xs-cif" disabled>Download CIF</button>
    </span>
  </div>
  <p class="xs-keys">Drag, or with the keyboard: arrows turn, + and − zoom, a, b and c look along an axis.</p>
</div>
"""
