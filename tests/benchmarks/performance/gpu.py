"""Check and measure what only a GPU can show: python tests/benchmarks/performance/gpu.py [INDEX].

FAISS on the GPU beside FAISS on the CPU, the encoders and the denoiser through CUDA beside the CPU, and how fast the
`gpu` presets train; the results are compared, not only timed. It ends within `LIMIT` seconds. Without a GPU it says so
and ends with 0; with one, it ends with 1 when a check failed or could not be made.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from report import machine, today

from xtal.errors import UserError

LIMIT = 600.0  # s, for everything
LEARNING, PREPARING = 45.0, 75.0  # s of each training, and of what comes before its first step
GALLERIES, NEAREST, BATCHES = (100_000, 1_000_000, 10_000_000), 300, (1, 100, 1000)
FITS = 0.8  # of the GPU's memory, that a gallery may take
SAME_SCORE, SAME_VECTOR, SAME_PREDICTION = 1e-5, 1e-3, 2e-2  # largest differences: FAISS, unit vectors, of the largest
ATOMS, CRYSTALS = (50, 100, 200), 20
TRAININGS = {
    "cpcp": ["--crystals", "reciprocal", "--batch", "1024"],
    "cpcp, the paper's crystal network": ["--crystals", "cspnet", "--batch", "256"],
    "ccsg": ["--max-atoms", "100"],
}
SEED = 1


def main(index: str = "coremof2019-asr") -> int:
    """Run all checks; return the exit code."""
    found = gpus()
    if not found:
        print("No GPU on this machine (nvidia-smi finds none): nothing was checked, nothing is claimed.")
        return 0
    print(f"{today()}, {machine()}\n" + "\n".join(found), flush=True)
    begun, failed = time.monotonic(), 0
    checks: list[Callable[[str], Iterator[str]]] = [neighbours, encoders, denoiser]
    checks += [partial(training, name) for name in TRAININGS]
    for check in checks:
        if time.monotonic() - begun > LIMIT - LEARNING - PREPARING:
            print("not checked: the time is up")
            failed += 1
            continue
        try:
            for line in check(index):
                print(line, flush=True)
        except (UserError, ImportError, AssertionError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"FAILED: {error}", flush=True)
            failed += 1
    print(f"{len(checks) - failed} of {len(checks)} checks passed in {time.monotonic() - begun:.0f} s")
    return 1 if failed else 0


def gpus() -> list[str]:
    """Return a line for each GPU."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    asked = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def neighbours(index: str) -> Iterator[str]:
    """Search galleries on the CPU and on all GPUs."""
    import faiss

    if not faiss.get_num_gpus():
        raise UserError("this FAISS does not know of GPUs; install the extra gpu, not cpu")
    from indexer.storage import open_index

    opened = open_index(index)
    real = np.asarray(opened.vectors.reconstruct_n(0, len(opened)), np.float32)
    free = FITS * memory()
    for count in (count for count in GALLERIES if count * real.shape[1] * 4 < free):
        vectors, queries = near(real, count), near(real, max(BATCHES), SEED + 1)
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        there = faiss.index_cpu_to_all_gpus(flat)
        few = queries[:10]
        (cpu, expected), (gpu, rows) = flat.search(few, NEAREST), there.search(few, NEAREST)
        worst = float(np.abs(cpu - gpu).max())
        same = np.mean([len(np.intersect1d(*pair)) / NEAREST for pair in zip(expected, rows, strict=True)])
        if worst > SAME_SCORE or same < 0.999:
            raise UserError(
                f"FAISS: {count:,} vectors: scores differ by {worst:.1e}, {same:.2%} of the rows are the same"
            )
        for size in BATCHES:
            here = seconds(partial(flat.search, queries[:size], NEAREST), 1)
            took = seconds(partial(there.search, queries[:size], NEAREST))
            yield (
                f"FAISS, {count:,} vectors, {size} queries: CPU {1000 * here / size:.3g} ms a query, "
                f"GPU {1000 * took / size:.3g} ({here / took:.3g} times); {same:.2%} of {NEAREST} rows the same"
            )


