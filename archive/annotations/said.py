"""What annotations say of a snapshot: found by its run, by its page, by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from archive.access.rules import subject_of
from archive.annotations.additions import Addition, Words
from archive.formats.surt import urlkey
from archive.model import Snapshot
from archive.object_keys import split_run_key


class Said:
    """The additions of a store, by what they are about."""

    def __init__(self, additions: Iterable[Addition] = ()) -> None:
        self._runs: dict[str, list[Addition]] = {}
        self._pages: dict[str, list[Addition]] = {}
        self._collections: dict[str, list[Addition]] = {}
        for each in additions:
            if each.subject.run is not None:
                self._runs.setdefault(each.subject.run, []).append(each)
            else:
                self._pages.setdefault(urlkey(subject_of(each.subject.url or "")), []).append(each)
            for name in each.words.collections:
                self._collections.setdefault(name, []).append(each)

    @property
    def empty(self) -> bool:
        """Whether nothing is said."""
        return not (self._runs or self._pages)

    @property
    def collections(self) -> list[str]:
        """Return the names of the collections, in alphabetical order."""
        return sorted(self._collections)

    def in_collection(self, name: str) -> list[Addition]:
        """Return the additions that put something into a collection, oldest first."""
        return sorted(self._collections.get(name, ()), key=lambda each: (each.added, each.id))

    def of(self, snapshot: Snapshot) -> Words:
        """Return all that is said of a snapshot together."""
        return self.at(snapshot.url, snapshot.timestamp, snapshot.record_id, snapshot.record.key)

    def at(self, url: str, moment: datetime, record_id: str, key: str) -> Words:
        """Return all that is said of a capture, given its URL, time, record id and the key of its WARC file."""
        return _together(self._about(url, moment, record_id, key)) if not self.empty else _NOTHING

    def of_page(self, url: str, snapshots: Iterable[Snapshot]) -> Words:
        """Return all that is said of a page and of any of its snapshots."""
        found = {each.id: each for one in snapshots for each in self._about_snapshot(one)}
        found |= {each.id: each for each in self._of_url(url) if each.subject.at is None}
        return _together(found[name] for name in sorted(found))

    def _about_snapshot(self, snapshot: Snapshot) -> Iterator[Addition]:
        return self._about(snapshot.url, snapshot.timestamp, snapshot.record_id, snapshot.record.key)

    def _about(self, url: str, moment: datetime, record_id: str, key: str) -> Iterator[Addition]:
        parts = split_run_key(key)
        yield from self._runs.get(parts[0], ()) if parts else ()
        for each in self._of_url(url):
            subject = each.subject
            if subject.at is None or (subject.at == moment and subject.record_id in {None, record_id}):
                yield each

    def _of_url(self, url: str) -> list[Addition]:
        return self._pages.get(urlkey(subject_of(url)), []) if self._pages else []


_NOTHING = Words()


def _together(additions: Iterable[Addition]) -> Words:
    collections: dict[str, None] = {}
    labels: dict[str, None] = {}
    notes: dict[str, None] = {}
    for each in additions:
        collections |= dict.fromkeys(each.words.collections)
        labels |= dict.fromkeys(each.words.labels)
        notes |= {each.words.note: None} if each.words.note else {}
    return Words(tuple(collections), tuple(labels), "\n\n".join(notes) or None)
