"""What all command lines share: exit codes, error lines, progress bars, results as text or JSON."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from xtal.errors import UserError

FAILED, USAGE, PARTIAL = 1, 2, 3

SCRIPT = "xtalscout"
RENAMED = {"ui": "serve", "search query": "search", "generate run": "generate", "models export": "export-model"}

ADVICE = {
    "no_wavelength": "give one: --wavelength CuKa (or MoKa, CoKa, ..., a number in Å, or an energy like 17.4 keV)",
    "several_wavelengths": "say which one: --wavelength",
    "structure": "give a measured pattern, and ask whether it is this one: --is FILE.cif",
    "no_contents": "for example --contents Zn4O13C24H12",
}
EXTRAS = {  # packages that only some commands need, and the extra that installs them
    **dict.fromkeys(("faiss", "onnxruntime"), "cpu"),
    **dict.fromkeys(("torch", "onnx", "safetensors"), "train"),
    **dict.fromkeys(("dask", "distributed"), "cluster"),
    "lmdb": "hmof",
    "sklearn": "figures",
}

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Have the work done by the Dask cluster of this scheduler.")
]
GpuWorkers = Annotated[
    bool, typer.Option("--gpu-workers", help="Of the cluster only by workers started with --resources GPU=1.")
]


def to_file(path: Path | None) -> Path | None:
    """Check an option that names a file to write: better before the work than after it."""
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; give the name of a file")
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent} for {path.name}; make it first")
    return path


def to_folder(path: Path | None) -> Path | None:
    """Check an option that names a folder to write to, which is made if missing."""
    if path is not None:
        there = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
        if not there.is_dir():
            raise typer.BadParameter(f"{there} is a file; give a folder")
    return path


@contextmanager
def errors_reported() -> Iterator[None]:
    """Turn what the user can mend into one line on stderr and an exit code."""
    try:
        yield
    except UserError as error:
        typer.echo(f"error: {error.told(ADVICE)}", err=True)
        raise typer.Exit(error.exit_code) from None
    except OSError as error:
        known = error.filename is not None and error.strerror is not None
        words = f"cannot use {error.filename}: {error.strerror}" if known else str(error)
        typer.echo(f"error: {words}", err=True)
        raise typer.Exit(FAILED) from None
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        install = f"pip install 'xtalscout[{EXTRAS[package]}]'"
        typer.echo(f"error: this needs the package {package}, which is not installed; run: {install}", err=True)
        raise typer.Exit(FAILED) from None


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """Offer a callback ``advance(stage, count, total)`` that draws one bar per stage on stderr, with rate and ETA.

    What a stage says after a colon may change while its bar goes on.
    """
    from tqdm import tqdm

    bars: dict[str, Any] = {}
    stages = ExitStack()

    def advance(stage: str, count: int, total: int | None) -> None:
        """Move the bar of a stage; a new stage ends the one before."""
        name = stage.partition(":")[0]
        if name not in bars:
            stages.close()
            bars[name] = stages.enter_context(tqdm(desc=stage, total=total, unit=" entries"))
        bars[name].total = total
        bars[name].set_description_str(stage, refresh=False)  # without a total, the other adds a second colon
        bars[name].update(count)

    try:
        with stages:
            yield advance
    except RuntimeError as error:  # Ctrl+C while a bar is drawn upsets the lock that tqdm holds
        if _was_interrupted(error):
            raise KeyboardInterrupt from None
        raise


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether an error came up while Ctrl+C was being answered."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def spelled(command: str) -> str:
    """Return how a command is typed: ``indexer build`` is ``xtalscout build`` where that is what runs now."""
    if Path(sys.argv[0]).stem != SCRIPT:
        return f"python -m {command}"
    return f"{SCRIPT} {RENAMED.get(command) or command.partition(' ')[2]}"


def print_result(result: Any, text: str, as_json: bool) -> None:
    """Write a result to stdout, for programs or for people."""
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False) if as_json else text)
