"""Command line: train the networks and export them for serving."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xtal.console import FAILED, AsJson, errors_reported, print_result, spelled, to_folder
from xtal.errors import UserError

TRAINING_PACKAGES = ("torch", "safetensors", "onnx")

app = typer.Typer(help="Train the networks and export them.", no_args_is_help=True, add_completion=False)
training = typer.Typer(help="Train a network.", no_args_is_help=True)
app.add_typer(training, name="train")


class MissingPackageError(UserError):
    """A package of the `train` extra is not installed."""

    exit_code = FAILED


class Preset(StrEnum):
    """Sizes of the networks."""

    CPU = "cpu"
    GPU = "gpu"


class CrystalEncoder(StrEnum):
    """The crystal's side of the model."""

    RECIPROCAL = "reciprocal"
    CSPNET = "cspnet"


class Denoiser(StrEnum):
    """The network that takes noise away."""

    ATTENTION = "attention"
    CSPNET = "cspnet"


class Conditioning(StrEnum):
    """Ways to tell the paper's network of the pattern."""

    CONCAT = "concat"
    NODE = "node"


@training.command("cpcp")
def train_cpcp(
    source: Annotated[
        list[str],
        typer.Option(help="Crystals to learn from, as for an index; the first is searched meanwhile."),
    ],
    out: Annotated[
        Path, typer.Option(callback=to_folder, help="Folder for the log, the checkpoint and the prepared crystals.")
    ],
    crystals: Annotated[CrystalEncoder, typer.Option(help="How crystals are seen.")] = CrystalEncoder.RECIPROCAL,
    preset: Annotated[Preset, typer.Option(help="Size of the network.")] = Preset.CPU,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time to train for, without the preparation.")] = 60.0,
    batch: Annotated[int, typer.Option(min=2, help="Pairs per step.")] = 1024,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the learning process; one more makes samples.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    limit: Annotated[int | None, typer.Option(min=20, help="Take only so many entries of each source.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a CPCP model: measured patterns and crystals in one space."""
    from models.cpcp import config
    from models.cpcp.training.prepare import prepare
    from models.cpcp.training.train import Task, train

    with _errors_reported():
        data, counts = prepare(source, out / "crystals", limit)
        typer.echo(f"{sum(counts)} crystals ready; training for {minutes:g} minutes, log in {out}", err=True)
        settings = config.TrainingConfig(minutes=minutes, batch=batch, threads=threads, seed=seed)
        result = train(Task(data, counts[0]), config.preset(crystals.value, preset.value), settings, out, resume)
    summary = {"steps": result.step, "seconds": round(result.seconds, 1), "hits": result.hits, "out": str(out)}
    print_result(
        summary, f"{result.step} steps; {result.hits}\nnext: {spelled('models export')} {out} --out DIR", as_json
    )


@training.command("ccsg")
def train_ccsg(
    source: Annotated[list[str], typer.Option(help="Crystals to learn from, as for an index.")],
    out: Annotated[
        Path, typer.Option(callback=to_folder, help="Folder for the log, the checkpoint and the measured crystals.")
    ],
    denoiser: Annotated[Denoiser, typer.Option(help="The network.")] = Denoiser.ATTENTION,
    max_atoms: Annotated[int, typer.Option(min=2, max=400, help="Leave out crystals of more atoms per cell.")] = 64,
    net_rank: Annotated[
        int, typer.Option(min=0, max=3, help="Leave out crystals whose bonds lead on in fewer directions.")
    ] = 3,
    preset: Annotated[Preset, typer.Option(help="Size of the network and of its batches.")] = Preset.CPU,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time to train for, without the preparation.")] = 120.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that share their gradients.")] = 1,
    compiled: Annotated[bool, typer.Option(help="Compile the network first: needs a C++ compiler.")] = False,
    conditioning: Annotated[Conditioning, typer.Option(help="How cspnet hears of the pattern.")] = Conditioning.CONCAT,
    pretrained: Annotated[bool, typer.Option(help="Take over CPCP's pattern encoder.")] = True,
    frozen: Annotated[bool, typer.Option(help="Do not train the pattern encoder any further.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    limit: Annotated[int | None, typer.Option(min=20, help="Take only so many crystals.")] = None,
    start: Annotated[Path | None, typer.Option(help="Begin with an exported model: train it on, or on others.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a CCSG model: the denoiser that generates crystals from patterns."""
    from dataclasses import replace

    from models.ccsg import config
    from models.ccsg.training.train import prepared, train

    with _errors_reported():
        chosen = replace(
            config.PRESETS[preset.value],
            kind=denoiser.value,
            conditioning=conditioning.value,
            pretrained=pretrained,
            frozen=frozen,
        )
        settings = config.TrainingConfig(
            minutes=minutes, pairs=config.PAIRS[preset.value], workers=workers, compiled=compiled, seed=seed
        )
        if start is not None:
            settings = replace(settings, rate=config.STARTED_RATE)
        data, model = prepared(source, out, max_atoms, chosen, limit, start, net_rank)
        typer.echo(f"crystals ready; training for {minutes:g} minutes, log in {out}", err=True)
        result = train(data, model, settings, out, resume, start)
    words = (
        f"{result.step} steps; held-out loss of coordinates {result.score_loss:.3f}, of cells {result.cell_loss:.3f}\n"
        f"next: {spelled('models export')} {out} --out DIR"
    )
    print_result({**asdict(result), "out": str(out)}, words, as_json)


@app.command("export")
def export(
    checkpoint: Annotated[Path, typer.Argument(help="The --out folder of a training run.")],
    out: Annotated[Path, typer.Option(callback=to_folder, help="Folder for the ONNX graphs, weights and settings.")],
    as_json: AsJson = False,
) -> None:
    """Export the averaged network of a training run for serving."""
    with _errors_reported():
        files = _export(checkpoint, out)
    sizes = {path.name: path.stat().st_size for path in files}
    print_result(sizes, "\n".join(f"{name}  {size / 1e6:.1f} MB" for name, size in sizes.items()), as_json)


def _export(checkpoint: Path, out: Path) -> list[Path]:
    """Export with what belongs to the kind of model that was trained."""
    from models.ccsg.training.export import export_checkpoint as export_ccsg
    from models.cpcp.training.export import export_checkpoint as export_cpcp
    from models.files import CONFIG_FILE

    path = checkpoint / CONFIG_FILE
    diffusion = path.is_file() and "denoiser" in json.loads(path.read_text())
    return export_ccsg(checkpoint, out) if diffusion else export_cpcp(checkpoint, out)


@contextmanager
def _errors_reported() -> Iterator[None]:
    """Report errors as every command line does, and say what to install where a training package is missing."""
    with errors_reported():
        try:
            yield
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_PACKAGES:
                raise
            raise MissingPackageError(
                f"training needs {error.name}; install it: pip install 'xtalscout[train]'"
            ) from None


if __name__ == "__main__":
    app()
