"""Memento: the datetimes, links and TimeMaps of RFC 7089."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise

from archive.model import Snapshot
from archive.times import stamp


def http_date(moment: datetime) -> str:
    """Return a moment as Memento-Datetime and Accept-Datetime write it (RFC 7089 §2.1.1)."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def from_http_date(text: str) -> datetime:
    """Return the moment that an Accept-Datetime names (RFC 7089 §2.1.1); raises ValueError."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            raise ValueError("an HTTP date ends in GMT")
        return moment.astimezone(UTC)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not an HTTP date: {text[:40]!r}") from error


def uri(url: str) -> str:
    """Return a URL between angle brackets, harmless there (RFC 8288 §3)."""
    return "".join(
        character if " " < character < "\x7f" and character not in '<>"' else _escaped(character) for character in url
    )


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))


def link(url: str, rel: str, moment: datetime | None = None) -> str:
    """One link of a Link header or TimeMap."""
    when = f'; datetime="{http_date(moment)}"' if moment else ""
    return f'<{uri(url)}>; rel="{rel}"{when}'


def memento_url(base: str, snapshot: Snapshot) -> str:
    """Return the URI-M of a snapshot below a server's base."""
    return f"{base}/web/{stamp(snapshot.timestamp)}/{snapshot.url}"


def timemap(base: str, url: str, snapshots: Iterable[Snapshot]) -> Iterator[str]:
    """Yield a TimeMap in link format (RFC 7089 §5), a line a link; nothing when there is no memento."""
    first = True
    for snapshot, following in pairwise([*snapshots, None]):
        assert snapshot is not None, "only the last is none"
        if first:
            yield link(url, "original")
            yield ",\n" + link(f"{base}/timegate/{url}", "timegate")
            yield ",\n" + link(f"{base}/timemap/link/{url}", "self") + '; type="application/link-format"'
        rel = " ".join(["first"] * first + ["last"] * (following is None) + ["memento"])
        yield ",\n" + link(memento_url(base, snapshot), rel, snapshot.timestamp)
        first = False
    if not first:
        yield "\n"


def links_around(base: str, snapshot: Snapshot, before: Snapshot | None, after: Snapshot | None) -> str:
    """Return the Link header of a memento.

    Original, TimeGate, TimeMap, and the ones before and after (RFC 7089 §2.2).
    """
    found = [
        link(snapshot.url, "original"),
        link(f"{base}/timegate/{snapshot.url}", "timegate"),
        link(f"{base}/timemap/link/{snapshot.url}", "timemap") + '; type="application/link-format"',
    ]
    for other, rel in ((before, "prev"), (snapshot, ""), (after, "next")):
        if other is not None:
            found.append(link(memento_url(base, other), f"{rel} memento".strip(), other.timestamp))
    return ", ".join(found)
