"""No test waits for a span of time and hopes: tests wait for a condition, and `tests.waiting` is where they poll.

What still sleeps is listed here, with how often; the list may only get shorter. A sleep is right where it is what a
server does (a slow site), where a moment is chosen at random (a kill), or where another program counts in seconds.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent
SLEEPS = {  # by the name of a file, wherever it lies
    "__main__.py": 1,  # no test
    "authority.py": 1,  # an authority that dawdles
    "clocks.py": 1,  # moments at random
    "command.py": 1,  # until the next second, by the clock
    "conftest.py": 2,  # servers that dawdle
    "proxy.py": 1,  # a server that is too slow
    "servers.py": 1,  # it polls, and names what the server said
    "site.py": 4,  # a slow site
    "test_archive.py": 1,  # run ids count in milliseconds
    "test_browser.py": 3,  # a stream of events; a moment at random
    "test_commands.py": 1,  # a server that never answers
    "test_cron_daemon.py": 2,  # cron counts in seconds; a page that is slow
    "test_fetch_many.py": 1,  # a server that drips
    "test_fetch_process.py": 1,  # a consumer that is slow
    "test_history.py": 1,  # a server that never answers
    "test_hostile.py": 4,  # servers; and a source without end, which would run on
    "test_machines.py": 1,  # a moment at random
    "test_many_hands.py": 1,  # a moment at random
    "test_redaction.py": 1,  # a moment at random
    "waiting.py": 1,
    "writers.py": 1,  # a proxy that writes behind its answers
}


def sleeps(path: Path) -> int:
    """How many calls of `sleep` of `time` or `asyncio` a file has."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    named = (each for each in calls if isinstance(each, ast.Attribute) and each.attr == "sleep")
    return sum(isinstance(each.value, ast.Name) and each.value.id in {"time", "asyncio"} for each in named)


def test_no_test_sleeps_that_did_not_before() -> None:
    files = [path for path in sorted(ROOT.rglob("*.py")) if "bench" not in path.relative_to(ROOT).parts]
    found = Counter[str]()
    for path in files:
        found[path.name] += sleeps(path)
    assert +found == SLEEPS, "wait for a condition (tests.waiting); where a sleep has gone, make the list shorter"
