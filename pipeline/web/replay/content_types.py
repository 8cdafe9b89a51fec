"""What a captured body is served as: its own type where a browser does nothing but show it, else plain text."""

from __future__ import annotations

import re

from pipeline.web.common.media_types import BYTES, TEXT, as_part, essence, is_picture_markup

HTML = "text/html"
SHEETS = "text/css"
_PAGES = {"text/html", "application/xhtml+xml"}
_LOOKS_LIKE_A_PAGE = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|head|body|title|meta|h1|p|div|table)\b", re.IGNORECASE | re.DOTALL
)
_BEGINNINGS = (
    (b"\x89PNG\r\n", "image/png"), (b"GIF8", "image/gif"), (b"\xff\xd8\xff", "image/jpeg"), (b"BM", "image/bmp"),
    (b"wOF2", "font/woff2"), (b"wOFF", "font/woff"), (b"%PDF-", "application/pdf"), (b"OggS", "audio/ogg"),
)  # fmt: skip


def kind_of(content_type: str, first: bytes, *, piece: bool, destination: str) -> str:
    """Return the media type for a body that begins with `first`; `piece` is true of a part of a page.

    Pages and style sheets are written again. Pictures, sound, video and fonts are what they say; a picture that is
    markup is one only where a picture is asked for (`destination`), and is otherwise returned as "image/svg+xml" for
    the caller to put into a page. Anything else is text to be read, or bytes: a script, a feed or an XML document is
    never run or styled.
    """
    named = essence(content_type)
    if named in _PAGES:
        return HTML
    if named == SHEETS:
        return SHEETS if piece else TEXT
    part = as_part(named, destination)
    if part is not None:
        return part
    if is_picture_markup(named):
        return named
    for beginning, kind in _BEGINNINGS:
        if first.startswith(beginning):
            return kind
    if not named or named == "unk":
        return HTML if _LOOKS_LIKE_A_PAGE.match(first[:1024]) else TEXT
    return TEXT if b"\x00" not in first[:1024] else BYTES
