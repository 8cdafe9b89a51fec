"""What a site repeats on every page, and no page means: menus, cookie bars, sign-offs.

Only lines at the edges of a text are looked at, for a column may well have the same heading in its middle every week.
"""

from __future__ import annotations

from collections import Counter

_EDGE = 15  # lines at each end
_FEWEST = 3  # pages that must show a line
_SHARE = 0.5  # of the site's pages
_TELLING = 25  # characters: a shorter line right below a title may be a heading that a series shares


class SiteLines:
    """The lines at the edges of a site's texts, and on how many pages each stands."""

    def __init__(self) -> None:
        self.pages = 0
        self._counts: Counter[str] = Counter()

    def note(self, text: str) -> None:
        """Count a page's lines."""
        self.pages += 1
        lines = _lines(text)
        self._counts.update({_plain(line) for line in (*lines[:_EDGE], *lines[-_EDGE:])})

    def without(self, text: str, title: str | None) -> str:
        """A text without what the site repeats at its head and tail; as it was when nothing else would be left."""
        lines = _lines(text)
        head = self._head(lines, title)
        tail = self._run(lines[::-1])
        kept = lines[head[1] : len(lines) - tail] if head[1] < len(lines) - tail else []
        kept = lines[: head[0]] + kept
        return "\n".join(kept) if len(kept) > head[0] else text

    def _head(self, lines: list[str], title: str | None) -> tuple[int, int]:
        """How many lines at the head stay, and where the text goes on after what the site repeats."""
        if lines and title and _plain(lines[0]) == _plain(title):
            run = self._run(lines[1:])
            telling = run > 1 or (run == 1 and len(lines[1]) >= _TELLING)
            return (1, 1 + run) if telling else (1, 1)
        return 0, self._run(lines)

    def _run(self, lines: list[str]) -> int:
        """How many lines in a row, from the first, the site repeats."""
        count = 0
        while count < min(len(lines), _EDGE) and self._repeated(lines[count]):
            count += 1
        return count

    def _repeated(self, line: str) -> bool:
        return self._counts[_plain(line)] >= max(_FEWEST, _SHARE * self.pages)


def _lines(text: str) -> list[str]:
    return text.split("\n")


def _plain(line: str) -> str:
    return " ".join(line.casefold().split()).strip("-*•|# ")
