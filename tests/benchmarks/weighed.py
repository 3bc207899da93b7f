"""Name the phases of weighed mixtures: scans whose names hold the fractions, ``NiO_0p6-ZnO_0p4--8min.xrdml``.

python tests/benchmarks/weighed.py FOLDER [INDEX]
"""

import re
import sys
from pathlib import Path

from search.engine import Engine
from search.options import Options
from search.phases import PhaseJudge
from search.verdict import Judge
from search.workers import Searcher
from xtal.crystals import parse_formula
from xtal.readers import read_pattern


def truth(name: str) -> dict[str, float]:
    """Return weight fractions by reduced formula (Hill order)."""
    parts = re.findall(r"([A-Z][A-Za-z0-9()]*)_0p(\d+)", name)
    return {plain(formula): float(f"0.{digits}") for formula, digits in parts}


def plain(formula: str) -> str:
    """Return a formula without brackets, in Hill order."""

    def opened(group: re.Match) -> str:
        return "".join(f"{element}{group[2]}" for element in re.findall("[A-Z][a-z]?", group[1]))

    return parse_formula(re.sub(r"\(([A-Za-z]+)\)(\d+)", opened, formula)) or formula


def main(folder: Path, index: str) -> None:
    engine = Engine.open(index)
    searcher, formulas = Searcher(engine, Judge.open(engine), PhaseJudge(engine)), engine.index.entries
    whole = 0
    for file in sorted(folder.glob("*_0p*")):
        _, verdict = searcher.search(read_pattern(file), Options())
        known, said, found = truth(file.name), [], set()
        for phase in verdict.phases:
            names = [phase.hit.formula, *(str(formulas.formulas[formulas.rows[id_]]) for id_ in phase.alike)]
            right = next((n for n in names if n in known), "")
            found.add(right)
            true = f"of {known[right]:.0%}" if right else "wrong"
            mark = "" if not right or right == names[0] else f" (for {right}, which is listed as alike)"
            said.append(f"{phase.hit.id} {phase.share:.0%} {true}, {phase.probability:.0%} likely{mark}")
        whole += set(known) <= found
        print(f"{file.stem}: {verdict.kind}: " + "; ".join(said))
    print(f"all components named in {whole}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(sys.argv[2:] or ["coremof2019-asr+lab"]))
