"""Time a build, and watch its memory: python tests/benchmarks/storage/building.py NAME SOURCE [SOURCE ...].

It has a home of its own, the folder ``building`` where it is started, and two workers. Seconds are of the
processor, of all processes of the build; memory is what they hold together at most (what they share counts for each).
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

WORKERS, PAUSE = "2", 0.5  # s between two looks
EVERY = 30.0  # s between two lines


def main(name: str, *sources: str) -> None:
    """Print time, memory and the entries that there are."""
    home = Path("building").absolute()
    environment = {**os.environ, "XTALSCOUT_HOME": str(home)}
    command = [sys.executable, "-m", "indexer", "build", *sources, "--name", name, "--workers", WORKERS]
    begun, most, said = time.monotonic(), 0.0, 0.0
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    spent: dict[int, float] = {}
    while process.poll() is None:
        held = 0.0
        for each in family(process.pid):
            try:
                held += each.memory_info().rss / 2**30
                times = each.cpu_times()
                spent[each.pid] = times.user + times.system
            except psutil.NoSuchProcess:
                continue
        most = max(most, held)
        if time.monotonic() - begun > said + EVERY:
            said = time.monotonic() - begun
            sys.stderr.write(f"{said:.0f} s: {sum(spent.values()):.0f} s of processors, {held:.2f} GiB\n")
        time.sleep(PAUSE)
    took = time.monotonic() - begun
    print(f"exit {process.returncode}; {took:.0f} s, {sum(spent.values()):.0f} s of processors, at most {most:.2f} GiB")


def family(pid: int) -> list[psutil.Process]:
    """Return a process and those it started."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    main(*sys.argv[1:])
