"""Builds that end early: killed, or with Ctrl+C."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from indexer_helpers import CIFS, scripted_plan

import indexer.build
from indexer.build import build, finished_records
from indexer.storage import store
from xtal.errors import UserError

SHARD = 100  # instead of 1000: quick, and still several shards
ENTRIES = 450
KILLED = """
import sys
from pathlib import Path
import indexer.build
from test_interrupted_build import SHARD, many_plan
if __name__ == "__main__":
    indexer.build.SHARD = SHARD
    indexer.build.build(many_plan(Path(sys.argv[1])), workers=1)
"""


def many_plan(home):
    """Enough light records for five shards, the last one not full."""
    text = CIFS[0][1]
    return scripted_plan(home, *((f"salt-{n}", text) for n in range(ENTRIES)))


def wait_for(condition, process):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at processes through /proc")
def test_a_killed_build_leaves_nothing_visible_and_the_next_one_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("indexer.build.SHARD", SHARD)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    plan = many_plan(tmp_path)
    folders = Path(__file__).parent, Path(__file__).parents[1] / "helpers", Path(indexer.build.__file__).parents[1]
    paths = os.pathsep.join(map(str, folders))
    victim = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env={**os.environ, "PYTHONPATH": paths})
    wait_for(lambda: finished_records(plan) > 0, victim)
    children = Path(f"/proc/{victim.pid}/task/{victim.pid}/children").read_text().split()
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    deadline = time.monotonic() + 10
    while any(running(child) for child in children):
        assert time.monotonic() < deadline, "a worker outlives the killed build"
        time.sleep(0.05)
    with pytest.raises(UserError, match=r"index 'mine' not found .* built indexes: none"):
        store.open_index("mine", tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in plan.folder.glob("shard-*")}
    assert 1 <= len(kept) < 4
    prepared = []
    real_map = indexer.build.CrashProofPool.map
    monkeypatch.setattr(
        indexer.build.CrashProofPool,
        "map",
        lambda pool, chunks: real_map(pool, (prepared.append(len(c)) or c for c in chunks)),
    )
    counted = []
    manifest = build(plan, workers=1, progress=lambda *report: counted.append(report))
    assert sum(prepared) == ENTRIES - SHARD * len(kept)
    assert sum(count for stage, count, _ in counted if stage == "prepare") == ENTRIES
    assert counted[-1][2] == ENTRIES
    assert [total for stage, _, total in counted if stage == "prepare"][-1] == ENTRIES
    assert manifest.counts.entries == ENTRIES
    assert manifest.counts.groups == 1
    assert store.open_index("mine", tmp_path).entries.ids[-1] == f"salt-{ENTRIES - 1}"
    assert not plan.folder.exists()


def test_a_build_killed_while_it_clears_up_can_be_repeated(tmp_path, monkeypatch):
    """Its parts are half removed then."""

    remove = shutil.rmtree

    def half(folder, **how):
        if not folder.name.startswith((".building-", ".removed-")):
            return remove(folder, **how)
        next(folder.rglob("*.npz")).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.build.SHARD", SHARD)
    with monkeypatch.context() as killed:
        killed.setattr("indexer.storage.files.shutil.rmtree", half)
        with pytest.raises(KeyboardInterrupt):
            build(many_plan(tmp_path), workers=1)
    assert store.open_index("mine", tmp_path).manifest.counts.entries == ENTRIES
    assert build(many_plan(tmp_path), workers=1).counts.entries == ENTRIES
    assert {path.name for path in (tmp_path / "indexes" / "mine").iterdir()} == {
        "current",
        store.read_manifest("mine", tmp_path).build_id,
    }


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_an_interrupted_command_says_how_to_go_on(tmp_path):
    environment = {**os.environ, "XTALSCOUT_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "indexer", "build", "coremof2019-asr", "--workers", "1"]
    process = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )
    while "entries/s" not in process.stderr.readline(200):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: parent and workers alike
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "finished records are kept: run the same command again to go on" in rest
    assert "Traceback" not in rest
