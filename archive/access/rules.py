"""Rules that say what is not to be shown: which captures, why, and until when. They alter no run.

A rule names addresses by their key, as a lookup does, whatever spelling they were captured under. What was made of a
page, its picture and its final markup, is the page; a capture whose payload lies with a withheld one is withheld too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from archive.checked_json import text_of
from archive.digests import read_self_digested, self_digested
from archive.errors import IntegrityError
from archive.formats.surt import key_range, urlkey
from archive.formats.surt_wabac import js_urlkey
from archive.model import Kind, Withholding
from archive.object_keys import split_run_key
from archive.times import from_iso, iso, now

MATCHES = ("exact", "prefix", "host", "domain")
LONGEST = 16 << 10  # bytes of a rule
_LONGEST_URL = 8192  # characters
_FORM = 1
_KEPT_KEYS = 4096  # keys whose rules are held

_SERIALS = itertools.count()
# What programs put before a page's address to name what they made of it: urn:dom:https://…, screenshot:https://…
_MADE_OF = re.compile(r"\A(?:[a-z][a-z0-9+.-]*:)+(?=https?:/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """Which captures are not shown: those of a URL, or of all that `match` says, captured in a span of time.

    Both ends of the span are included. With `until` it is an embargo. Readers who ask for a capture see
    `reason`, those who list the rules `note`.
    """

    url: str
    match: str = "exact"
    start: datetime | None = None
    end: datetime | None = None
    until: datetime | None = None
    reason: str | None = None
    note: str | None = None
    added: datetime = field(default_factory=now)

    @property
    def kind(self) -> Kind:
        """Whether it withholds, or for a time only."""
        return Kind.EMBARGOED if self.until else Kind.WITHHELD

    def in_force(self, moment: datetime) -> bool:
        """Whether it holds at a moment: an embargo ends."""
        return self.until is None or moment < self.until

    def spans(self, moment: datetime) -> bool:
        """Whether a capture of that moment is one it means."""
        return (self.start is None or moment >= self.start) and (self.end is None or moment <= self.end)

    @property
    def withholding(self) -> Withholding:
        """What a reader sees of a capture that it matches."""
        return Withholding(self.kind, self.reason, self.until)


def subject_of(url: str) -> str:
    """Return the page that an address is about: of what was made of a page the page's own, else the address."""
    return _MADE_OF.sub("", url.strip(), count=1)


def encode_rule(rule: Rule) -> bytes:
    """Return a rule as the object that keeps it; raises ValueError for one that is larger than is read back."""
    times = {"from": rule.start, "to": rule.end, "until": rule.until, "added": rule.added}
    entry: dict[str, object] = {"form": _FORM, "url": rule.url, "match": rule.match}
    entry |= {name: iso(moment) for name, moment in times.items() if moment is not None}
    entry |= {name: text for name, text in (("reason", rule.reason), ("note", rule.note)) if text}
    data = self_digested(entry)
    if len(data) > LONGEST or len(rule.url) > _LONGEST_URL:
        raise ValueError(f"a rule has at most {LONGEST:,} bytes, and its URL {_LONGEST_URL:,} characters")
    return data


def decode_rule(data: bytes) -> Rule:
    """Read a rule back; raises IntegrityError for what this program does not understand to the last word."""
    try:
        entry = read_self_digested(data)
        if entry.pop("form") != _FORM:
            raise ValueError("a newer onrecord wrote it: upgrade")
        rule = Rule(
            url=text_of(entry.pop("url")),
            match=text_of(entry.pop("match")),
            start=_moment(entry, "from"),
            end=_moment(entry, "to"),
            until=_moment(entry, "until"),
            reason=_text(entry, "reason"),
            note=_text(entry, "note"),
            added=from_iso(text_of(entry.pop("added"))),
        )
        if rule.match not in MATCHES or not rule.url or len(rule.url) > _LONGEST_URL or entry:
            raise ValueError("it says something that no rule says")
    except (ValueError, KeyError, OverflowError) as error:
        raise IntegrityError(f"a rule that cannot be understood ({error})") from error
    return rule


def encode_removal(rule: str, why: str | None) -> bytes:
    """Return the object that ends a rule."""
    return self_digested({"form": _FORM, "removes": rule, "at": iso(now()), "why": why or ""})


def check_removal(data: bytes, rule: str) -> None:
    """Raise IntegrityError for what is no removal of that rule, though a rule ends by whatever lies there."""
    try:
        if read_self_digested(data).get("removes") == rule:
            return
    except ValueError:
        pass
    raise IntegrityError("a removal that cannot be understood")


def _moment(entry: dict[str, Any], name: str) -> datetime | None:
    return from_iso(text_of(entry.pop(name))) if name in entry else None


def _text(entry: dict[str, Any], name: str) -> str | None:
    return text_of(entry.pop(name)) if name in entry else None


