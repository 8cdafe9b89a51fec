"""Strangers' text made harmless before it leaves in a mail, a header or a message."""

from __future__ import annotations

import re

_STEERING = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+"
)


_SURROGATES = re.compile("[\ud800-\udfff]")


def one_line(text: str, limit: int) -> str:
    """A stranger's text on one line, without what would steer a terminal, a header or the direction of writing."""
    clean = " ".join(_STEERING.sub(" ", _SURROGATES.sub("\ufffd", text)).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def lines_of(text: str, limit: int) -> str:
    """A stranger's text with its lines kept, made as harmless and cut by characters."""
    kept = "\n".join(_STEERING.sub(" ", line) for line in _SURROGATES.sub("\ufffd", text[: limit + 1]).split("\n"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
