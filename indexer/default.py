"""The indexes that every command searches when none is named: frameworks, and what else a sample may hold."""

import models
from indexer.build import Progress, build
from indexer.plan import open_plan
from indexer.storage.folders import built_names
from indexer.storage.joined import JOINT, split
from indexer.storage.store import read_manifest
from models.embedder import Embedder

FRAMEWORKS, LAB = "coremof2019-asr", "lab"
DEFAULT_INDEX = JOINT.join([FRAMEWORKS, LAB])


def build_if_missing(name: str, embedder: Embedder, progress: Progress) -> bool:
    """Build those of the default indexes that are asked for and were never built; return whether any was.

    What is built is seen with the `embedder`, or with that of an index it is to be searched with.
    """
    parts, built = split(name), built_names()
    missing = [part for part in parts if part in (FRAMEWORKS, LAB) and part not in built]
    there = [part for part in parts if part in built]
    if missing and there and (used := read_manifest(there[0]).embedder) != embedder.name:
        embedder = models.load(used)
    for part in missing:
        build(open_plan([part], embedder), progress=progress)
    return bool(missing)
