"""What a response says of itself, and how it was come by, in the words of records and index lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from archive.formats.join_url import joined_url
from archive.model import Exchange

if TYPE_CHECKING:
    from archive.warc.writer import Fields

_LONGEST_VALIDATOR = 400  # characters; a longer one is not worth sending back


@dataclass(frozen=True, slots=True)
class Origin:
    """How a capture was come by, for its metadata record; the names of the fields are those that Heritrix writes."""

    via: str | None = None
    hops: str = ""
    notes: tuple[str, ...] = ()

    def fields(self, outlinks: Iterable[str] = ()) -> Fields:
        """Return the record's fields; empty when there is nothing to say. An outlink is "URL HOP CONTEXT"."""
        fields = [("via", self.via)] if self.via else []
        fields += [("hopsFromSeed", self.hops)] if self.hops else []
        fields += [("note", note) for note in self.notes]
        return fields + [("outlink", outlink) for outlink in outlinks]


UNKNOWN = Origin()


def mime_of(exchange: Exchange) -> str:
    """Return the media type a response names, without parameters (RFC 9110 §8.3); "unk" when it names none.

    Of several in a list, the last counts that is one, as in browsers (Fetch, "extract a MIME type").
    """
    return _media_type(exchange.header("Content-Type") or "")


@lru_cache(maxsize=256)  # a site has few, and each exchange is asked for its own several times
def _media_type(value: str) -> str:
    for part in reversed(re.sub(r'"[^"]*"', "", value).split(",")):
        text = part.split(";")[0].strip().lower()
        if "/" in text and len(text) < 100 and text.isprintable() and " " not in text and text != "*/*":
            return text
    return "unk"


def location_of(exchange: Exchange) -> str | None:
    """Where a redirect, or a page with a refresh, leads, absolute, without fragment."""
    if exchange.leads_to:
        return exchange.leads_to
    location = exchange.header("Location")
    if not location or not 300 <= exchange.status < 400:
        return None
    try:
        return joined_url(exchange.url, location.encode("latin-1").decode("utf-8", "replace").strip()).partition("#")[0]
    except ValueError:
        return None


def validator_of(exchange: Exchange, name: str) -> str | None:
    """Return a validator that came with a response, where it can be sent back as it is (RFC 9110 §8.8)."""
    value = (exchange.header(name) or "").strip()
    return value if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable() else None
