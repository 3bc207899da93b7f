"""What CCSG trains on: reduced cells, and a few measurements of each crystal, made once."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.cpcp.atoms import offsets_of
from models.cpcp.features import LineBatch, batch_lines
from models.cpcp.training.batches import measured_lines, random_scan
from models.cpcp.training.dataset import CrystalSet, split_of
from models.files import Arrays
from xtal.crystals import Crystal, net_rank, niggli, primitive
from xtal.crystals.packed import STEPS as PLACES
from xtal.errors import UserError
from xtal.physics import PAPER_SCAN
from xtal.settings import cores
from xtal.sources import open_source

MEASUREMENTS = 4  # of each crystal: one clean, the others by worse and worse laboratories
WORST = 1.5  # highest severity: what a good laboratory powder may show
PAPER_SCANS = 0.5  # share measured as in the paper; the others draw their range
FRAMEWORK = 3  # directions in which the bonds of a framework lead on
CHUNK = 256  # crystals per task of a worker process


@dataclass(frozen=True, eq=False)
class MeasuredSet(Arrays):
    """S crystals in reduced primitive cells, with M measurements of each.

    Attributes:
        ids: (S,) names.
        formulas: (S,) reduced formulas.
        lattices: (S, 3, 3) Å, rows a, b, c, Niggli reduced.
        atom_offsets: (S + 1,) atoms of crystal i are ``atom_offsets[i]:atom_offsets[i + 1]``.
        numbers: (A,) atomic numbers.
        frac: (A, 3) fractional coordinates in units of 1 / 65536.
        q, intensity, width: (S, M, L) lines found, as in `LineBatch`; float16 but for q.
        q_range: (S, M, 2) Å⁻¹.
    """

    ids: NDArray[np.str_]
    formulas: NDArray[np.str_]
    lattices: NDArray[np.float32]
    atom_offsets: NDArray[np.int64]
    numbers: NDArray[np.uint8]
    frac: NDArray[np.uint16]
    q: NDArray[np.float32]
    intensity: NDArray[np.float16]
    width: NDArray[np.float16]
    q_range: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.ids)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(S,) atoms of each crystal."""
        return np.diff(self.atom_offsets)

    def rows(self, split: str) -> NDArray[np.int64]:
        """Rows of one split, see `split_of`."""
        return np.flatnonzero([split_of(str(formula)) == split for formula in self.formulas])

    def lines(self, rows: NDArray[np.int64], measurement: NDArray[np.int64]) -> LineBatch:
        """Return one measurement (B,) of each chosen crystal (B,)."""
        arrays = (self.q, self.intensity, self.width, self.q_range)
        return LineBatch(*(array[rows, measurement].astype(np.float32) for array in arrays))

    def crystal(self, row: int) -> Crystal:
        """Return one crystal."""
        atoms = slice(self.atom_offsets[row], self.atom_offsets[row + 1])
        frac = self.frac[atoms] / PLACES
        return Crystal(self.lattices[row].astype(float), frac, self.numbers[atoms], name=str(self.ids[row]))

    @classmethod
    def join(cls, sets: "Sequence[MeasuredSet]") -> Self:
        """Put several sets into one."""
        joined = {f.name: np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(cls)}
        return cls(**{**joined, "atom_offsets": offsets_of(np.concatenate([s.counts for s in sets]))})

    @classmethod
    def measure(cls, crystals: Sequence[tuple[str, Crystal]], length: int, seed: int) -> Self:
        """Measure (id, crystal) pairs `MEASUREMENTS` times and keep the `length` strongest lines found."""
        rng = np.random.default_rng(seed)
        known = CrystalSet.compute(crystals)
        found = []
        for row in range(len(known)):
            scans = [random_scan(float(known.reach[row]), PAPER_SCANS, rng) for _ in range(MEASUREMENTS - 1)]
            severities = [0.0, *np.sort(rng.uniform(0, WORST, MEASUREMENTS - 1))]
            for severity, scan in zip(severities, [PAPER_SCAN, *scans], strict=True):
                found.append(measured_lines(known, row, float(severity), scan, length, rng))
        lines = batch_lines(found, length)
        shape = (len(known), MEASUREMENTS, -1)
        return cls(
            ids=known.ids,
            formulas=known.formulas,
            lattices=known.lattices,
            atom_offsets=known.atom_offsets,
            numbers=known.numbers.astype(np.uint8),
            frac=(np.round(known.frac.astype(np.float64) * PLACES) % PLACES).astype(np.uint16),
            q=lines.q.reshape(shape),
            intensity=lines.intensity.reshape(shape).astype(np.float16),
            width=lines.width.reshape(shape).astype(np.float16),
            q_range=lines.q_range.reshape(shape),
        )


def prepare(
    sources: Sequence[str],
    path: Path,
    most_atoms: int,
    length: int,
    limit: int | None = None,
    least_rank: int = FRAMEWORK,
) -> MeasuredSet:
    """Measure the ordered crystals of several sources, or read them from `path` where that was done before.

    Args:
        sources: names, as for an index.
        path: file to write.
        most_atoms: per primitive cell.
        length: lines kept of each measurement.
        limit: crystals taken.
        least_rank: of the net (`net_rank`): a framework of less is broken, or none.

    Raises:
        UserError: a source cannot be opened, or none of its crystals is ordered, small enough and of such a net.
    """
    if path.exists():
        return MeasuredSet.load(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = ((id_, c) for id_, c in usable(sources, most_atoms) if net_rank(c) >= least_rank)
    crystals = _chunks(islice(whole, limit))
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(MeasuredSet.measure, chunk, length, seed) for seed, chunk in enumerate(crystals)]
        sets = [task.result() for task in tasks]
    if not sets:
        raise UserError(
            f"no ordered crystal of at most {most_atoms} atoms whose bonds lead on in {least_rank} directions in "
            f"{', '.join(sources)}; raise --max-atoms or lower --net-rank"
        )
    joined = MeasuredSet.join(sets)
    joined.save(path, compressed=True)
    return joined


def usable(sources: Sequence[str], most_atoms: int) -> Iterator[tuple[str, Crystal]]:
    """Yield the readable, fully occupied crystals with at most `most_atoms` in the primitive cell, reduced."""
    for name in sources:
        source = open_source(name)
        for record in source.records():
            try:
                crystal = primitive(source.read(record))
            except UserError:  # broken entries are the index's business to report
                continue
            if len(crystal) <= most_atoms and (crystal.occupancies == 1).all():
                yield record.id, niggli(crystal)


def _chunks(crystals: Iterator[tuple[str, Crystal]]) -> Iterator[list[tuple[str, Crystal]]]:
    while chunk := list(islice(crystals, CHUNK)):
        yield chunk
