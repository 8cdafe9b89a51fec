"""What a captured body is served as: its own type where a browser does nothing but show it, else plain text."""

from __future__ import annotations

import re

HTML = "text/html"
SHEETS = "text/css"
TEXT = "text/plain"
_PAGES = {"text/html", "application/xhtml+xml"}
_AS_IT_IS = re.compile(
    r"(?:image|audio|video|font)/[\w.+-]{1,80}\Z|application/(?:pdf|font[\w-]*|x-font[\w-]*|vnd\.ms-fontobject)\Z"
)
_LOOKS_LIKE_A_PAGE = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|title|meta|h1|p|div|table)\b", re.IGNORECASE | re.DOTALL
)
_BEGINNINGS = (
    (b"\x89PNG\r\n", "image/png"), (b"GIF8", "image/gif"), (b"\xff\xd8\xff", "image/jpeg"), (b"BM", "image/bmp"),
    (b"wOF2", "font/woff2"), (b"wOFF", "font/woff"), (b"%PDF-", "application/pdf"), (b"OggS", "audio/ogg"),
)  # fmt: skip


def kind_of(content_type: str | None, first: bytes, *, piece: bool) -> str:
    """The media type for a body that begins so; `piece` is true of what is a part of a page.

    Pages and style sheets are written again. Pictures, sound, video and fonts are what they say. Anything else is text
    to be read, or bytes: a script, a feed or an XML document is never run or styled.
    """
    named = (content_type or "").split(";")[0].strip().lower()
    if named in _PAGES:
        return HTML
    if named == SHEETS:
        return SHEETS if piece else TEXT
    if _AS_IT_IS.match(named):
        return named
    for beginning, kind in _BEGINNINGS:
        if first.startswith(beginning):
            return kind
    if not named or named == "unk":
        return HTML if _LOOKS_LIKE_A_PAGE.match(first[:1024]) else TEXT
    return TEXT if b"\x00" not in first[:1024] else "application/octet-stream"
