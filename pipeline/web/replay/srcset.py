"""Sets of images for replay (WHATWG HTML §4.8.4.2.1)."""

from __future__ import annotations

import re

from pipeline.web.replay.replay_urls import Place

_SPACE = " \t\n\r\f"
_DESCRIPTOR = re.compile(r"[0-9.eE+-]+[wxh]\Z")


def rewrite_srcset(srcset: str, place: Place) -> str:
    """Each candidate with its address in the archive; those whose address is none are left out."""
    written = []
    position = 0
    while position < len(srcset):
        while position < len(srcset) and srcset[position] in _SPACE + ",":
            position += 1
        begin = position
        while position < len(srcset) and srcset[position] not in _SPACE:
            position += 1
        address, descriptors = srcset[begin:position], ""
        if address.endswith(","):
            address = address.rstrip(",")
        else:
            begin = position
            position = _end(srcset, position)
            descriptors = " ".join(word for word in srcset[begin:position].split() if _DESCRIPTOR.match(word))
        path = _safe(address, place)
        if path:
            written.append(f"{path} {descriptors}".rstrip())
    return ", ".join(written)


def _safe(address: str, place: Place) -> str | None:
    """An address that does not end in a comma, which would be read as the end of the candidate."""
    if address[:5].lower() == "data:":
        return address
    path = place.path(address) if address else None
    return path and re.sub(r",+\Z", lambda commas: "%2C" * len(commas[0]), path)


def _end(srcset: str, position: int) -> int:
    """Where a candidate's descriptors end: at a comma outside of parentheses."""
    depth = 0
    while position < len(srcset):
        character = srcset[position]
        if character == "," and not depth:
            return position
        depth = max(depth + (character == "(") - (character == ")"), 0)
        position += 1
    return position
