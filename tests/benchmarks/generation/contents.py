"""Is the true content of the cell among the first: metals and linkers of held-out frameworks given, and the volume.

python tests/benchmarks/generation/contents.py TABLE.npz [LIMIT] [guests]: a table of crystals, see `CrystalTable`;
those of the test split with one or two linkers, which are taken out of the crystal itself. Recipes are those that come
with the package. With the word guests, the chemist also names other molecules and ions, but not how many there are.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import gemmi
import numpy as np

from generate.benchmark.knowing import linker_parts
from generate.knowledge import contents
from generate.knowledge.groups import groups_of
from generate.knowledge.learning import MOST_METALS
from generate.knowledge.survey import heavy_graph, is_guest, recipe_of
from generate.parts import Kind
from models.cpcp.training.dataset import split_of
from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.linkers import METALS
from xtal.crystals.parts import Part, cut

ERROR = 0.02  # of the volume, standard deviation of its ln


def linkers_of(crystal: Crystal) -> list[Kind]:
    """The linkers of a crystal, each in the state with the fewest hydrogens."""
    found: dict[str, Part] = {}
    for graph, part in linker_parts(crystal):
        found[graph] = min(found.get(graph, part), part, key=len)
    return [Kind(part.key, (part,), 1, None, "", "linker", 0.0, shapes=1) for part in found.values()]


def reason(crystal: Crystal, linkers: list[Kind]) -> str:
    """Say why the truth is not among the contents."""
    recipe = recipe_of(crystal)
    bare = {heavy_graph(k.numbers, k.conformers[0].bonds): len(k.numbers) - kept(k.conformers[0]) for k in linkers}
    for piece in cut(crystal).pieces:
        graph = heavy_graph(piece.part.numbers, piece.part.bonds)
        if graph in bare and len(piece.part) - kept(piece.part) != bare[graph]:
            return "hydrogens of the linker are missing in the file"
    rest = ", ".join(f"{formula} {number}" for formula, number in recipe.shape.rest)
    return f"not proposed: metals {recipe.shape.metals}, linkers {recipe.shape.linkers}, rest {rest or 'none'}"


def kept(part: Part) -> int:
    return groups_of(part.numbers, part.bonds).kept


def guests_of(crystal: Crystal) -> list[Kind]:
    """Other molecules and ions of a crystal, but for oxide and hydroxide."""
    found = {}
    for piece in cut(crystal).pieces:
        part = piece.part
        formula = part.key.partition("-")[0]
        linker = (part.numbers == 6).any() and part.donors.any() and not is_guest(heavy_graph(part.numbers, part.bonds))
        if not linker and not METALS[part.numbers].any() and formula not in ("O", "HO"):
            found[formula] = Kind(part.key, (part,), 1, None, "", "organic", 0.0, shapes=1)
    return list(found.values())


def main(path: Path, limit: int, named: bool) -> None:
    table, rng = CrystalTable.load(path), np.random.default_rng(0)
    ranks, reasons, start, spent = [], Counter(), time.perf_counter(), 0.0
    for row in rng.permutation(len(table)):
        crystal = table[row]
        if split_of(crystal.reduced_formula) != "test":
            continue
        recipe = recipe_of(crystal)
        if recipe is None or len(recipe.graphs) > 2 or len(recipe.metals) > MOST_METALS:
            continue
        linkers = linkers_of(crystal)
        volume = crystal.volume * np.exp(rng.normal(0, ERROR))
        start = time.perf_counter()
        found = contents(
            [gemmi.Element(z).name for z in recipe.metals], linkers, guests_of(crystal) if named else (), volume
        )
        spent += time.perf_counter() - start
        truth = np.sort(crystal.numbers)
        places = [n for n, c in enumerate(found, 1) if np.array_equal(c.numbers, truth)]
        ranks.append(places[0] if places else np.inf)
        why = "" if places else reason(crystal, linkers)
        reasons[why.partition(":")[0]] += bool(why)
        print(f"{crystal.name:30s} rank {ranks[-1]:4.0f}  first {found[0].words if found else '-'}  {why}")
        if len(ranks) == limit:
            break
    rates = "  ".join(f"{k}: {np.mean(np.array(ranks) <= k):.1%}" for k in (1, 5, 10, 30, 100))
    print(f"{len(ranks)} frameworks, among the first {rates}; {spent / len(ranks):.2f} s each; {dict(+reasons)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60, "guests" in sys.argv)
