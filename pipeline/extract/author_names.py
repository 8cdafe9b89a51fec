"""Names of authors, without what pages put in their place: buttons, months, and words for nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

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
    "|view author archive|get author rss feed|see full bio|lesedauer.{0,20}|advertisement|sponsored"
    "|(?:minutes?|hours?|days?|min) (?:ago|read)|min|read|facebook|twitter|linkedin|whatsapp|instagram|bluesky|mastodon"
)
_TITLES = (
    "(?:(?:senior|staff|chief|lead|associate|assistant|contributing|managing|deputy|executive|freelance|political"
    "|politics|trending|news|sports?|science|technology|tech|business|features?|national|foreign|health|legal|guest"
    "|general|trial"
    "|founding|special|editorial)[ -])*"
    "(?:writer|editor|reporter|correspondent|contributor|columnist|journalist|author|attorney|director|manager|founder"
    "|co-founder|ceo|cto|cfo|president|professor|head|producer|photographer|analyst|intern|critic|fellow"
    "|editor[ -]in[ -]chief|blogger|moderator|administrator)"
)
_NONE = re.compile(
    rf"(?:{_NOBODY})|(?:the )?{_TITLES}(?: (?:of|at|for|on)\b.*)?"
    rf"|(?:(?:on|updated|published|posted):?\s+)*(?:(?:{_MONTHS})[\s,.]*)+(?:\d{{1,4}}(?:st|nd|rd|th)?[\s,.]*)*|[\d\W_]+",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:this (?:post|article|story|page) was(?: (?:written|posted))?(?: by)?|follow|posted by|written by"
    r"|published by|words by|story by|author|by)[\s:]+(?=[^\W\d])",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s*[,|\u00b7-]?\s*(?:\s(?:follow|following)|(?<=[a-z])Follow|\slink copied)\s*\Z"
    rf"|(?:\s+view (?:author )?archive|\s+get author rss feed|\s+see full bio|\s+view (?:profile|bio|all posts)).*\Z"
    rf"|(?<=[^\W\d_]{{2}}),?\s+{_TITLES}(?:\s*,.*)?\Z",
    re.IGNORECASE,
)
_JOBS = re.compile(rf"\s{_TITLES}\Z", re.IGNORECASE)
_TWICE = re.compile(r"(?P<name>\w[\w.'\u2019-]*(?: \w[\w.'\u2019-]*){0,3}) (?P=name)(?: .*)?\Z", re.DOTALL)
_LEAST_LETTERS = 5  # of a name that is written twice


def names_in(authors: str | None) -> str | None:
    """Return the names of a "; "-separated list that can be those of authors; None where there is no such name."""
    kept: list[str] = []
    for part in (authors or "").split(";"):
        whole = _BEFORE.sub("", " ".join(part.split()), count=1)
        if _NONE.fullmatch(whole):
            continue
        name = _BEHIND.sub("", whole).strip()
        if " " not in name and _JOBS.search(whole):
            name = whole  # of "Ada Head" and "Trial Attorney", "Ada" and "Trial" are no names
        if (twice := _TWICE.match(name)) and len(twice["name"]) >= _LEAST_LETTERS:
            name = twice["name"]
        if name and not _NONE.fullmatch(name) and name not in kept:
            kept.append(name)
    return "; ".join(kept) or None


def as_written(authors: str | None, texts: Callable[[], Iterable[str]]) -> str | None:
    """Return names as the texts of a page's elements write them: "J. R. Tolkien", not "J R Tolkien"."""
    if authors is None or not any(_is_shortened(word) for word in authors.replace(";", "").split()):
        return authors
    page = " ".join(texts())
    return "; ".join(_with_dots(name, page) for name in authors.split("; "))


def _is_shortened(word: str) -> bool:
    return len(word) == 1 or word in _SHORTENED


def _with_dots(name: str, page: str) -> str:
    words = name.split()
    if not any(map(_is_shortened, words)) or len(words) > _MOST_NAMES:
        return name
    pattern = r"\s+".join(rf"{re.escape(word)}\.?" if _is_shortened(word) else re.escape(word) for word in words)
    match = re.search(rf"(?<!\w){pattern}(?!\w)", page)
    return " ".join(match[0].split()) if match and not match[0].endswith("..") else name


_SHORTENED, _MOST_NAMES = {"Jr", "Sr", "Dr", "St", "Mr", "Ms", "Mrs", "Prof"}, 8
