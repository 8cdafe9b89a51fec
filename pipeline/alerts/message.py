"""An alert in words: the subject, the text and the JSON of a message. What a page says of itself is a stranger's."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from typing import Any

from archive.times import iso
from pipeline.alerts.channel import Batch
from pipeline.alerts.event import Event
from pipeline.outbound.plain_text import lines_of, one_line

_MEANINGS = {
    "gone": "gone",
    "soft-404": "gone: the page says that it does not exist",
    "blocked": "blocked",
    "paywalled": "behind a paywall",
    "unreachable": "unreachable",
    "changed": "edited",
    "back": "back",
    "feed-too-fast": "feed is faster than it is polled",
    "source-failed": "source failed",
    "run-failed": "run failed",
    "test": "test",
}
_WORDS = {"changed": "edited"}  # the word of a snapshot's state, where a kind of event has another name
_IN_FULL = 50  # events of a message that are told with their records and their change
_DIFF = 2_000  # characters of a change in a message


def meaning(event: Event) -> str:
    """Return what happened, in a few words."""
    return _MEANINGS.get(event.kind, one_line(event.kind, 40))


def subject(batch: Batch) -> str:
    """One line: the one event by its title, several by their numbers."""
    if len(batch.events) == 1:
        event = batch.events[0]
        return f"onrecord: {meaning(event)}: {one_line(event.title or event.url, 120)}"
    counts = Counter(event.kind for event in batch.events)
    told = ", ".join(f"{count} {_WORDS.get(kind, one_line(kind, 40))}" for kind, count in counts.most_common())
    return f"onrecord: {told}"


def text(batch: Batch, *, diffs: bool = True) -> str:
    """All events in lines of text; the first 50 in full, with the records and the commands that show more."""
    parts = [_in_full(event, diffs=diffs) for event in batch.events[:_IN_FULL]]
    rest = [f"{meaning(event)}: {one_line(event.url, 500)}" for event in batch.events[_IN_FULL:]]
    if rest:
        parts.append("And in short:\n" + "\n".join(rest))
    return "\n\n".join(parts) + "\n"


def short(batch: Batch, limit: int) -> str:
    """Return a line or two an event, for channels with little room.

    Cut to `limit` bytes of UTF-8, whole events first.
    """
    lines: list[str] = []
    used = 0
    for number, event in enumerate(batch.events):
        line = f"{meaning(event)}: {one_line(event.title or event.url, 200)}"
        line += f"\n{one_line(event.url, 500)}" if event.title else ""
        line += f"\n{one_line(event.summary, 300)}" if event.summary else ""
        more = f"and {len(batch.events) - number} more"
        used += len(line.encode()) + 1
        if used + len(more) + 8 > limit:
            lines.append(more)
            break
        lines.append(line)
    return "\n".join(lines)


def payload(batch: Batch) -> bytes:
    """Return the message for programs: `{"version","id","created","events"}`, with all that an event holds."""
    events = [event.as_json() for event in batch.events]
    return json.dumps({"version": 1, "id": batch.id, "created": iso(batch.created), "events": events}).encode()


def commands(event: Event) -> list[str]:
    """Return the commands that show what happened, quoted for a shell; none for what is no page."""
    if not event.records:
        return []
    begin = "onrecord" + (f" --store {shlex.quote(one_line(event.store, 1000))}" if event.store else "")
    url = shlex.quote(one_line(event.url, 4000))
    if len(event.records) < 2 or len(event.times) != len(event.records):
        return [f"{begin} snapshots {url}"]
    if event.diff or event.kind == "changed":
        return [f"{begin} diff {url} --from {iso(event.times[0])} --to {iso(event.times[-1])}"]
    return [f"{begin} get {url} --at {iso(event.times[0])}", f"{begin} snapshots {url}"]  # a tombstone has no text


def _in_full(event: Event, *, diffs: bool) -> str:
    lines = [f"{meaning(event)}: {one_line(event.title, 300)}" if event.title else meaning(event)]
    lines.append(one_line(event.url, 4000))
    facts: dict[str, Any] = {
        "seen": iso(event.at),
        "was": f"{event.before}, now {event.after}" if event.before and event.after else None,
        "watch": event.watch,
        "what": event.summary,
    }
    lines += [f"  {name}: {one_line(value, 1000)}" for name, value in facts.items() if value]
    lines += [f"  record: {record}{moment}" for record, moment in _records(event)]
    lines += [f"  see: {command}" for command in commands(event)]
    if diffs and event.diff:
        lines += ["  change:", *(f"    {line}" for line in lines_of(event.diff, _DIFF).splitlines())]
    return "\n".join(lines)


def _records(event: Event) -> list[tuple[str, str]]:
    if len(event.times) != len(event.records):
        return [(one_line(record, 100), "") for record in event.records]
    return [
        (one_line(record, 100), f" of {iso(moment)}") for record, moment in zip(event.records, event.times, strict=True)
    ]
