"""Pictures of what an embedder has learnt, as in figure 2 of the XtalNet paper (hit rates: `benchmark`)."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.answer import Hit, Overlay
from search.benchmark.calibrate import CalibrationReport, Reliability
from search.engine import Engine
from xtal.crystals import Crystal
from xtal.crystals.sketch import WINDOW, draw_crystal, element_key
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.linefinder import find_lines
from xtal.physics.simulate import simulate_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMPARED = 50  # patterns and crystals of the heat map, as in the paper
SHOWN = 4  # structures of the retrieval, as in the paper
IDEAL, ORDINARY = 0.0, 1.0  # severities: of the map and the heat map, as in the paper, and of the retrieval
PERPLEXITY = 30.0  # neighbours that t-SNE keeps together
RESOLUTION = 150  # dots per inch
INK, LIGHT, BLUE = "#1f2937", "#c3c9d1", "#0072b2"


@dataclass(frozen=True, eq=False)
class Queries:
    """Randomly chosen entries of an index and one pattern of each.

    Attributes:
        title: index and embedder, for people to read.
        rows: (P,) of the entries in the index.
        patterns: (P,) simulated.
        vectors: (P, dimension) embeddings of the patterns.
    """

    title: str
    rows: NDArray[np.int64]
    patterns: tuple[Pattern, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """Patterns laid out in the plane, like ones together.

    Attributes:
        title: for people to read.
        position: (P, 2) no unit; only neighbourhoods mean something.
        volume: (P,) Å³ of the primitive cells.
    """

    title: str
    position: NDArray[np.float64]
    volume: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SimilarityTable:
    """How alike P patterns and their P crystals are.

    Attributes:
        title: for people to read.
        values: (P, P) similarity of pattern i and crystal j; on the diagonal stand the right pairs.
    """

    title: str
    values: NDArray[np.float32]

    @property
    def right(self) -> int:
        """How many patterns are most like their own crystal."""
        return int((self.values.argmax(axis=1) == np.arange(len(self.values))).sum())


@dataclass(frozen=True, eq=False)
class Retrieval:
    """One pattern and the best structures for it.

    Attributes:
        title: index and embedder, for people to read.
        query: what the pattern is of, for people to read.
        pattern: searched for.
        group: of the entry that the pattern is of.
        hits: best first.
        overlays: fitted profile of each hit.
        crystals: of the query, then of each hit.
    """

    title: str
    query: str
    pattern: Pattern
    group: int
    hits: tuple[Hit, ...]
    overlays: tuple[Overlay, ...]
    crystals: tuple[Crystal, ...]


def write_figures(engine: Engine, folder: Path, queries: int, seed: int = 0) -> list[Path]:
    """Draw the map, the heat map and the retrieval of an index into `folder`; return the files.

    Args:
        engine: searches.
        folder: made when missing.
        queries: patterns of the map.
        seed: of the choice of entries, of the artefacts and of t-SNE.

    Raises:
        UserError: scikit-learn is missing, or `queries` is not between 50 and the number of entries.
    """
    if find_spec("sklearn") is None:
        raise UserError("t-SNE needs the scikit-learn package, which is not installed; run: pip install scikit-learn")
    folder.mkdir(parents=True, exist_ok=True)
    chosen = choose_queries(engine, queries, seed)
    pictures = {
        "tsne.png": map_figure(embedding_map(engine, chosen, seed)),
        "similarity.png": similarity_figure(similarity_table(engine, chosen)),
        "retrieval.png": retrieval_figure(retrieve(engine, int(chosen.rows[0]), seed)),
    }
    for name, figure in pictures.items():
        figure.savefig(folder / name, dpi=RESOLUTION)
    return [folder / name for name in pictures]


def choose_queries(engine: Engine, queries: int, seed: int) -> Queries:
    """Choose entries at random and simulate an ideal sample's pattern of each; UserError for too many or few."""
    index = engine.index
    if not COMPARED <= queries <= len(index):
        raise UserError(
            f"figures of index {index.manifest.name!r} need {COMPARED} to {len(index)} queries, got {queries}"
        )
    rows = np.random.default_rng(seed).permutation(len(index))[:queries]
    patterns = simulate_all([index.crystal(int(row)) for row in rows], IDEAL, seed)
    vectors = engine.embedder.embed_patterns([find_lines(p) for p in patterns])
    return Queries(_title(engine), rows, tuple(patterns), vectors)


