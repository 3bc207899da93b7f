"""The examples of docs/api.md, run one after the other against a running server."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ADDRESS = "http://127.0.0.1:7860"  # as the document has it


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, sample, monkeypatch):
    """A working folder with the pattern that the examples read."""
    shutil.copy(sample, tmp_path / "sample.xye")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_examples_run(api, folder, capsys):
    examples = blocks("python")
    assert len(examples) == 8
    assert ADDRESS in examples[0]
    names: dict[str, object] = {}
    printed = []
    for example in examples:
        exec(compile(example.replace(ADDRESS, api[0]), "docs/api.md", "exec"), names)  # noqa: S102
        printed.append(capsys.readouterr().out)
    assert re.search(r"^match \d+%$", printed[0], re.MULTILINE)
    assert (folder / "best.cif").read_text().startswith("#")
    assert (folder / "sample.svg").read_bytes().startswith(b"<?xml")
    assert re.search(r"^0\.\d+ \d+\.\d+ ", printed[3])
    assert "_pd_proc_ls_prof_wR_factor" in (folder / "refined.cif").read_text()
    found, kept, edited = printed[4].split()
    assert int(found) > int(kept) > 1
    assert edited == "True"
    assert printed[5].count("a proposal, not verified") == 2
    assert "sample.xye" in printed[6]
    assert "'Zz' is no element symbol" in printed[7]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_examples_run(api, folder):
    plain, health, search = (run(example.replace(ADDRESS, api[0]), folder) for example in blocks("bash"))
    assert len(json.loads(plain)["hits"]) == 3
    assert json.loads(health)["status"] == "ready"
    event, data = search.strip().splitlines()
    assert event == "event: complete"
    assert len(json.loads(data.removeprefix("data: "))[0]["hits"]) == 3


def run(script: str, folder: Path) -> str:
    command = ["bash", "-euc", script]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout


def test_every_endpoint_is_named():
    from ui.api.api import Endpoints

    named = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert named == {name for name in vars(Endpoints) if not name.startswith("_")}
