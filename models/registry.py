"""Embedders by name."""

from models.embedder import Embedder
from xtal.errors import UserError

DEFAULT = "profile"
NAMES = ("profile",)


def load(name: str = DEFAULT) -> Embedder:
    """Return the embedder called `name`; raise UserError when there is none."""
    if name == "profile":
        from models.profile import ProfileEmbedder

        return ProfileEmbedder()
    raise UserError(f"embedder '{name}' is not known; choose one of: {', '.join(NAMES)}")
