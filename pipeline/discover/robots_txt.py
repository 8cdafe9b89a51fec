"""What a site's robots.txt allows (RFC 9309)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from protego import Protego

_LARGEST = 512_000  # bytes that are read (RFC 9309 §2.5)
_MOST_WILDCARDS = 6  # in one rule: each costs a pass over the path
_MOST_RULES = 5_000
_LONGEST_PAUSE = 60.0  # seconds of a Crawl-delay that are honoured
_WILD = re.compile(r"\*+")


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one origin for one user agent; without rules, `denied` says whether all or nothing is allowed."""

    rules: Protego | None = None
    agent: str = ""
    denied: str | None = None

    @classmethod
    def read(cls, body: bytes, agent: str) -> Self:
        """Return the rules that a robots.txt holds."""
        from protego import Protego

        return cls(Protego.parse(_bounded(body[:_LARGEST].decode("utf-8-sig", "replace"))), agent)

    def refusal(self, url: str) -> str | None:
        """Why a URL may not be fetched, or None when it may."""
        if self.rules is None:
            return self.denied
        if self.rules.can_fetch(url, self.agent):
            return None
        return "the site's robots.txt disallows it"

    @property
    def pause(self) -> float | None:
        """Seconds between requests that the site asks for."""
        delay = self.rules.crawl_delay(self.agent) if self.rules else None
        return min(float(delay), _LONGEST_PAUSE) if delay and delay > 0 else None


def _bounded(text: str) -> str:
    """Return the file with rules that no honest site writes cut to what they begin with.

    A disallow then covers more.
    """
    lines = []
    for line in text.splitlines()[: 2 * _MOST_RULES]:
        parts = _WILD.sub("*", line[:2000]).split("*")
        lines.append("*".join(parts[: _MOST_WILDCARDS + 1]) + ("*" if len(parts) > _MOST_WILDCARDS + 1 else ""))
    return "\n".join(lines)
