"""What the judge of snapshots reads of an archive, where the index does not say enough."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from archive.errors import ArchiveError
from archive.model import DocumentRef, Snapshot, TextMark
from archive.reader import Reader
from archive.states import mark_of
from storage.errors import StoreError

Same = Callable[[Reader, Snapshot, Snapshot], bool | None]  # whether one extractor reads one text in both

_KEPT_MARKS = 20_000
_REDIRECTS = 20
_MOST_READS = 5_000  # documents that are read for an index of before 0.5
_MOST_REREADS = 100  # pages that are extracted again


class StoredTexts:
    """What the judge reads of an archive. `same` reads two captures again, where two extractors made their texts."""

    def __init__(
        self, reader: Reader, same: Same | None = None, words: dict[str, frozenset[str]] | None = None
    ) -> None:
        """`words` are those of texts that the archive does not have yet, by place."""
        self._reader = reader
        self._same = same
        self._words = words or {}
        self._marks: OrderedDict[DocumentRef, TextMark | None] = OrderedDict()
        self._reads, self._rereads = _MOST_READS, _MOST_REREADS  # that are left: what is beyond is not compared

    def mark(self, snapshot: Snapshot) -> TextMark | None:
        """Return the mark of a snapshot's text; that of an index of before 0.5 is made of its document."""
        ref = snapshot.document
        if snapshot.text is not None or ref is None:
            return snapshot.text
        if ref not in self._marks:
            self._marks[ref] = self._read_mark(snapshot)
            if len(self._marks) > _KEPT_MARKS:
                self._marks.popitem(last=False)
        return self._marks[ref]

    def _read_mark(self, snapshot: Snapshot) -> TextMark | None:
        self._reads -= 1
        if self._reads < 0:
            return None
        try:
            document = self._reader.document(snapshot)
        except (ArchiveError, StoreError):  # `get` and `verify` say so: here there is nothing to compare
            return None
        return mark_of(document.article, rendered=document.rendered is not None) if document else None

    def words(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the words of a snapshot's text, in lower case."""
        if snapshot.place in self._words:
            return self._words[snapshot.place]
        try:
            document = self._reader.document(snapshot)
        except (ArchiveError, StoreError):
            return frozenset()
        return frozenset((document.article.text or "").lower().split()) if document else frozenset()

    def final(self, redirect: Snapshot) -> Snapshot | None:
        """Return the snapshot that a redirect led to at its time, None where none is kept."""
        found: Snapshot | None = redirect
        seen = {redirect.place}
        while found is not None and found.is_redirect and found.location is not None and len(seen) <= _REDIRECTS:
            try:
                found = self._reader.near(found.location, redirect.timestamp, shown=True)
            except (ArchiveError, StoreError):
                return None
            if found is not None and found.place in seen:
                return None
            seen.add(found.place if found else "")
        return found

    def same(self, earlier: Snapshot, later: Snapshot) -> bool | None:
        """Return whether one extractor reads one text in both."""
        self._rereads -= 1
        try:
            return self._same(self._reader, earlier, later) if self._same and self._rereads >= 0 else None
        except (ArchiveError, StoreError):
            return None
