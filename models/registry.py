"""Embedders by name."""

from typing import Literal

from models.embedder import Embedder
from xtal.errors import UserError

DEFAULT = "profile"
NAMES = ("profile",)
Device = Literal["auto", "cpu", "cuda"]


def load(name: str = DEFAULT, device: Device = "auto") -> Embedder:
    """Return the embedder called `name`, to run on `device`.

    Raises:
        UserError: there is no such embedder, or it does not run on that device.
    """
    if name == "profile":
        from models.profile import ProfileEmbedder

        if device == "cuda":
            raise UserError("embedder 'profile' runs on the CPU; leave --device out, or choose auto or cpu")
        return ProfileEmbedder()
    raise UserError(f"embedder '{name}' is not known; choose one of: {', '.join(NAMES)}")
