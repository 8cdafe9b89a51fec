"""What an alert is about: one thing that happened, once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.checked_json import parsed_object, text_of, texts_of
from archive.times import from_iso, iso
from pipeline.outbound.plain_text import whole_characters

# What a page became, what a source does, and what became of a run.
KINDS = (
    "gone", "soft-404", "blocked", "paywalled", "unreachable", "text-incomplete", "changed", "back",
    "feed-too-fast", "source-failed", "run-failed", "test",
)  # fmt: skip

_LONGEST = {"url": 4_000, "title": 500, "summary": 2_000, "diff": 20_000}  # characters that an event keeps


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell.

    `kind` is one of KINDS, `at` when it was seen (UTC), `before` and `after` the availability on both sides ("" where
    that says nothing). `records` are the ids of the records that show it, the earlier first and the deciding one last,
    and `times` when each was captured; `diff` is the change of the text in words, `store` the archive's address.
    """

    kind: str
    url: str
    at: datetime
    title: str | None = None
    before: str = ""
    after: str = ""
    summary: str = ""
    diff: str | None = None
    records: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()
    watch: str | None = None
    tags: tuple[str, ...] = ()
    store: str | None = None

    @property
    def id(self) -> str:
        """32 hex digits: the same for the same thing at the same URL, decided by the same record, on any machine."""
        deciding = self.records[-1] if self.records else iso(self.at)
        return hashlib.sha256("\0".join((str(_cut("url", self.url)), self.kind, deciding)).encode()).hexdigest()[:32]

    def as_json(self) -> dict[str, Any]:
        """Return the event as plain values, long texts cut: what the outbox keeps and a webhook is sent."""
        return {
            "id": self.id,
            "kind": self.kind,
            "url": _cut("url", self.url),
            "title": _cut("title", self.title),
            "at": iso(self.at),
            "before": self.before,
            "after": self.after,
            "summary": _cut("summary", self.summary),
            "diff": _cut("diff", self.diff),
            "records": list(self.records),
            "times": [iso(moment) for moment in self.times],
            "watch": self.watch,
            "tags": list(self.tags),
            "store": self.store,
        }

    def encoded(self) -> str:
        """One line of JSON that `decoded` reads back."""
        return json.dumps(self.as_json())


def decoded(line: str) -> Event:
    """Return the event that `Event.encoded` wrote; raises ValueError."""
    entry = parsed_object(line)

    def optional(name: str) -> str | None:
        return None if entry.get(name) is None else text_of(entry[name])

    return Event(
        kind=text_of(entry.get("kind")),
        url=text_of(entry.get("url")),
        at=from_iso(text_of(entry.get("at"))),
        title=optional("title"),
        before=text_of(entry.get("before")),
        after=text_of(entry.get("after")),
        summary=text_of(entry.get("summary")),
        diff=optional("diff"),
        records=texts_of(entry.get("records")),
        times=tuple(from_iso(moment) for moment in texts_of(entry.get("times"))),
        watch=optional("watch"),
        tags=texts_of(entry.get("tags")),
        store=optional("store"),
    )


def _cut(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    clean = whole_characters(text)
    return clean if len(clean) <= _LONGEST[name] else clean[: _LONGEST[name] - 1] + "…"
