"""Embedders by name."""

from typing import TYPE_CHECKING, Literal

from xtal.errors import UserError

if TYPE_CHECKING:
    from models.embedder import Embedder

DEFAULT = "cpcp-reciprocal"
NAMES = ("cpcp-reciprocal", "cpcp-cspnet", "profile")
ALIASES = {"cpcp": "cpcp-reciprocal"}
Device = Literal["auto", "cpu", "cuda"]


def load(name: str = DEFAULT, device: Device = "auto") -> "Embedder":
    """Return the embedder called `name`, to run on `device`.

    Raises:
        UserError: there is no such embedder, or it does not run on that device.
    """
    name = ALIASES.get(name, name)
    if name == "cpcp-reciprocal":
        from models.cpcp.embedder import ReciprocalEmbedder

        return ReciprocalEmbedder(device=device)
    if name == "cpcp-cspnet":
        from models.cpcp.embedder import CSPNetEmbedder

        return CSPNetEmbedder(device=device)
    if name == "profile":
        from models.profile import ProfileEmbedder

        if device == "cuda":
            raise UserError("embedder 'profile' runs on the CPU; leave --device out, or choose auto or cpu")
        return ProfileEmbedder()
    raise UserError(f"embedder '{name}' is not known; choose one of: {', '.join(NAMES)}")
