"""How much of everything is tried, and a table of what was."""

import time
from collections.abc import Callable

import pytest

TRIED: list[tuple[str, int, float]] = []


@pytest.fixture
def times(request) -> Callable[[int, int], int]:
    """Return how often something is tried: the first number, or with ``--full`` the second."""

    def chosen(quick: int, full: int) -> int:
        return full if request.config.getoption("--full") else quick

    return chosen


@pytest.fixture
def tried(times):
    """Count trials for the table: call with what was tried and how often, quick and full; returns the number."""
    begun = time.monotonic()
    noted = []

    def note(what: str, quick: int, full: int) -> int:
        noted.append((what, times(quick, full)))
        return noted[-1][1]

    yield note
    TRIED.extend((what, count, time.monotonic() - begun) for what, count in noted)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the table."""
    if TRIED:
        terminalreporter.section("tried")
        for what, count, seconds in TRIED:
            terminalreporter.write_line(f"{count:>8,}  {what} ({seconds:.0f} s)")
