"""The page as people start it: ``python -m ui`` in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def serve(home: Path | None, log_folder: Path) -> Iterator[str]:
    """Run ``python -m ui`` on a free port until the caller is done; `home` None is the user's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ui", "--port", str(port), "--no-open"]
    if home is not None:
        command += ["--index", "coremof2019-asr"]
    log = log_folder / "server.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, cwd=ROOT, env=environment(home), stdout=out, stderr=out) as server,
    ):
        try:
            deadline = time.monotonic() + 180
            while "Xtalscout is at http" not in log.read_text():
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, "the server did not start within three minutes"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def environment(home: Path | None) -> dict[str, str]:
    chosen = {} if home is None else {"XTALSCOUT_HOME": str(home)}
    return {**os.environ, "OMP_NUM_THREADS": "1", "XTALSCOUT_SECONDS": "1", **chosen}
