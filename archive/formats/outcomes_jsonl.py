"""Outcomes as lines of outcomes.jsonl, written and read here alone, and how many there are of each sort."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from archive.checked_json import parsed_object, size_of, text_of, texts_of
from archive.errors import IntegrityError
from archive.formats.pages_jsonl import whole_lines
from archive.model import TEXT_INCOMPLETE, Outcome, Role, Snapshot
from archive.times import from_iso

_FIELDS = tuple(each.name for each in fields(Outcome))
_REQUIRED = ("url", "outcome", "timestamp")
_NUMBERS = ("status", "offset", "length", "words")
_TEXTS = tuple(name for name in _FIELDS if name not in {*_REQUIRED, *_NUMBERS, "revisit", "notes"})
_OPTIONAL = frozenset({"final_url", "notes", "role", "via", "hops", "seed", "text", "words"})  # left out when empty


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """One line: an outcome, and fields of later versions, which stay when the line is written again."""

    outcome: Outcome
    later: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DamagedLine:
    """A line that holds no outcome; lines are counted from 1."""

    number: int
    reason: str


def encode_outcome(
    outcome: Outcome, later: Mapping[str, Any] | None = None, *, only: Collection[str] = _FIELDS
) -> bytes:
    """Return an outcome's line, without line end, as `capture --json` prints it too; `only` names fields to write."""
    entry = {name: getattr(outcome, name) for name in _FIELDS if name in only}
    for name in _OPTIONAL.intersection(entry):
        if not entry[name]:
            del entry[name]
    return json.dumps(entry | dict(later or {}), ensure_ascii=False).encode("utf-8", "replace")


def parse_outcome(line: bytes) -> OutcomeLine:
    """Return what a line says; raises ValueError when a field is missing or of the wrong type."""
    entry = parsed_object(line)
    if missing := [name for name in _REQUIRED if name not in entry]:
        raise ValueError(f"the line has no {missing[0]}")
    known: dict[str, Any] = {name: text_of(entry[name]) for name in _REQUIRED}
    from_iso(known["timestamp"])
    known |= {name: text_of(entry[name]) for name in _TEXTS if entry.get(name) is not None}
    known |= {name: size_of(entry[name]) for name in _NUMBERS if entry.get(name) is not None}
    known["notes"] = texts_of(entry.get("notes") or [])
    known["revisit"] = entry.get("revisit") or False
    if not isinstance(known["revisit"], bool):
        raise ValueError("revisit is neither true nor false")  # noqa: TRY004 - one error for whatever is wrong
    later = {name: value for name, value in entry.items() if name not in _FIELDS}
    return OutcomeLine(Outcome(**known), later)


def read_outcomes(pieces: Iterable[bytes]) -> Iterator[OutcomeLine | DamagedLine]:
    """Return the lines of an outcomes.jsonl one by one, damaged ones with their number."""
    number = 0
    try:
        for number, line in enumerate(whole_lines(pieces), 1):
            try:
                yield parse_outcome(line)
            except ValueError as error:
                yield DamagedLine(number, str(error))
    except IntegrityError as error:
        yield DamagedLine(number + 1, str(error))


def at_capture(outcome: Outcome, snapshot: Snapshot) -> Outcome:
    """Return an outcome with the fields that describe the capture it ended at."""
    return replace(
        outcome,
        status=snapshot.status,
        mime=snapshot.mime,
        digest=snapshot.digest,
        record_id=snapshot.record_id,
        key=snapshot.record.key,
        offset=snapshot.record.offset,
        length=snapshot.record.length,
        title=snapshot.title,
    )


@dataclass
class OutcomeCounts:
    """How many outcomes a run has of each sort: robots.txt files are in the total alone."""

    total: int = 0
    pages: int = 0
    failed: int = 0
    skipped: int = 0
    requisites: int = 0
    incomplete: int = 0  # texts

    def add(self, entry: dict[str, Any]) -> None:
        """Count one, by what the journal keeps of it."""
        self.total += 1
        self.failed += bool(entry.get("failed", entry["outcome"] != "ok"))
        self.incomplete += entry["outcome"] == TEXT_INCOMPLETE
        if entry.get("skipped"):
            self.skipped += 1
        elif entry.get("role") == Role.REQUISITE:
            self.requisites += 1
        elif entry.get("role") != Role.ROBOTS:
            self.pages += 1
