"""Count the states and orders of the model, with what machines say to each other in the store and without it.

`python -m tests.archive.race_table [ORDERS] ['writer, gc']...` prints a line for each group of agents: how many orders
of their calls were run, the states that these led through, and how many orders lost, doubled or half showed a run; then
the same where nobody says what it is about to do, where gc looks at the clock of its own machine, and a writer does not
look again. Redactions take turns in both.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import archive.times
from storage.base import ObjectStore
from tests.archive.races import Agent, explored
from tests.archive.test_races import SOME


@contextmanager
def _unsaid(_store: ObjectStore, _run: str, _manifest: str | None = None) -> Iterator[Callable[[], bool]]:
    yield lambda: True


def _own_clock(_agent: Agent) -> datetime:
    return archive.times.now()


def _without() -> ExitStack:
    """Take the protocol out of the program, until the stack is closed."""
    off = ExitStack()
    off.enter_context(patch("archive.coordination.intents.to_commit", lambda *_: nullcontext()))
    off.enter_context(patch("archive.index.compaction.to_commit", lambda *_: nullcontext()))
    off.enter_context(patch("archive.runs.garbage.to_remove", _unsaid))
    off.enter_context(patch("archive.index.cleanup.to_remove", _unsaid))
    off.enter_context(patch("archive.runs.commit._put_back", lambda *_, **__: None))
    off.enter_context(patch.object(Agent, "now", _own_clock))
    return off


def _main(most: int, groups: list[tuple[str, ...]]) -> None:
    print("| agents | orders | states | lose | without: orders | states | lose |\n|---|---|---|---|---|---|---|")
    for names in groups:
        cells = [", ".join(names)]
        for way in (ExitStack, _without):
            with way(), tempfile.TemporaryDirectory() as folder:
                found = explored(Path(folder), names, most)
            cells += [f"{found.orders:,}", f"{len(found.states):,}", f"{len(found.losing):,}"]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    asked = sys.argv[2:]
    _main(int(sys.argv[1]) if sys.argv[1:] else 40, [names for names in SOME if not asked or ", ".join(names) in asked])