def embedding_map(engine: Engine, chosen: Queries, seed: int) -> EmbeddingMap:
    """Lay the embeddings of the patterns out in the plane: t-SNE of their cosines, van der Maaten and Hinton (2008)."""
    from sklearn.manifold import TSNE

    method = TSNE(perplexity=PERPLEXITY, metric="cosine", init="pca", random_state=seed)
    title = f"{chosen.title}\n{len(chosen.rows):,} patterns, simulated at severity {IDEAL:g}"
    return EmbeddingMap(title, method.fit_transform(chosen.vectors), engine.index.entries.volume[chosen.rows])


def similarity_table(engine: Engine, chosen: Queries) -> SimilarityTable:
    """Compare the first patterns with their crystals; these are sorted by volume."""
    rows = chosen.rows[:COMPARED]
    order = np.argsort(engine.index.entries.volume[rows])
    crystals = engine.index.vectors.reconstruct_batch(rows[order])
    return SimilarityTable(chosen.title, chosen.vectors[order] @ crystals.T)


def retrieve(engine: Engine, row: int, seed: int) -> Retrieval:
    """Search for the pattern of an ordinary sample of one entry."""
    (pattern,) = simulate_all([engine.index.crystal(row)], ORDINARY, seed)
    hits = engine.query([pattern], SHOWN)[0].hits
    entries = engine.index.entries
    query = f"query: {entries.ids[row]}, {_subscripts(entries.formulas[row])}, simulated at severity {ORDINARY:g}"
    overlays = tuple(engine.overlay(pattern, hit) for hit in hits)
    crystals = tuple(engine.index.crystal(r) for r in (row, *(hit.row for hit in hits)))
    return Retrieval(_title(engine), query, pattern, int(entries.group[row]), hits, overlays, crystals)


def map_figure(layout: EmbeddingMap) -> "Figure":
    """Draw each pattern as a point, coloured by the volume of its cell."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    figure = Figure(figsize=(6.2, 5.2), layout="constrained")
    axes = figure.subplots()
    norm = LogNorm(*np.percentile(layout.volume, [1, 99]))
    right, up = layout.position.T
    points = axes.scatter(right, up, c=layout.volume, norm=norm, cmap="viridis", edgecolors=INK, linewidths=0.2)
    points.set_sizes([600 / np.sqrt(len(right))])  # points²: few are seen, many do not hide each other
    bar = figure.colorbar(points, ticks=LogLocator(subs=[1, 2, 5]), extend="both", extendfrac=0.03)
    bar.set_label("volume of the primitive cell (Å³)")
    bar.formatter = StrMethodFormatter("{x:,.0f}")
    axes.set(xlabel="t-SNE 1", ylabel="t-SNE 2", xticks=[], yticks=[], title=layout.title, box_aspect=1)
    return figure


def similarity_figure(table: SimilarityTable) -> "Figure":
    """Draw the table as a heat map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.2, 5.4), layout="constrained")
    axes = figure.subplots()
    count = len(table.values)
    image = axes.imshow(
        table.values, cmap="Blues", interpolation="nearest", extent=(0.5, count + 0.5, count + 0.5, 0.5)
    )
    figure.colorbar(image, label="similarity (cosine of the embeddings)")
    ticks = [1, *range(10, count + 1, 10)]
    axes.set(xlabel="crystal, from the smallest cell to the largest", xticks=ticks)
    axes.set(ylabel=f"pattern (severity {IDEAL:g}), in the same order", yticks=ticks)
    axes.set_title(f"{table.title}\n{table.right} of {count} row maxima on the diagonal")
    return figure


