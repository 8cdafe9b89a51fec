"""What an import says of a file."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.ingest.capture_run import RunResult


@dataclass(slots=True)
class Imported:
    """How many records of a file came in, captures among them, were there already, or were left out."""

    file: str
    records: int = 0
    captures: int = 0
    pages: int = 0
    already: int = 0
    left: int = 0
    notes: int = 0
    clashes: int = 0  # records that came in beside others of their ids
    unlisted: int = 0  # captures that could have a text, and get none: no list of pages names them
    incomplete: int = 0  # texts that have little of what their pages show
    failed: int = 0  # pages whose text could not be made
    result: RunResult | None = None
    checked: dict[str, str] = field(default_factory=dict)  # of a WACZ: whether hashes and signature hold, in words

    @property
    def run(self) -> str | None:
        """The run that holds the file's records, when there was anything new in it."""
        return self.result.run if self.result and self.result.manifest else None
