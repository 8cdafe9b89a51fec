"""From a reference in a body to an absolute address."""

from __future__ import annotations

import re
from functools import lru_cache

from archive.formats import joined_url

_LONGEST = 2_000  # characters; longer ones are traps or data
_WEB_URL = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_HALF = re.compile(r"https?:/{0,2}\Z", re.IGNORECASE)  # of an address, which would be joined to the base's own
_BREAKS = re.compile(r"[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Addresses that resolving leaves as they are: no empty segment, none that begins or ends with a dot, no parameters.
_CHARACTERS = r"[A-Za-z0-9_%~!$&'()*+,=:@-]+"
_SEGMENT = rf"{_CHARACTERS}(?:\.{_CHARACTERS})*"
_PLAIN = re.compile(
    rf"(?:https?://[A-Za-z0-9][A-Za-z0-9.-]*)?/(?:{_SEGMENT}/)*(?:{_SEGMENT})?(?:\?[A-Za-z0-9_.%~!$&'()*+,=:@/-]+)?\Z"
)
_ORIGIN = re.compile(r"https?://[a-z0-9.:-]+(?=[/?#]|\Z)")
_SKIPPED = ("#", "data:", "javascript:", "mailto:", "tel:", "blob:", "about:")


def web_url(base: str, reference: str) -> str | None:
    """Return a reference as an absolute http(s) URL without fragment, or None for anything else (WHATWG URL §4.4)."""
    reference = reference.strip()
    if not reference or len(reference) > _LONGEST:
        return None
    address = reference.partition("#")[0]
    if _PLAIN.match(address):
        if address[0] != "/":
            return address
        if origin := _ORIGIN.match(base):
            return origin[0] + address
    return _resolved(base, reference)


def _resolved(base: str, reference: str) -> str | None:
    if reference[:11].lower().startswith(_SKIPPED) or _HALF.match(reference):
        return None
    target = _joined(base, _BREAKS.sub("", reference.partition("#")[0]))
    if target is None or not _WEB_URL.match(target) or _CONTROL.search(target):
        return None
    return target if target.isascii() else target.encode("utf-8", "replace").decode()


@lru_cache(maxsize=4096)  # pages repeat their links
def _joined(base: str, reference: str) -> str | None:
    try:
        return joined_url(base, reference)
    except ValueError:
        return None
