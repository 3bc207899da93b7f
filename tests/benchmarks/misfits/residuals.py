"""How often each reason for a residual is told of entries whose patterns have one fault, and of entries without any.

    python tests/benchmarks/misfits/residuals.py coremof2019-asr --queries 100

Printed are per cent of the patterns, one row for each fault.
"""

import argparse
from collections import Counter
from dataclasses import replace

import numpy as np

from search.engine import Engine
from search.verdict.evidence import Evidence
from search.verdict.reasons import residual_reasons
from xtal.patterns import q_from_two_theta
from xtal.physics import reflections
from xtal.physics.artefacts import LABORATORY_SCAN, Artefacts, apply
from xtal.physics.powder import Reflections

PLAIN = Artefacts(np.zeros((3, 3)), 1.0, 0.1, 0.0, 0.15, 0.5, 0.0, 0.05, 0.0, 10_000.0)
FAULTS: dict[str, dict[str, object]] = {
    "none": {},
    "texture 0.5": {"texture": 0.5},
    "texture 2": {"texture": 2.0},
    "hump": {"hump": 0.3},
    "split 1.6 %": {"strain": np.diag([0.008, -0.008, 0.0])},
    "cell 1.2 %": {"strain": np.eye(3) * 0.012},
    "guests": {},
    "impurity": {},
}
KINDS = {
    "impurity": "an impurity or",
    "guests": "guests in the pores",
    "texture": "(texture",
    "split": "the symmetry of the sample is lower",
    "cell": "than the entry's",
    "hump": "something amorphous",
}
FOREIGN = ((11.3, 0.3), (17.4, 0.5), (25.2, 0.4))  # degrees 2θ, height of the lines of an impurity


def filled(found: Reflections) -> Reflections:
    """Take off nine tenths of the intensity at the lowest angles, as guests may."""
    length = np.linalg.norm(found.g, axis=1)
    return replace(found, intensity=found.intensity * (1 - 0.9 * np.exp(-((length / 0.12) ** 4))))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    engine = Engine.open(asked.index)
    rows = np.random.default_rng(asked.seed).permutation(len(engine))[: asked.queries]
    last = float(q_from_two_theta(LABORATORY_SCAN.last, LABORATORY_SCAN.wavelength)) * 1.03
    print(f"{'fault':12s}" + "".join(f"{kind:>10s}" for kind in KINDS))
    for fault, change in FAULTS.items():
        told: Counter[str] = Counter()
        count = 0
        for place, row in enumerate(rows):
            rng = np.random.default_rng([asked.seed, place])
            found = reflections(engine.index.crystal(int(row)), last, wavelength=LABORATORY_SCAN.wavelength)
            pattern = apply(
                replace(PLAIN, **change), filled(found) if fault == "guests" else found, rng, LABORATORY_SCAN
            )
            if fault == "impurity":
                lines = sum(height * np.exp(-(((pattern.two_theta - angle) / 0.09) ** 2)) for angle, height in FOREIGN)
                pattern = replace(pattern, intensity=pattern.intensity + np.round(lines * pattern.intensity.max()))
            (answer,) = engine.query([pattern], k=3)
            evidence = Evidence.of(answer, engine.index)
            if evidence is None or answer.hits[0].group != engine.index.entries.group[row]:
                continue
            count += 1
            said = " ".join(residual_reasons(answer, evidence))
            told.update(kind for kind, words in KINDS.items() if words in said)
        print(f"{fault:12s}" + "".join(f"{100 * told[kind] / count:9.0f}%" for kind in KINDS) + f"   n = {count}")


if __name__ == "__main__":
    main()
