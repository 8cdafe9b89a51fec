"""Which program this is."""

from __future__ import annotations

from importlib.metadata import version


def software() -> str:
    """Name and version, as written into WARC files, manifests and User-Agent."""
    return f"onrecord/{version('onrecord')}"
