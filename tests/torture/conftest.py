"""What the fault suite counts, and prints at its end."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_TALLY = pytest.StashKey[Counter[str]]()

Tally = Callable[[str, int], None]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count what a test did; the totals are printed behind the tests."""
    totals = request.config.stash.setdefault(_TALLY, Counter())

    def note(what: str, number: int) -> None:
        totals[what] += number

    return note


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a place: thousands of fsyncs wear out a disk and everybody's patience."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="torture-") as folder:
        yield Path(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, number in config.stash.get(_TALLY, Counter()).items():
        terminalreporter.write_line(f"torture: {number:,} {what}")
