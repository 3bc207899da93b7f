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
    """

    id: str
    crystal: Crystal
    diffused: bool = False

    @property
    def words(self) -> str:
        """Say it to people."""
        return f"{self.id}, noised" if self.diffused else self.id
