"""How writers, garbage collection and watching machines agree: intents, leases, marks, and the store's clock."""

from archive.coordination.watch_marks import MarkKind, WatchMarks

__all__ = ["MarkKind", "WatchMarks"]
