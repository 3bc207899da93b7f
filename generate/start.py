"""What a candidate begins from."""

from dataclasses import dataclass

from xtal.crystals import Crystal


@dataclass(frozen=True, eq=False)
class Start:
    """A crystal that a candidate begins from.

    Attributes:
        id: of the entry, or of those that it was built from.
        crystal: may hold other atoms than those asked for.
        diffused: whether it is noised and brought back. That may put a wrong atom right, and spoils chemistry that the
            network has not learned.
        beforehand: ln of how probable its contents, cell and group are before anything is fitted; 0 where only one
            formula is asked for.
    """

    id: str
    crystal: Crystal
    diffused: bool = False
    beforehand: float = 0.0

    @property
    def words(self) -> str:
        """Say it to people."""
        return f"{self.id}, noised" if self.diffused else self.id
