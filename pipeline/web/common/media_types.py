"""Which media type a captured body has, and which of them a browser may be given as a document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archive.model import Headers

TEXT = "text/plain"
BYTES = "application/octet-stream"
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,127}"  # noqa: S105 - a part of a name, no secret
_ESSENCE = re.compile(rf"[ \t]*({_TOKEN}/{_TOKEN})[ \t]*(?:;|\Z)")
_CHARSET = re.compile(r";[ \t]*charset[ \t]*=", re.IGNORECASE)
_QUOTED_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|,', re.DOTALL)
# What a browser shows and nothing more: no type here is markup, and nothing in it leads to another document.
SHOWN = frozenset(
    {"application/pdf"}
    | {f"image/{name}" for name in ("apng", "avif", "bmp", "gif", "heic", "heif", "jp2", "jpeg", "jpg", "jxl", "png")}
    | {f"image/{name}" for name in ("tiff", "vnd.microsoft.icon", "webp", "x-icon", "x-ms-bmp", "x-png", "pjpeg")}
    | {
        f"audio/{name}"
        for name in ("aac", "flac", "mp3", "mp4", "mpeg", "ogg", "opus", "wav", "webm", "x-m4a", "x-wav")
    }
    | {f"video/{name}" for name in ("mp4", "mpeg", "ogg", "quicktime", "webm", "x-m4v", "x-matroska", "x-msvideo")}
    | {f"font/{name}" for name in ("collection", "otf", "sfnt", "ttf", "woff", "woff2")}
    | {"application/font-woff", "application/font-woff2", "application/x-font-ttf", "application/x-font-woff"}
    | {
        "application/font-sfnt",
        "application/vnd.ms-fontobject",
        "application/x-font-otf",
        "application/x-font-opentype",
    }
)
_PART = re.compile(r"(?:image|audio|video|font)/(?![^;]*xml\Z)[\w.+-]{1,80}\Z")
_PICTURE_MARKUP = re.compile(r"image/[\w.-]{1,80}\+xml\Z")
_TEXTUAL = re.compile(r"text/|multipart/|message/|.*(?:xml|json|javascript|ecmascript|html)\b")
_PARTS = frozenset({"image", "audio", "video", "font", "track"})


def content_type(headers: Headers) -> str:
    """Return the one Content-Type that browsers go by, with its parameters; "" without one.

    Several headers, in whatever case, and several types in one header are one list. The last type in it that
    can be read counts, with the charset of an earlier member of the same type (WHATWG Fetch, "extract a MIME type").
    """
    values = [value for name, value in headers if name.lower() == "content-type"]
    found = ""
    for value in _split(", ".join(values)):
        match = _ESSENCE.match(value)
        if match is None or match[1] == "*/*":
            continue
        same = match[1].lower() == essence(found)
        if not (same and _CHARSET.search(found) and not _CHARSET.search(value)):
            found = value.strip()
    return found or ", ".join(values).strip()


def _split(value: str) -> Iterator[str]:
    """Yield the members of a list (RFC 9110 §5.6.1); a comma within quotes does not end one."""
    start = 0
    for match in _QUOTED_OR_COMMA.finditer(value):
        if match[0] == ",":
            yield value[start : match.start()]
            start = match.end()
    yield value[start:]


def essence(value: str) -> str:
    """Return the type and subtype of a Content-Type in lower case, without its parameters."""
    return value.partition(";")[0].strip().lower()


def as_document(named: str) -> str:
    """Return the type under which a body of the type `named` is given to a browser that asks for a document.

    Pictures, sound, video, fonts and PDF are what they say. All that is written as text is plain text, markup above
    all: a browser that shows markup connects to the hosts that it names, whatever the policy. The rest is bytes.
    """
    if named in SHOWN:
        return named
    return TEXT if _TEXTUAL.match(named) else BYTES


def as_part(named: str, destination: str) -> str | None:
    """Return the type of a body that is a part of a page, or None for a type that no part has.

    `destination` is what the request is for, as `destination_of` gives it. Pictures that are markup (SVG) are given
    only as pictures: a browser loads and runs nothing for them there.
    """
    if destination == "image" and _PICTURE_MARKUP.match(named):
        return named
    return named if named in SHOWN or (destination in _PARTS and _PART.match(named)) else None


def destination_of(headers: Mapping[str, str]) -> str:
    """Return what a request is for (Fetch Metadata, Sec-Fetch-Dest): "document" where a browser does not say.

    Browsers leave it out where they do not trust the way, as over HTTP to another machine. There a picture is known by
    an Accept that no navigation has; everything else of a browser counts as a document. "" is a program.
    """
    named = headers.get("sec-fetch-dest", "").strip().lower()
    if named:
        return named
    accepted = headers.get("accept", "").strip().lower()
    if accepted.startswith("image/") and "html" not in accepted:
        return "image"
    from_browser = "html" in accepted or headers.get("user-agent", "").lower().startswith("mozilla/")
    return "document" if from_browser else ""


def is_picture_markup(named: str) -> bool:
    """Return whether a type is a picture that is written as markup, such as SVG."""
    return _PICTURE_MARKUP.match(named) is not None