def encoders(index: str) -> Iterator[str]:
    """Embed patterns and crystals through CUDA."""
    import models
    from indexer.storage import open_index
    from search.benchmark.gallery import held_out
    from xtal.patterns.linefinder import find_lines
    from xtal.physics.simulate import simulate_all

    cpu, gpu = (models.load(device=device) for device in ("cpu", "cuda"))
    opened = open_index(index)
    rows = held_out(opened)[:100]
    crystals = [opened.crystal(int(row)) for row in rows]
    lines = [find_lines(pattern) for pattern in simulate_all(crystals, 1.0, SEED)]
    table = opened.lines.take(rows)
    ways: dict[str, Callable] = {
        "patterns": lambda model: model.embed_patterns(lines * 10),
        "crystals": lambda model: model.embed_crystals(crystals, table),
    }
    for what, way in ways.items():
        worst = float(np.abs(way(cpu) - way(gpu)).max())
        if worst > SAME_VECTOR:
            raise UserError(f"encoder of {what}: CPU and GPU differ by {worst:.1e}")
        count = len(way(cpu))
        here, there = (1000 * seconds(partial(way, model)) / count for model in (cpu, gpu))
        yield f"encoder, {count} {what}: CPU {here:.3g} ms each, CUDA {there:.3g}; they differ by {worst:.1e} at most"


def denoiser(_index: str) -> Iterator[str]:
    """Ask the denoiser that comes with the package through CUDA."""
    from models.ccsg.denoiser import Denoiser, Memory

    cpu, gpu = (Denoiser(None, device) for device in ("cpu", "cuda"))
    own, rng = cpu.config.denoiser, np.random.default_rng(SEED)
    for atoms in ATOMS:
        tokens = rng.standard_normal((CRYSTALS, 1 + own.lines, own.width)).astype(np.float32)
        memory = Memory(tokens, np.zeros(tokens.shape[:2], np.float32))
        shape = (CRYSTALS, atoms)
        given = rng.integers(1, 30, shape), rng.random((*shape, 3)), rng.standard_normal((CRYSTALS, 6))
        scores = [model.predict(*given, 500, memory)[0] for model in (cpu, gpu)]
        worst = float(np.abs(scores[0] - scores[1]).max() / np.abs(scores[0]).max())
        if worst > SAME_PREDICTION:
            raise UserError(f"denoiser at {atoms} atoms: CPU and GPU differ by {worst:.1e} of the largest score")
        here = 1000 * seconds(partial(cpu.predict, *given, 500, memory), 1) / CRYSTALS
        there = 1000 * seconds(partial(gpu.predict, *given, 500, memory)) / CRYSTALS
        yield (
            f"denoiser, {CRYSTALS} crystals of {atoms} atoms: CPU {here:.3g} ms each, CUDA {there:.3g} "
            f"({here / there:.3g} times); they differ by {worst:.1e} of the largest score"
        )


def training(name: str, _index: str) -> Iterator[str]:
    """Train a little with the `gpu` preset, and read what it took from the log."""
    import torch

    if not torch.cuda.is_available():
        raise UserError("this torch does not know of GPUs; install one with CUDA")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "models", "train", name.split(",")[0], "--source", "coremof2019-asr"]
        command += ["--limit", "1500", "--preset", "gpu", "--minutes", f"{LEARNING / 60:.2f}", "--out", folder]
        done = subprocess.run(
            [*command, *TRAININGS[name]], capture_output=True, text=True, check=False, timeout=LEARNING + PREPARING
        )
        if done.returncode:
            raise UserError(f"training {name}: {done.stderr.strip().splitlines()[-1:]}")
        log = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    steps = [line for line in log if "seconds" in line]
    first, last = steps[len(steps) // 3], steps[-1]  # what is done once is over by then
    rate = (last["step"] - first["step"]) / max(last["seconds"] - first["seconds"], 1e-9)
    yield f"training {name}, preset gpu: {rate:.3g} steps a second, after {last['step']} steps"


def memory() -> float:
    """Return the bytes of the first GPU's memory."""
    return float(gpus()[0].split(",")[1].split()[0]) * 2**20


def near(real: np.ndarray, count: int, seed: int = SEED) -> np.ndarray:
    """Return (count, D) unit vectors near real ones."""
    rng = np.random.default_rng(seed)
    vectors = real[rng.integers(0, len(real), count)]
    for part in np.array_split(np.arange(count), max(1, count // 100_000)):
        vectors[part] += rng.standard_normal((len(part), real.shape[1]), dtype=np.float32) * np.float32(0.003)
        vectors[part] /= np.linalg.norm(vectors[part], axis=1, keepdims=True)
    return vectors


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least time of a few runs, after one that makes ready what is made once."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
