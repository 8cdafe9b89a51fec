"""Who made a text: told in every document."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version


@cache
def extractor_version() -> str:
    """The extractor's name and version, as documents carry it: "trafilatura 2.3.1, onrecord 0.2.0"."""
    return f"trafilatura {version('trafilatura')}, onrecord {version('onrecord')}"
