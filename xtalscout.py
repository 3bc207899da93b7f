"""The command `xtalscout`: runs from any folder, and says so when another distribution has taken one of our packages.

Our packages have everyday names. What lies in the current folder must not stand in for them, and what another
installation has laid over them must not run as if it were ours. Nothing but the standard library is imported before
that is known.
"""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

PACKAGES = ("ui", "search", "generate", "indexer", "models", "xtal")
MARK = '__distribution__ = "xtalscout"'
HERE = Path(__file__).resolve().parent  # our packages lie beside this file, installed or in a working copy
FAILED = 1
WAY_OUT = "install it where nothing else is: pipx install 'xtalscout[cpu]', or uv tool install 'xtalscout[cpu]'"


def main() -> None:
    """Run the command line of the installed packages, or end with one sentence on what is wrong with them."""
    leave_current_folder()
    trouble = collision()
    if trouble:
        sys.stderr.write(f"error: {trouble}\n")
        sys.exit(FAILED)
    from ui.commands import app

    app(prog_name="xtalscout")


def leave_current_folder() -> None:
    """Take the current folder off the module path, unless our packages lie there."""
    current = Path.cwd().resolve()
    if current != HERE:
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != current]


def collision() -> str:
    """Say which of our packages is not ours any more, "" when all are."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return f"Xtalscout's package {name!r} is missing; {WAY_OUT}"
        init = Path(spec.origin).resolve()
        if init.parent.parent != HERE:
            return f"{init} hides Xtalscout's package {name!r}; unset PYTHONPATH if it names that folder, or {WAY_OUT}"
        if MARK not in init.read_text(encoding="utf-8"):
            return f"Xtalscout's package {name!r} was overwritten by {_owner(name)}; {WAY_OUT}"
    return _changed_file()


def _changed_file() -> str:
    """Say which installed module differs in size from what the installation noted; a working copy has no notes."""
    for file in importlib.metadata.distribution("xtalscout").files or []:
        if file.suffix != ".py" or file.size is None or file.parts[0] not in PACKAGES:
            continue
        path = Path(str(file.locate()))
        if not path.is_file() or path.stat().st_size != file.size:
            return f"Xtalscout's module {file} was overwritten or removed by {_owner(file.parts[0])}; {WAY_OUT}"
    return ""


def _owner(package: str) -> str:
    """Name the other distributions that claim a package of ours."""
    owners = set(importlib.metadata.packages_distributions().get(package, [])) - {"xtalscout"}
    return " and ".join(sorted(owners)) or "something else"
