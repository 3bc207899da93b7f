"""Draw how runs of `models train ccsg` learned: ``python tests/benchmarks/curves.py RUN... --plot FILE``."""

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

PARTS = {"score_loss": "loss, coordinates", "cell_loss": "loss, cells"}
HELD_OUT = "held_out_"
SMOOTHED = 5  # notes that a point of a curve is the mean of


def notes(run: Path, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return minutes and values (M,) of one key of a run's log."""
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return np.array([[line["seconds"] / 60, line[key]] for line in lines if key in line]).reshape(-1, 2).T


def draw(runs: list[Path], path: Path) -> None:
    """Draw a panel for each loss, a colour for each run; crosses are losses on held-out crystals."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = figure.subplots(1, len(PARTS))
    for panel, (key, label) in zip(panels, PARTS.items(), strict=True):
        for number, run in enumerate(runs):
            minutes, values = notes(run, key)
            kernel = np.ones(min(SMOOTHED, len(values))) / min(SMOOTHED, len(values))
            smooth = np.convolve(values, kernel, "valid")
            panel.plot(minutes[len(minutes) - len(smooth) :], smooth, color=f"C{number}", label=run.name)
            panel.plot(*notes(run, HELD_OUT + key), "x", color=f"C{number}")
        panel.set(xlabel="minutes", ylabel=label, ylim=(0, None))
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--plot", type=Path, default=Path("curves.png"))
    chosen = parser.parse_args()
    draw(chosen.runs, chosen.plot)


if __name__ == "__main__":
    main()
