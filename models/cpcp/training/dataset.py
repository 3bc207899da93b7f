"""The crystals that CPCP trains on, with everything computed once that does not change from step to step."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.cpcp.atoms import offsets_of
from models.cpcp.features import ELEMENTS, KEPT_LINES, composition_features
from models.files import Arrays
from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.physics import LineTable, Reflections, reflections
from xtal.physics.powder import merge_lines

Split = Literal["train", "val", "test"]

REACH = 8_000  # reflections of half space to compute: a scan to 55° for the median MOF, to 95° for a small cell
LOWEST_REACH, HIGHEST_REACH = 2.3, 6.0  # Å⁻¹, as in `xtal.physics.powder.crystal_lines`
DATABASE_REACH = 2_000  # reflections up to which the crystal's own lines are taken, as in `crystal_lines`
KEPT_REFLECTIONS = 1_000  # strongest ones: what is left out sums to less than the noise of a measurement


@lru_cache(maxsize=1 << 16)
def split_of(formula: str) -> Split:
    """Assign a reduced formula to train (80 %), val (10 %) or test (10 %).

    The SHA-256 of pymatgen's reduced formula modulo 10: 0 is test, 1 is val. However a formula is written, its crystals
    are in one split in every source. The `packed:` sets are published with the same rule.
    """
    from pymatgen.core import Composition

    digest = hashlib.sha256(Composition(formula).reduced_formula.encode()).hexdigest()
    return ("test", "val")[part] if (part := int(digest, 16) % 10) < 2 else "train"


@dataclass(frozen=True, eq=False)
class CrystalSet(Arrays):
    """S crystals as flat arrays.

    Attributes:
        ids: (S,) names, unique within the set.
        formulas: (S,) reduced formulas.
        lattices: (S, 3, 3) Å, rows a, b, c.
        atom_offsets: (S + 1,) atoms of crystal i are ``atom_offsets[i]:atom_offsets[i + 1]`` of `numbers` and `frac`.
        numbers: (A,) atomic numbers.
        frac: (A, 3) fractional coordinates.
        composition: (S, ELEMENTS + 1) what the network is told of the chemistry, see `composition_features`.
        line_offsets, line_q, line_intensity, line_range: the crystals' own lines, a `LineTable`.
        reflection_offsets: (S + 1,) into `g` and `intensity`.
        g: (R, 3) Å⁻¹ Cartesian reciprocal vectors.
        intensity: (R,) |F|², electrons².
        reach: (S,) Å⁻¹, up to where reflections are known.
    """

    ids: NDArray[np.str_]
    formulas: NDArray[np.str_]
    lattices: NDArray[np.float32]
    atom_offsets: NDArray[np.int64]
    numbers: NDArray[np.uint8]
    frac: NDArray[np.float32]
    composition: NDArray[np.float32]
    line_offsets: NDArray[np.int64]
    line_q: NDArray[np.float32]
    line_intensity: NDArray[np.float32]
    line_range: NDArray[np.float32]
    reflection_offsets: NDArray[np.int64]
    g: NDArray[np.float32]
    intensity: NDArray[np.float32]
    reach: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.ids)

    @property
    def lines(self) -> LineTable:
        """The crystals' own lines."""
        no_direction = np.zeros((len(self.line_q), 6), np.int8)
        return LineTable(self.line_offsets, self.line_q, self.line_intensity, no_direction, self.line_range)

    @property
    def splits(self) -> NDArray[np.str_]:
        """(S,) ``train``, ``val`` or ``test``, see `split_of`."""
        return np.array([split_of(str(formula)) for formula in self.formulas])

    def reflections(self, row: int) -> Reflections:
        """Return the kept reflections of one crystal."""
        part = slice(self.reflection_offsets[row], self.reflection_offsets[row + 1])
        return Reflections(
            self.g[part].astype(float), self.intensity[part].astype(float), (0.2, float(self.reach[row]))
        )

    @classmethod
    def join(cls, sets: "list[CrystalSet]") -> Self:
        """Put several sets into one; ids may then repeat."""
        joined: dict[str, Any] = {}
        for f in fields(cls):
            parts = [getattr(s, f.name) for s in sets]
            joined[f.name] = _join_offsets(parts) if f.name.endswith("offsets") else np.concatenate(parts)
        return cls(**joined)

    @classmethod
    def compute(cls, crystals: Iterable[tuple[str, Crystal]]) -> Self:
        """Compute reflections and lines of (id, crystal) pairs."""
        rows = [_Row.of(name, crystal) for name, crystal in crystals]
        lines = LineTable.stack([r.lines for r in rows])
        return cls(
            ids=np.array([r.id for r in rows]),
            formulas=np.array([r.crystal.reduced_formula for r in rows]),
            lattices=np.array([r.crystal.lattice for r in rows], np.float32).reshape(-1, 3, 3),
            atom_offsets=offsets_of([len(r.crystal) for r in rows]),
            numbers=np.concatenate([r.crystal.numbers for r in rows] or [np.empty(0, np.uint8)]),
            frac=np.concatenate([r.crystal.frac_coords for r in rows] or [np.empty((0, 3))]).astype(np.float32),
            composition=composition_features([r.crystal for r in rows]).reshape(-1, ELEMENTS + 1),
            line_offsets=lines.offsets,
            line_q=lines.q,
            line_intensity=lines.intensity,
            line_range=lines.q_range,
            reflection_offsets=offsets_of([len(r.kept.g) for r in rows]),
            g=np.concatenate([r.kept.g for r in rows] or [np.empty((0, 3))]).astype(np.float32),
            intensity=np.concatenate([r.kept.intensity for r in rows] or [np.empty(0)]).astype(np.float32),
            reach=np.array([r.kept.q_range[1] for r in rows], np.float32),
        )


@dataclass(frozen=True, eq=False)
class _Row:
    """One crystal with its strongest reflections and its lines."""

    id: str
    crystal: Crystal
    kept: Reflections
    lines: Lines

    @classmethod
    def of(cls, name: str, crystal: Crystal) -> Self:
        """Compute one row from one pass over reciprocal space."""
        found = reflections(crystal, _reach(crystal.volume, REACH))
        q = 2 * np.pi * np.linalg.norm(found.g, axis=1)
        top = _reach(crystal.volume, DATABASE_REACH)
        near = q <= top
        lines = merge_lines(found.g[near], found.intensity[near], (found.q_range[0], top)).strongest(KEPT_LINES)
        weight = found.intensity / q**2
        if len(q) > KEPT_REFLECTIONS:
            keep = np.argpartition(-weight, KEPT_REFLECTIONS)[:KEPT_REFLECTIONS]
            found = Reflections(found.g[keep], found.intensity[keep], found.q_range)
        return cls(name, crystal, found, lines)


def _reach(volume: float, count: int) -> float:
    """Å⁻¹ up to which half of reciprocal space holds `count` reflections, ``(2π/3) g³ V``, within the limits above."""
    g = (count / (2 * np.pi / 3 * volume)) ** (1 / 3)
    return float(np.clip(2 * np.pi * g, LOWEST_REACH, HIGHEST_REACH))


def _join_offsets(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return offsets_of(np.concatenate([np.diff(part) for part in parts]))
