"""Where a reference of a captured page leads in replay: the same archive, nearest to the same time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from pipeline.discover.resolve_url import web_url

SHEET = "cs_"  # what follows the digits of a style sheet's address
FRAME = "if_"  # of a frame within a page
BYTES = "id_"  # of an address whose payload is given as it is

_SAFE = "-._~:/?[]@!$&()*+,;=%"
_PATH = re.compile(r"/(\d{4,14})(cs_|if_|id_)?/(.+)\Z", re.DOTALL)
_SCHEME = re.compile(r"(https?):/*", re.IGNORECASE)
_OPAQUE = re.compile(r"urn:", re.IGNORECASE)
_MARKUP = re.compile(r"urn:dom:(?=https?://)", re.IGNORECASE)
_BREAKS = re.compile(r"[\t\r\n]")
_STRIPPED = "".join(map(chr, range(0x21)))  # WHATWG URL §4.4: C0 controls and space


def replay_path(url: str, digits: str, kind: str = "") -> str:
    """Return the path of a URL at a time, of 14 digits, on the replay origin.

    Every character of it is safe in quotes.
    """
    return f"/{digits}{kind}/{quote(url, safe=_SAFE, errors='replace')}"


def asked_of(path: str, query: str) -> tuple[str, str, str] | None:
    """Return the digits, kind and URL that a request's raw path and query ask for, or None when they ask for none."""
    match = _PATH.match(path)
    if match is None:
        return None
    url = match[3] + (f"?{query}" if query else "")
    if not _OPAQUE.match(url):
        # Servers on the way may have made one slash of two.
        url = _SCHEME.sub(r"\1://", url, count=1) if _SCHEME.match(url) else f"http://{url}"
    return match[1], match[2] or "", url


def base_of(url: str) -> str:
    """Return what the references of a capture are relative to: of the final markup of a page, the page's address."""
    return _MARKUP.sub("", url, count=1)


@dataclass(frozen=True, slots=True)
class Place:
    """A captured page: the 14 digits of its time, and what its references are relative to."""

    digits: str
    base: str

    def within(self, href: str) -> Place:
        """Return the same place with the base that a <base> element names."""
        return Place(self.digits, web_url(self.base, href) or self.base)

    def path(self, reference: str, kind: str = "") -> str | None:
        """Return the path in replay of a reference as it is written; None for what is no web address."""
        found = self.named(reference)
        return found and replay_path(found[0], self.digits, kind) + found[1]

    def link(self, reference: str) -> str | None:
        """Return where a link leads that a reader follows; None for what is no web address."""
        return self.path(reference)

    def led_on(self, reference: str) -> str | None:
        """Return where the page leads on by itself; None where it stays."""
        return self.path(reference)

    def named(self, reference: str) -> tuple[str, str] | None:
        """Return the absolute URL of a reference, and its fragment with its mark; None for what is no web address."""
        text = _BREAKS.sub("", reference.strip(_STRIPPED))
        address = text.partition("?")[0]
        text = address.replace("\\", "/") + text[len(address) :]
        url = web_url(self.base, text)
        if url is None:
            return None
        _, mark, fragment = text.partition("#")
        return url, mark + quote(fragment, safe=_SAFE, errors="replace")
