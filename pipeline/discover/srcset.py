"""The candidates of a srcset attribute (WHATWG HTML §4.8.4.2.1 and §4.8.4.3.10)."""

from __future__ import annotations

from collections.abc import Iterator

_SPACE = " \t\n\r\f"


def candidates(srcset: str) -> Iterator[str]:
    """Yield each candidate's address as it is written; addresses may hold commas, descriptors may hold parentheses."""
    return (address for address, _ in described_candidates(srcset))


def described_candidates(srcset: str) -> Iterator[tuple[str, str]]:
    """Yield each candidate's address and its descriptors ("2x", "800w", or ""), both as they are written."""
    position, end = 0, len(srcset)
    while position < end:
        while position < end and srcset[position] in _SPACE + ",":
            position += 1
        begin = position
        while position < end and srcset[position] not in _SPACE:
            position += 1
        address = srcset[begin:position]
        if not address:
            return
        if address.endswith(","):
            yield address.rstrip(","), ""
            continue
        begin = position
        position = _end(srcset, position)
        yield address, srcset[begin:position].strip()


def _end(srcset: str, position: int) -> int:
    """Return where a candidate's descriptors end: at a comma outside of parentheses."""
    depth = 0
    while position < len(srcset):
        character = srcset[position]
        if character == "," and not depth:
            return position
        depth = max(depth + (character == "(") - (character == ")"), 0)
        position += 1
    return position
