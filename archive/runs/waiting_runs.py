"""Runs that wait in the spool for a writer that is gone, looked at and not taken up."""

from __future__ import annotations

import os
from collections.abc import Iterator

from archive.errors import RecordError
from archive.formats.cdxj import parse_line
from archive.runs.journal import JOURNAL, read_journal
from archive.runs.spool import LOCK, Spool
from archive.runs.spool_files import try_lock


def left_runs(spool: Spool) -> Iterator[tuple[str, list[str]]]:
    """Yield the runs whose writer is gone, oldest first, each with the URLs of its captures where these are known."""
    for folder in spool.run_folders():
        try:
            lock = try_lock(folder / LOCK)
            if lock is None:
                continue
            os.close(lock)
            entries = read_journal(folder / JOURNAL).entries
            urls = [str(parse_line(entry["capture"]).fields.get("url")) for entry in entries if "capture" in entry]
        except (OSError, ValueError, RecordError):  # not this user's, or damaged: what takes it up says so
            urls = []
        yield folder.name, urls
