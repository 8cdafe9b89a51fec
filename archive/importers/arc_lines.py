"""The line that begins each record of an ARC file (Internet Archive, ARC file format)."""

from __future__ import annotations

import re

# What follows the address in a record's line; a date may have fewer or more digits than 14, and no type may follow.
_WHOLE = re.compile(rb"(?<=.) (\S+) (\d{14}) {1,2}(?=\S)")
_ODD = re.compile(rb"(?<=.) ([\d.]{7,15}|[\da-fA-F:]{2,45}|-) (\d{4,17}) {1,2}(?=\S)")
ARC_MARK = re.compile(rb"^[^\n]{0,65000} \d{8,17} ", re.MULTILINE)
_ADDRESS = re.compile(rb"(?:https?|ftp|dns|filedesc):", re.IGNORECASE)
_LENGTH = re.compile(rb" ?(\d{1,12})\r?\n\Z")  # its end


def arc_fields(line: bytes) -> tuple[bytes, ...] | None:
    """Return address, IP, date, type and length from the first line of an ARC record; None for another line."""
    found = _WHOLE.search(line, 0, 65_100) or _ODD.search(line, 0, 65_100)
    end = _LENGTH.search(line, max(len(line) - 15, 0))
    if found is None or end is None or end.start(1) < found.end() or line[:1].isspace():
        return None
    return line[: found.start()], found[1], found[2], line[found.end() : end.start()], end[1]


def begins_with_arc(beginning: bytes) -> bool:
    """Whether a file begins with the line of an ARC record, that of the file itself or another one."""
    if beginning.startswith(b"filedesc:"):
        return True
    return _ADDRESS.match(beginning) is not None and arc_fields(beginning[: beginning.find(b"\n") + 1]) is not None


def arc_kind(url: bytes, mime: bytes) -> tuple[str, str]:
    """Return the type of the WARC record that is made of one of an ARC file, and its content type."""
    if url.lower().startswith((b"http:", b"https:")):
        return "response", "application/http; msgtype=response"
    text = mime.split(b" ")[0].decode("latin-1") or "application/octet-stream"
    return ("metadata" if url.startswith(b"filedesc:") else "resource"), text
