"""Outcomes as lines of outcomes.jsonl, and how many there are of each sort."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from archive.model import Outcome, Role, Snapshot

_OPTIONAL = {
    "final_url",
    "notes",
    "role",
    "via",
    "hops",
    "seed",
    "text",
    "words",
}  # fields that are left out when empty


def encode_outcome(outcome: Outcome) -> bytes:
    """An outcome's line, without line end, as `capture --json` prints it too."""
    entry = {name: value for name, value in asdict(outcome).items() if name not in _OPTIONAL or value}
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")


def at_capture(outcome: Outcome, snapshot: Snapshot) -> Outcome:
    """An outcome with the fields that describe the capture it ended at."""
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


class OutcomeCounts:
    """How many outcomes a run has of each sort."""

    def __init__(self) -> None:
        self.total = 0
        self._pages = self._failed = self._skipped = self._requisites = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Count one, by the entry that `entry_of` made for the journal."""
        self.total += 1
        self._failed += bool(entry.get("failed", entry["outcome"] != "ok"))
        if entry.get("skipped"):
            self._skipped += 1
        elif entry.get("role") == Role.REQUISITE:
            self._requisites += 1
        elif entry.get("role") != Role.ROBOTS:
            self._pages += 1

    def counts(self) -> dict[str, int]:
        """Targets but for requisites and robots.txt, failures, requisites, and URLs that were found and not fetched."""
        return {
            "targets": self._pages,
            "failed": self._failed,
            "requisites": self._requisites,
            "skipped": self._skipped,
        }


def entry_of(outcome: Outcome) -> dict[str, Any]:
    """What the journal keeps of an outcome."""
    return {"outcome": outcome.outcome, "failed": outcome.failed, "skipped": outcome.skipped, "role": outcome.role}
