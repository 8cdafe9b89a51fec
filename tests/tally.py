"""What tests count, printed behind them: the counts travel with the reports, from the workers to whoever prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

Tally = Callable[[str, int], None]

_NAME = "tally"


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Count what a test did; the totals are printed behind the tests."""
    return lambda what, number: request.node.user_properties.append((_NAME, (what, int(number))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals = Counter[str]()
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == _NAME:
                totals[value[0]] += value[1]
    for what, number in totals.items():
        terminalreporter.write_line(f"torture: {number:,} {what}")
