"""Runs being written, from the spool to their commit, and the marks by which machines agree."""

from archive.runs.watch_marks import MarkKind, WatchMarks

__all__ = ["MarkKind", "WatchMarks"]