@dataclass(slots=True)
class Redacted:
    """The records that redactions removed: by place, or, as statements of onrecord 0.4 name them, by id in their runs.

    A record id alone names nothing: files of strangers may carry the ids of our records.
    """

    _places: dict[str, Withholding] = field(default_factory=dict)
    _ids: dict[str, list[tuple[frozenset[str], Withholding]]] = field(default_factory=dict)  # with their runs

    @property
    def empty(self) -> bool:
        """Return whether nothing was redacted."""
        return not self._ids

    def add_places(self, records: Iterable[tuple[str, str]], why: Withholding) -> None:
        """Add records by their places and ids."""
        for place, record_id in records:
            self._places[place] = why
            self._ids.setdefault(record_id, []).append((frozenset(), why))

    def add_ids(self, runs: Iterable[str], record_ids: Iterable[str], why: Withholding) -> None:
        """Add records by their ids, each in any of the runs."""
        within = frozenset(runs)
        for record_id in record_ids:
            self._ids.setdefault(record_id, []).append((within, why))

    def of(self, record_id: str, place: str) -> Withholding | None:
        """Return why a record is gone; None where it was not redacted."""
        if not place:
            return self._by_id(record_id, lambda _: True)
        parts = split_run_key(place.rpartition(" ")[0])
        run = parts[0] if parts else ""
        return self._places.get(place) or self._by_id(record_id, lambda runs: run in runs)

    def _by_id(self, record_id: str, meant: Callable[[frozenset[str]], bool]) -> Withholding | None:
        return next((why for runs, why in self._ids.get(record_id, ()) if meant(runs)), None)


class Policy:
    """The rules and redactions of a store as they are at a moment. Safe for several threads."""

    def __init__(self, rules: Iterable[Rule] = (), redacted: Redacted | None = None) -> None:
        self._exact: dict[str, list[Rule]] = {}
        self._wide: list[Rule] = []
        self._redacted = redacted or Redacted()
        self._of_key: dict[str, tuple[Rule, ...]] = {}
        self._ends: list[datetime] = []
        self._serial = next(_SERIALS)
        for rule in rules:
            self._ends += [rule.until] if rule.until else []
            if rule.match == "exact":
                for key in _keys(subject_of(rule.url)):
                    self._exact.setdefault(key, []).append(rule)
            else:
                self._wide.append(rule)
        has_rules = bool(self._exact or self._wide)
        self.empty = not has_rules and self._redacted.empty
        # What is left where no rule is asked: what was redacted is not there to be shown.
        self.redactions_alone: Policy = Policy((), self._redacted) if has_rules else self

    def mark(self) -> tuple[int, int]:
        """Another one whenever another answer may be given: what was made by an earlier one is to be made again."""
        present = now()
        return self._serial, sum(present < end for end in self._ends)

    def at(self, url: str, moment: datetime, record_id: str = "", place: str = "") -> Withholding | None:
        """Return why a capture is not shown, given its URL, time, record id and place; None where it may be shown.

        A caller that does not know the place gets the redaction of any record of that id.
        """
        if self.empty:
            return None
        if found_redacted := self._redacted.of(record_id, place):
            return found_redacted
        present = now()
        found = [rule for rule in self._rules_of(subject_of(url)) if rule.spans(moment) and rule.in_force(present)]
        strictest = min(found, key=_strictness, default=None)
        return strictest.withholding if strictest else None

    def _rules_of(self, subject: str) -> tuple[Rule, ...]:
        held = self._of_key.get(subject)
        if held is None:
            keys = _keys(subject)
            exact = (rule for key in keys for rule in self._exact.get(key, ()))
            held = tuple(dict.fromkeys([*exact, *(rule for rule in self._wide if _means(rule, subject))]))
            if len(self._of_key) >= _KEPT_KEYS:
                self._of_key = {}
            self._of_key[subject] = held
        return held


NOTHING = Policy()


def _strictness(rule: Rule) -> tuple[bool, float]:
    """Return what is withheld for good comes before embargoes, of these the longest first."""
    return rule.until is not None, -rule.until.timestamp() if rule.until else 0.0


def _keys(url: str) -> tuple[str, ...]:
    """Return the keys a page is looked up by: ours, and that of programs that open an export."""
    return tuple(dict.fromkeys((urlkey(url), js_urlkey(url))))


_key = lru_cache(4096)(urlkey)  # of a few thousand rules, and of the page that each is compared with


def _means(rule: Rule, subject: str) -> bool:
    wanted = subject_of(rule.url)
    if rule.match == "prefix":
        low, high = key_range(wanted, "prefix")
        return low <= f"{_key(subject)} " < high
    authority, own = _key(wanted).partition(")")[0], _key(subject).partition(")")[0]
    host, port = _split(authority)
    own_host, own_port = _split(own)
    if port and port != own_port:
        return False
    return own_host == host or (rule.match == "domain" and own_host.startswith(f"{host},"))


def _split(authority: str) -> tuple[str, str]:
    """Return a key's host and port, without which a rule means every port."""
    if authority.startswith("["):
        host, _, port = authority.partition("]")
        return host, port.removeprefix(":")
    host, _, port = authority.partition(":")
    return host, port
