"""Who made a text: named in every document."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

# Raise this whenever the text or the metadata of a page comes out differently: `onrecord extract` makes the texts of
# every other number anew.
_RULES = 3


@cache
def extractor_version() -> str:
    """Return the extractor's name and version, as documents carry it: of its libraries too."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("trafilatura", "pypdfium2"))
    return f"{libraries}, onrecord {version('onrecord')}, rules {_RULES}"
