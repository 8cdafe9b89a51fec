"""Links as a Link header and a TimeMap in link format have them (RFC 8288 §3, RFC 7089 §5), read leniently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from archive.formats.memento_links import from_http_date

_LONGEST = 1 << 16  # characters of one link
# An address between angle brackets, then parameters: a name, and a token or a text between quotation marks.
_LINK = re.compile(
    r"[\s,]*+<([^<>]{0,16384}+)>((?:\s*+;\s*+[^\s=;,\"<>]++(?:\s*+=\s*+(?:\"(?:[^\"\\]|\\.)*+\"|[^\s;,\"<>]*+))?+)*+)\s*+(?=,|\Z)"
)
_PARAMETER = re.compile(r";\s*([^\s=;,\"]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its address as it is written, its relation types in lower case, its parameters by their names."""

    url: str
    rel: frozenset[str]
    parameters: dict[str, str]

    @property
    def moment(self) -> datetime | None:
        """Return the time that `datetime` names, None where it names none."""
        try:
            return from_http_date(self.parameters["datetime"])
        except (KeyError, ValueError):
            return None


def links_of(text: str) -> list[Link]:
    """Return the links of a text; what is no link is passed over."""
    return list(links_in([text]))


def links_in(pieces: Iterable[str]) -> Iterator[Link]:
    """Yield the links of a text that comes in pieces; what is no link is passed over."""
    held = ""
    for piece in pieces:
        held += piece
        found, end = _links_before(held, final=False)
        yield from found
        held = held[end:]
    yield from _links_before(held, final=True)[0]


def _links_before(text: str, *, final: bool) -> tuple[list[Link], int]:
    """Return the links that are surely whole, and where they end: the last one only if the text is `final`."""
    found: list[Link] = []
    at = 0
    while at < len(text):
        match = _LINK.match(text, at, at + _LONGEST) if len(text) - at > _LONGEST else _LINK.match(text, at)
        if match is not None and (final or match.end() < len(text)):
            found.append(_link(match))
            at = match.end()
        elif final or len(text) - at > _LONGEST:  # no link begins here: the next one may
            following = text.find("<", text.find("<", at) + 1)
            if following <= at:
                return found, len(text)
            at = following
        else:
            break
    return found, at


def _link(match: re.Match[str]) -> Link:
    parameters: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(match[2]):
        parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
    return Link(match[1].strip(), frozenset(parameters.get("rel", "").lower().split()), parameters)
