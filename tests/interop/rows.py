"""Lines of the table that `make interop` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A line of the table: the tool, what was guessed of it, and what it did."""

    tool: str
    version: str
    guess: str
    seen: str

    def line(self) -> str:
        """Return the row in Markdown."""
        return f"| {self.tool} | {self.version} | {self.guess} | {self.seen.replace('|', '/')} |"
