"""Which captures of an imported file are pages: those that its lists of pages name, and what these lead to."""

from __future__ import annotations

from archive.formats import urlkey
from archive.importers import ForeignRecord
from archive.model import Snapshot
from pipeline.extract.tasks import MAYBE_PAGES


class NamedPages:
    """The pages that a file names, by their URL keys: scheme, fragment, default port and final slash do not count."""

    def __init__(self, urls: frozenset[str] | None) -> None:
        """`urls` are those of the file's lists of pages; None without a list: any page counts."""
        self._keys = None if urls is None else {urlkey(url) for url in urls}
        self._leads: dict[str, set[str]] = {}  # keys of redirects, and of where they lead
        self._waiting: list[Snapshot] = []  # could be pages, if a redirect leads to them

    def names(self, url: str) -> bool:
        """Return whether a list names a URL; without a list, every URL counts."""
        return self._keys is None or urlkey(url) in self._keys

    def note(self, snapshot: Snapshot) -> None:
        """Know where a capture leads."""
        if self._keys is not None and snapshot.location:
            self._leads.setdefault(urlkey(snapshot.url), set()).add(urlkey(snapshot.location))

    def note_revisit(self, snapshot: Snapshot, original: Snapshot) -> None:
        """Know that a page's text lies with another capture."""
        self.note(snapshot)
        if self._keys is not None and snapshot.location is None and self.names(snapshot.url):
            self._keys.add(urlkey(original.payload.url))

    def wait(self, snapshot: Snapshot) -> None:
        """Hold a capture that no list names until it is known where the pages lead."""
        self._waiting.append(snapshot)

    def settled(self) -> list[tuple[Snapshot, bool]]:
        """Return the captures that were held, each with whether it is a page; nothing is held afterwards."""
        keys = self._keys or set()
        ahead = list(keys)
        while ahead:
            for key in self._leads.get(ahead.pop(), ()):
                if key not in keys:
                    keys.add(key)
                    ahead.append(key)
        held, self._waiting = self._waiting, []
        return [(snapshot, urlkey(snapshot.url) in keys) for snapshot in held]


def may_be_page(record: ForeignRecord, snapshot: Snapshot) -> bool:
    """Return whether a capture can have a text: a response, or a file of a mirror under the address that it had."""
    if record.kind not in {"response", "resource"} or not snapshot.url.lower().startswith(("http:", "https:")):
        return False
    return snapshot.mime in MAYBE_PAGES and 200 <= snapshot.status < 300
