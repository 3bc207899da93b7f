"""Where indexes live, and which build of an index is the current one.

<home>/indexes/<name>/<build-id>/   one published build, never changed
<home>/indexes/<name>/current       "<build-id> <SHA-256 of that build's manifest.json>", replaced last, atomically
<home>/indexes/<name>.lock          held while an index is built or removed
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from indexer.storage.files import write_durably
from xtal import settings
from xtal.console import FAILED, spelled
from xtal.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
BUILD_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{12}")
CURRENT = re.compile(rf"({BUILD_ID.pattern}) ([0-9a-f]{{64}})\n")


class DamagedIndexError(UserError):
    """A published index is not as it was written."""

    exit_code = FAILED


@dataclass(frozen=True)
class Current:
    """What the file ``current`` says: the published build and the digest of its manifest."""

    build_id: str
    manifest_sha256: str


def indexes_folder(home: Path | None = None) -> Path:
    """Return the folder that holds every index; `home` defaults to the setting ``XTALSCOUT_HOME``."""
    return (home or settings.home()) / "indexes"


def check_name(name: str) -> str:
    """Return `name` when it can name an index, else raise UserError."""
    if not NAME.fullmatch(name) or name.endswith((".lock", ".")):
        raise UserError(
            f"index name {name!r} is not allowed: use up to 100 letters, digits, '.', '_' and '-', "
            "starting with a letter or digit and not ending in '.' or '.lock'"
        )
    return name


def index_folder(name: str, home: Path | None = None) -> Path:
    """Return the folder of one index, there or not."""
    return indexes_folder(home) / check_name(name)


def lock_path(name: str, home: Path | None = None) -> Path:
    """Return the lock file of one index. It lies beside the folder so that it outlives a removed index."""
    return indexes_folder(home) / f"{check_name(name)}.lock"


def built_names(home: Path | None = None) -> list[str]:
    """Return the names of all published indexes, sorted."""
    return sorted(
        path.parent.name for path in indexes_folder(home).glob("*/current") if NAME.fullmatch(path.parent.name)
    )


def read_current(name: str, home: Path | None = None) -> Current:
    """Read which build of an index is published; UserError when there is none, DamagedIndexError when unreadable."""
    path = index_folder(name, home) / "current"
    try:
        text = path.read_bytes().decode("ascii", errors="replace")
    except FileNotFoundError:
        raise UserError(_not_found(name, home)) from None
    match = CURRENT.fullmatch(text)
    if match is None:
        raise damaged(name, f"{path} does not hold a build id and a digest")
    return Current(*match.groups())


def write_current(name: str, current: Current, home: Path | None = None) -> None:
    """Make a build the published one; readers see the old or the new, never a mixture."""
    write_durably(
        index_folder(name, home) / "current", f"{current.build_id} {current.manifest_sha256}\n".encode("ascii")
    )


def damaged(name: str, problem: str) -> DamagedIndexError:
    """Return the error that says what is wrong with an index and how to mend it."""
    return DamagedIndexError(f"index {name!r} is damaged: {problem}. {rebuild_hint(name)}")


def rebuild_hint(name: str) -> str:
    """Return the sentence that tells how to build an index again."""
    return f"Build it: {spelled('indexer build')} {name}"


def _not_found(name: str, home: Path | None) -> str:
    from xtal.sources.catalog import NAMES

    built = built_names(home)
    words = f"index {name!r} not found in {indexes_folder(home)}; built indexes: {', '.join(built) or 'none'}."
    if name in NAMES:
        return f"{words} {rebuild_hint(name)}"
    known = sorted({*built, *NAMES})
    near = [each for each in known if each.startswith(name)] or get_close_matches(name, known, 1)
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{words} {guess}Build one of {', '.join(NAMES)}: {spelled('indexer build')} NAME"
