"""The one way in which tests wait: for a condition, with a limit that only something broken reaches."""

from __future__ import annotations

import time
from collections.abc import Callable

LIMIT = 120.0  # seconds: a busy machine takes its time


def wait_for(condition: Callable[[], object], limit: float = LIMIT) -> None:
    """Return once the condition is true; raises AssertionError where it stays false."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "what a test waits for has not come"
        time.sleep(0.02)
