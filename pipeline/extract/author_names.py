"""Names of authors, without what pages put in their place: buttons, months, and words for nobody."""

from __future__ import annotations

import re

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    "|januar|februar|m\u00e4rz|mai|juni|juli|oktober|dezember"
    "|janvier|f\u00e9vrier|mars|avril|juin|juillet|ao\u00fbt|septembre|octobre|novembre|d\u00e9cembre"
    "|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    "|monday|tuesday|wednesday|thursday|friday|saturday|sunday"
)
_NOBODY = (
    "follow(?:ing|ed)?(?: (?:us|me|author|the author|this author|on (?:twitter|x|facebook|bluesky|instagram)))?"
    "|unfollow|no author(?:s)?|unknown(?: author)?|authors?(?: unknown)?|none|null|undefined|nan|n/?a"
    "|(?:link |url )?copied(?: to clipboard| link)?|copy(?: link)?|share(?: (?:this|on|via).{0,30})?|tweet|e-?mail"
    "|print|save|subscribe|sign (?:in|up)|log ?in|comments?|reply|leave a (?:comment|reply)|read more"
    "|more(?: by.{0,40})?|view (?:all posts|profile|bio)(?: by)?|see (?:all|more)(?: posts)?"
    "|about(?: the author)?|by|posted(?: by| on)?"
    "|published(?: on)?|updated(?: on)?|written by|date|am|pm|ago"
    "|(?:minutes?|hours?|days?|min) (?:ago|read)|min|read|facebook|twitter|linkedin|whatsapp|instagram|bluesky|mastodon"
)
_NONE = re.compile(
    rf"(?:{_NOBODY})|(?:(?:{_MONTHS})[\s,.]*)+(?:\d{{1,4}}(?:st|nd|rd|th)?[\s,.]*)*|[\d\W_]+", re.IGNORECASE
)
_BEFORE = re.compile(r"(?:follow|posted by|written by|published by|by)\s+(?=\S)", re.IGNORECASE)
_BEHIND = re.compile(r"\s*[,|\u00b7-]?\s*(?:\s(?:follow|following)|(?<=[a-z])Follow|\slink copied)\s*\Z")


def names_in(authors: str | None) -> str | None:
    """Return the names of a "; "-separated list that can be those of authors; None where there is no such name."""
    kept: list[str] = []
    for part in (authors or "").split(";"):
        name = _BEHIND.sub("", _BEFORE.sub("", part.strip(), count=1)).strip()
        if name and not _NONE.fullmatch(name) and name not in kept:
            kept.append(name)
    return "; ".join(kept) or None
