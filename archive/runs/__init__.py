"""Runs being written, from the spool to their commit, and garbage collection."""

from archive.runs.garbage import Orphan
from archive.runs.known_stores import KnownStores, StoreChanged
from archive.runs.session import Session
from archive.runs.spool import Spool
from archive.runs.waiting_runs import left_runs
from archive.runs.warc_files import RunSettings

__all__ = ["KnownStores", "Orphan", "RunSettings", "Session", "Spool", "StoreChanged", "left_runs"]
