"""Sets of images for replay (WHATWG HTML §4.8.4.2.1)."""

from __future__ import annotations

import re

from pipeline.discover.srcset import described_candidates
from pipeline.web.replay.replay_urls import Place

_DESCRIPTOR = re.compile(r"[0-9.eE+-]+[wxh]\Z")


def rewrite_srcset(srcset: str, place: Place) -> str:
    """Return the set with each candidate's address in the archive; those without a web address are left out."""
    written = []
    for address, described in described_candidates(srcset):
        path = _safe(address, place)
        if path:
            descriptors = " ".join(word for word in described.split() if _DESCRIPTOR.match(word))
            written.append(f"{path} {descriptors}".rstrip())
    return ", ".join(written)


def _safe(address: str, place: Place) -> str | None:
    """Return an address that does not end in a comma, which would be read as the end of the candidate."""
    if address[:5].lower() == "data:":
        return address
    path = place.path(address) if address else None
    return path and re.sub(r",+\Z", lambda commas: "%2C" * len(commas[0]), path)
