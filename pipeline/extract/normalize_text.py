"""Text as it is kept: no controls, one form of each character."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


def clean(text: str | None) -> str | None:
    """NFC, without controls or halves of characters, which no JSON reader likes; None when nothing is left."""
    if not text:
        return None
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode()
        text = _CONTROL.sub("", text)
    return unicodedata.normalize("NFC", text).strip() or None
