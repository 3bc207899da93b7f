"""The index that every command uses when none is named."""

from indexer.build import Progress, build
from indexer.plan import open_plan
from indexer.storage.folders import built_names
from models.embedder import Embedder

DEFAULT_INDEX = "coremof2019-asr"


def build_if_missing(name: str, embedder: Embedder, progress: Progress) -> bool:
    """Build the default index when it is the one asked for and was never built; return whether that was done."""
    if name != DEFAULT_INDEX or name in built_names():
        return False
    build(open_plan([DEFAULT_INDEX], embedder), progress=progress)
    return True
