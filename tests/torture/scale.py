"""How long the fault suite goes on: a short form with all other tests, a long one by `make torture`."""

from __future__ import annotations

import os

LONG = os.environ.get("TORTURE") == "long"


def count(name: str, short: int, long: int) -> int:
    """How many of something there are to be: `TORTURE_<NAME>` wins over both forms."""
    return int(os.environ.get(f"TORTURE_{name}", long if LONG else short))


def examples(short: int) -> int:
    """How many examples a property is tried with: these in the short form, twenty times as many in the long one."""
    return count("EXAMPLES", short, 20 * short)
