"""What the commands that copy runs print of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.progress import Progress

if TYPE_CHECKING:
    from archive.access import Copied


def told(context: Context, copies: Iterable[Copied], done: str) -> None:
    """Print a line for each run that something was done for; raises IntegrityError when there were faults."""
    from archive.errors import IntegrityError

    runs = files = size = faults = 0
    bar = Progress(enabled=context.draws, total=None, what="copying", unit="run")
    for copied in _counted(copies, bar):
        whole = bool(copied.files) and not copied.faults
        runs += whole and not copied.run.endswith("/")  # that is a part of the store that is no run
        files += copied.files
        size += copied.bytes
        faults += len(copied.faults)
        if context.as_json:
            print_json(asdict(copied))
            continue
        for fault in copied.faults:
            bar.print(f"{plain(copied.run)}: {plain(fault)}", error=True)
        if whole and not context.quiet:
            bar.print(f"{copied.run}: {done}, {many(copied.files, 'file')}, {many(copied.bytes, 'byte')}", error=False)
    context.say(f"{many(runs, 'run')} {done}, {many(files, 'file')}, {many(size, 'byte')}, {many(faults, 'fault')}")
    if faults:
        raise IntegrityError(f"{many(faults, 'fault')} found; what is sound was {done}; for the rest try another copy")


def _counted(copies: Iterable[Copied], bar: Progress) -> Iterator[Copied]:
    """Yield what was copied, each counted on the bar, which ends with them."""
    with closing(bar):
        for copied in copies:
            bar.advance(failed=bool(copied.faults), size=copied.bytes)
            yield copied
