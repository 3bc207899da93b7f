"""``--help`` of every command is quick and loads nothing heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = (
    "search",
    "search query",
    "search benchmark",
    "search refine",
    "search figures",
    "indexer",
    "indexer build",
    "models",
    "models train cpcp",
    "ui",
    "xtalscout",
    "xtalscout build",
    "xtalscout refine",
    "xtalscout solve",
    "xtalscout watch",
)
HEAVY = ("scipy", "pymatgen", "faiss", "rietx", "gradio", "plotly", "torch", "onnxruntime", "duckdb")
LONGEST = 0.5  # seconds of the processor's time
RUN = """
import runpy, sys
module = sys.argv.pop(1)
if module == "xtalscout":
    import xtalscout
    xtalscout.main()
else:
    runpy.run_module(module, run_name="__main__")
"""


def processor_seconds(command: list[str]) -> float:
    """User and system time of a process that must end well."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs a POSIX system")
@pytest.mark.parametrize("command", COMMANDS)
def test_help_takes_less_than_half_a_second(command):
    call = [sys.executable, "-c", RUN, *command.split(), "--help"]
    assert min(processor_seconds(call) for _ in range(2)) < LONGEST


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_nothing_heavy(command):
    code = f"""
try: exec({RUN!r})
except SystemExit: print("loaded:", [m for m in {HEAVY!r} if m in sys.modules])
"""
    call = [sys.executable, "-c", code, *command.split(), "--help"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
