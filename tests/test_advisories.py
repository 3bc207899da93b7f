"""The check for known vulnerabilities warns of those, and never takes silence for safety."""

import json
import subprocess
import sys
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOUND = {"name": "sound", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "mine", "skip_reason": "not found"}


@pytest.fixture(scope="module")
def audit():
    loader = SourceFileLoader("audit", str(ROOT / ".ci" / "audit"))
    module = module_from_spec(spec_from_loader("audit", loader))
    loader.exec_module(module)
    return module


def tool(folder, code: str) -> list[str]:
    path = folder / "tool.py"
    path.write_text(code)
    return [sys.executable, str(path)]


def answering(folder, packages, code: int) -> list[str]:
    return tool(folder, f"print({json.dumps(json.dumps({'dependencies': packages}))}); raise SystemExit({code})")


def test_packages_that_a_source_does_not_know_are_not_called_safe(audit, tmp_path):
    assert audit.asked(answering(tmp_path, [UNKNOWN, UNKNOWN], 0), time.monotonic() + 60) == []


def test_known_vulnerabilities_are_told_with_what_mends_them(audit, tmp_path, capsys):
    found = audit.asked(answering(tmp_path, [SOUND, BAD, UNKNOWN], 1), time.monotonic() + 60)
    assert audit.told(found) == 1
    said = capsys.readouterr().out
    assert "bad 2.0: PYSEC-1, mended in 2.1" in said
    assert "2 packages compared, 1 known vulnerabilities" in said


def test_nothing_known_is_said_with_the_number_of_packages(audit, capsys):
    assert audit.told([SOUND]) == 0
    assert "1 packages compared, 0 known" in capsys.readouterr().out


def test_a_source_that_answers_in_prose_is_passed_over(audit, tmp_path):
    assert audit.asked(tool(tmp_path, "print('no network')"), time.monotonic() + 60) == []


def test_it_does_not_wait_for_ever(audit, tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        audit.asked(tool(tmp_path, "import time; time.sleep(600)"), time.monotonic() + 0.5)


def test_a_machine_without_the_tool_skips_it_with_a_word(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit.venv, "create", lambda *_, **__: None)  # so that there is no pip either
    assert audit.main(sys.executable) == 0
    assert "advisories: skipped" in capsys.readouterr().out
