"""The candidates of a srcset attribute (WHATWG HTML §4.8.4.2.1 and §4.8.4.3.10)."""

from __future__ import annotations

from collections.abc import Iterator

_SPACE = " \t\n\r\f"


def candidates(srcset: str) -> Iterator[str]:
    """Each candidate's address as it is written; addresses may hold commas, descriptors may hold parentheses."""
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
            yield address.rstrip(",")
            continue
        yield address
        position = _after_descriptors(srcset, position)


def _after_descriptors(srcset: str, position: int) -> int:
    depth = 0
    while position < len(srcset):
        character = srcset[position]
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(depth - 1, 0)
        elif character == "," and not depth:
            return position + 1
        position += 1
    return position
