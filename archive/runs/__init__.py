"""Runs being written, from the spool to their commit, and the marks by which machines agree."""

from archive.runs.garbage import Orphan
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from archive.runs.watch_marks import MarkKind, WatchMarks

__all__ = ["MarkKind", "Orphan", "RunSettings", "Session", "WatchMarks"]
