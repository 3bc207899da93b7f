"""Turn the content of a finished build into the published index."""

import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from indexer.storage import folders
from indexer.storage.contents import DATA_FILES, VECTORS, Contents
from indexer.storage.files import discard, sha256, sync_folder, unread, write_durably
from indexer.storage.folders import Current
from indexer.storage.manifest import Broken, FileNote, Manifest
from indexer.storage.store import MANIFEST, load_build
from indexer.storage.vectors import CODES, write_codes


def publish(
    draft: Manifest, contents: Contents, broken: Sequence[Broken], home: Path | None = None, tier: str | None = None
) -> Manifest:
    """Write a build, read it back, make it the current one, and remove older builds that nobody is reading.

    The caller holds the lock `building`. `draft` lacks what is known only now: build id, time, counts and digests. Of
    which `tier` the search is follows from the number of vectors, unless it is given.
    """
    folder = folders.index_folder(draft.name, home)
    now = datetime.now(UTC)
    build_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"
    staging = folder / f".publishing-{build_id}"
    staging.mkdir(parents=True)
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, staging, ignore_errors=True)  # a full disk must not stay full
        contents.write(staging, broken)
        search = write_codes(staging / CODES, contents.vectors, tier)
        files = {file: FileNote.of(staging / file) for file in (*DATA_FILES, CODES) if (staging / file).exists()}
        manifest = replace(
            draft,
            build_id=build_id,
            created=now.isoformat(timespec="seconds"),
            counts=replace(
                draft.counts,
                entries=len(contents.entries),
                groups=int(contents.entries.group.max()) + 1,
                broken=len(broken),
            ),
            files=tuple(files.values()),
            search=replace(search, vectors=files[VECTORS].sha256) if CODES in files else search,
        )
        write_durably(staging / MANIFEST, manifest.to_json())
        staging.rename(folder / build_id)
    sync_folder(folder)
    current = Current(build_id, sha256(folder / build_id / MANIFEST))
    load_build(draft.name, current, home)  # what was written must open, or the old build stays
    folders.write_current(draft.name, current, home)
    for old in folder.iterdir():
        if old.is_dir() and old.name != build_id and unread(old / MANIFEST):  # else a later build removes it
            discard(old)
    return manifest