def retrieval_figure(retrieval: Retrieval) -> "Figure":
    """Draw the query with the crystal it is of, and below them the fitted profile and the crystal of each hit."""
    from matplotlib.figure import Figure

    hits, small = retrieval.hits, {"fontsize": "small", "frameon": False, "handletextpad": 0.4}
    figure = Figure(figsize=(8.5, 10), layout="constrained")
    grid = figure.subplots(1 + len(hits), 2, sharex="col", sharey="col", width_ratios=[3.2, 1])
    grid[0, 0].plot(retrieval.pattern.two_theta, retrieval.pattern.intensity, color=INK, linewidth=0.8)
    grid[0, 0].margins(x=0)
    grid[0, 0].legend(handles=element_key(), loc="upper right", ncols=3, **small)
    grid[0, 0].set_title(retrieval.query, loc="left", fontsize="medium")
    for axes, hit, overlay in zip(grid[1:, 0], hits, retrieval.overlays, strict=True):
        _draw_overlay(axes, overlay)
        axes.set_title(_hit_title(hit, hit.group == retrieval.group), loc="left", fontsize="medium")
    for axes, crystal in zip(grid[:, 1], retrieval.crystals, strict=True):
        draw_crystal(axes, crystal)
    grid[1, 0].legend(loc="upper right", **small)
    grid[-1, 0].set_xlabel(f"2θ (°), λ = {retrieval.pattern.wavelength:.4f} Å")
    grid[-1, 1].set_xlabel(f"along the shortest axis,\n{WINDOW:g} × {WINDOW:g} Å")
    figure.supylabel("intensity (counts)", fontsize="medium")
    figure.suptitle(f"{retrieval.title}: the best {len(hits)} structures")
    return figure


def reliability_figure(report: CalibrationReport) -> "Figure":
    """Draw how often answers of each probability are right; a calibrated verdict stays on the diagonal."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 4.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    _draw_reliability(panels[0], report.reliability, "the structure, or one whose lines look the same")
    _draw_reliability(panels[1], report.exact_reliability, "the very structure")
    panels[0].set_ylabel("share of first hits that are right")
    made = report.calibration
    figure.suptitle(f"{made.index}, embedder {made.embedder}: {made.queries:,} simulated patterns, held-out formulas")
    return figure


def write_reliability(report: CalibrationReport, path: Path) -> None:
    """Draw the reliability diagram of a calibration into a file."""
    reliability_figure(report).savefig(path, dpi=RESOLUTION)


def _draw_reliability(axes: "Axes", reliability: Reliability, title: str) -> None:
    """Draw one reliability diagram; each point says how many queries it stands for."""
    axes.plot([0, 1], [0, 1], color=LIGHT, linewidth=1)
    probability, share = ([getattr(b, name) for b in reliability.bins] for name in ("probability", "share"))
    axes.plot(probability, share, "-o", color=BLUE, markersize=5)
    for point in reliability.bins:
        number = axes.annotate(
            f"{point.queries:,}", (point.probability, point.share), (6, -10), "data", "offset points"
        )
        number.set(fontsize="x-small", color=INK)
    axes.set(xlabel="probability", xlim=(-0.03, 1.12), ylim=(-0.06, 1.04))
    axes.set_title(f"{title}\nexpected calibration error {reliability.error:.3f}", fontsize="medium")


def _title(engine: Engine) -> str:
    """Name the index and the embedder."""
    return f"{engine.index.manifest.name}, embedder {engine.embedder.name}"


def _draw_overlay(axes: "Axes", overlay: Overlay) -> None:
    """Draw the fitted profile over the measured one."""
    axes.fill_between(overlay.two_theta, overlay.measured, color=LIGHT, linewidth=0, label="query")
    axes.plot(overlay.two_theta, overlay.calculated, color=BLUE, linewidth=1, label="fitted profile of the hit")


def _hit_title(hit: Hit, right: bool) -> str:
    """Return rank, id, formula and fit, and whether this is what the query is of."""
    fit = "not fitted" if hit.fit is None else f"fit {hit.fit:.3f}"
    return f"{hit.rank}: {hit.id}, {_subscripts(hit.formula)}, {fit}" + (" (right structure)" if right else "")


def _subscripts(formula: str) -> str:
    """Set the counts of a formula as subscripts."""
    return re.sub(r"([\d.]+)", r"$_{\1}$", formula)
