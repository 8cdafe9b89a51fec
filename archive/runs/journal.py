"""The journal of a run in the spool: a line a checkpoint, which names how long each file was and what they gained.

{"ends":{"archive/00000.warc.gz":1234,...},"entries":[{"capture":...},...]}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.checked_json import parsed_object, size_of
from storage.base import checked_key

JOURNAL = "journal.jsonl"


@dataclass(slots=True)
class Journal:
    """What a journal says up to its last whole line: entries, the length of each file, and its own, in bytes."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    length: int = 0


def read_journal(path: Path) -> Journal:
    """Read a journal, an absent one being empty; raises OSError, ValueError.

    Its last line may be torn, for that checkpoint never returned. A line that cannot be read with others behind it is
    damage: what came after it was acknowledged, so it must not be taken for the end.
    """
    found = Journal()
    if not path.exists():
        return found
    torn = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if torn:
                raise ValueError(f"line {torn} of its {JOURNAL} cannot be read")
            try:
                entries, ends = _checkpoint(line)
            except ValueError:
                torn = number
                continue
            found.entries += entries
            found.ends = ends
            found.length += len(line)
    return found


def _checkpoint(line: bytes) -> tuple[list[dict[str, Any]], dict[str, int]]:
    if not line.endswith(b"\n"):
        raise ValueError("it breaks off")
    checkpoint = parsed_object(line)
    entries, ends = checkpoint.get("entries"), checkpoint.get("ends")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("it has no entries")
    if not isinstance(ends, dict):
        raise ValueError("it names no files")  # noqa: TRY004 - one error for whatever is wrong with the line
    return entries, {checked_key(name): size_of(end) for name, end in ends.items() if name != JOURNAL}
