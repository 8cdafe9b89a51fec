"""What `onrecord doctor` reports of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: "ok", "warning" or "failed", and what was seen or is to be done."""

    name: str
    state: str
    detail: str
