"""Rules that no linter knows: `python -m tests.checks`, a part of `make check`.

With --shorten, files that break a rule no more are struck off the lists in tests/checks/allowed/.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.checks import import_cycles
from tests.checks.sizes import long_functions, long_modules
from tests.checks.sources import LISTS, Hits, allowed, judged
from tests.checks.words import banned_words, no_imperatives

ROOT = Path(__file__).parents[2]
RULES: dict[str, Callable[[Path], Hits]] = {
    "long-modules.txt": long_modules,
    "long-functions.txt": long_functions,
    "banned-words.txt": banned_words,
    "imperative-docstrings.txt": no_imperatives,
}


def faults(root: Path = ROOT) -> list[str]:
    """Return everything that breaks a rule, a line each."""
    found = import_cycles.faults(root)
    for name, rule in RULES.items():
        found += judged(rule(root), LISTS / name)
    return found


def shorten(root: Path = ROOT) -> None:
    """Strike off the lists what breaks a rule no more; nothing is ever added."""
    for name, rule in RULES.items():
        path = LISTS / name
        head = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
        path.write_text("\n".join([*head, *sorted(allowed(path) & rule(root).keys())]) + "\n", "utf-8")


def main() -> int:
    """Print what breaks a rule; returns the exit code."""
    if "--shorten" in sys.argv[1:]:
        shorten()
    found = faults()
    print("\n".join(found) or "no circle of imports; nothing too long, and no word of our own, that is not on a list")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
