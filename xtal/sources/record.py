"""What a database of crystals offers to those who read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from xtal.crystals import Crystal
from xtal.errors import UserError


@dataclass(frozen=True)
class Record:
    """One raw entry: cheap to make, cheap to send to another process.

    Attributes:
        id: stable and unique within the source, for example ``ABAVIJ_clean``.
        data: CIF text or another payload that the source's `read` understands.
    """

    id: str
    data: bytes


class Source(Protocol):
    """A database of crystals. Implementations are frozen dataclasses that can be pickled."""

    @property
    def name(self) -> str:
        """Short name, for example ``coremof2019-asr``."""
        ...

    @property
    def source_id(self) -> str:
        """Identity of the data: changes when the files do."""
        ...

    @property
    def citation(self) -> str:
        """Whom to cite."""
        ...

    @property
    def licence(self) -> str:
        """Under what terms the data may be used."""
        ...

    @property
    def expected(self) -> int | None:
        """How many entries there are, None where only reading them tells."""
        ...

    def records(self) -> Iterator[Record]:
        """Yield every entry, in the same order each time."""
        ...

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one entry.

        Raises:
            UserError: the entry is broken.
            TooManyAtomsError: the entry is sound but larger than the source takes in.
        """
        ...


class TooManyAtomsError(UserError):
    """An entry that is sound but has more atoms than the source takes in; not a broken one."""
