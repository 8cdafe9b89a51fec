"""Where another archive is asked for its captures: a CDX server, a TimeMap or a TimeGate, and how it replays them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, urlencode, urlsplit

from archive.formats import urlkey
from archive.times import stamp
from storage.errors import OnrecordError

PAGE = 10_000  # lines of a CDX server that are asked for at once
_WAYBACK = ("https://web.archive.org/cdx/search/cdx", "https://web.archive.org/web/")
_REPLAYED = re.compile(r"(?<=/)(\d{14})(?:[a-z]{2}_)?/(?=.)")  # the time in the address of a memento


class Kind(StrEnum):
    """By which protocol an archive lists its captures."""

    CDX = "cdx"
    TIMEMAP = "timemap"
    TIMEGATE = "timegate"


class RecoverError(OnrecordError):
    """Another archive cannot be asked, or does not answer as the protocol says."""

    exit_code = 3


class NoArchive(RecoverError):
    """What was named is no address of an archive."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Listed:
    """A capture as an archive lists it: its original address and time, the status where that is named, and where."""

    url: str
    at: datetime
    status: int | None
    source: str


@dataclass(frozen=True, slots=True)
class OtherArchive:
    """An archive: `address` is what its questions begin with, `replay` what the address of a memento begins with.

    `{url}` in the address marks the place of the page's URL; without it, the URL follows the address.
    """

    kind: Kind
    address: str
    replay: str = ""

    @classmethod
    def named(cls, text: str, kind: str | None = None, replay: str | None = None) -> OtherArchive:
        """Return the archive that a user names: "wayback", or an address; raises NoArchive.

        Without a kind, the address says it: a path that ends in "cdx" or "index" is a CDX server's, one with "timemap"
        in it a TimeMap's, any other a TimeGate's.
        """
        if text in {"wayback", "web.archive.org"}:
            return cls(Kind.CDX, _WAYBACK[0], replay or _WAYBACK[1])
        try:
            parts = urlsplit(text)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NoArchive(
                f"{text[:200]!r} is no archive: name wayback, or the http or https address of a TimeGate, a TimeMap or "
                "a CDX server"
            )
        chosen = Kind(kind) if kind else _kind_of(parts.path)
        return cls(chosen, text, replay or _replay_of(text, chosen))

    @property
    def host(self) -> str:
        """Return the host of the archive, with its port: the name under which its captures are kept."""
        return host_of(self.replay or self.address)

    def about(self, url: str) -> str:
        """Return the address at which a TimeMap or TimeGate answers for a URL."""
        return self.address.replace("{url}", url) if "{url}" in self.address else self.address + url

    def search(self, url: str, start: datetime | None, end: datetime | None, resume: str | None) -> str:
        """Return the address of a page of a CDX server's answer."""
        fields = {"url": url, "output": "json", "limit": str(PAGE), "showResumeKey": "true"}
        fields |= {"from": stamp(start)} if start else {}
        fields |= {"to": stamp(end)} if end else {}
        fields |= {"resumeKey": resume} if resume else {}
        return f"{self.address}{'&' if '?' in self.address else '?'}{urlencode(fields, quote_via=quote)}"

    def memento(self, url: str, at: datetime) -> str:
        """Return the address of a capture as it was received, for one that a CDX server lists."""
        return f"{self.replay}{stamp(at)}id_/{url}"


def host_of(address: str) -> str:
    """Return the host of an address, with its port where that is named; "" for what is no address."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def raw_address(source: str) -> str | None:
    """Return the address of a memento's bytes as they were received; None where its address has no place for that."""
    found = _REPLAYED.search(source)
    return f"{source[: found.start()]}{found[1]}id_/{source[found.end() :]}" if found else None


def original_in(source: str) -> str | None:
    """Return the original address that the address of a memento ends with, None where it does not."""
    found = _REPLAYED.search(source)
    rest = source[found.end() :] if found else ""
    rest = re.sub(r"\A(https?):/+", r"\1://", rest)
    return rest if rest.startswith(("http://", "https://")) else None


def is_same_page(url: str, listed: str) -> bool:
    """Return whether an archive lists an address for a URL as one of its spellings: on the same host at least."""
    if urlkey(url) == urlkey(listed):
        return True
    try:
        hosts = {(urlsplit(each).hostname or "").removeprefix("www.") for each in (url, listed)}
    except ValueError:
        return False
    return len(hosts) == 1 and listed.startswith(("http://", "https://"))


def best(found: Iterable[Listed], at: datetime) -> Listed | None:
    """Return the capture nearest to a time, one that is no error if there is any."""
    return min(found, key=lambda each: ((each.status or 200) >= 400, abs(each.at - at)), default=None)


def _kind_of(path: str) -> Kind:
    names = [name for name in path.lower().split("/") if name]
    if (names and names[-1] in {"cdx", "index"}) or (names[-1:] and names[-1].endswith(("-cdx", "-index"))):
        return Kind.CDX
    return Kind.TIMEMAP if any("timemap" in name for name in names) else Kind.TIMEGATE


def _replay_of(address: str, kind: Kind) -> str:
    """Return what the addresses of mementos begin with, as known servers have it.

    COLLECTION/cdx and COLLECTION/timemap/... replay at COLLECTION/; /cdx and /cdx/search/cdx at /web/.
    """
    parts = urlsplit(address)
    names = [name for name in parts.path.split("/") if name and name != "{url}"]
    if kind == Kind.TIMEMAP:
        at = next((number for number, name in enumerate(names) if "timemap" in name.lower()), len(names))
        names = names[:at]
    elif kind == Kind.CDX:
        names = names[:-1]
        if names[-1:] == ["search"]:
            names = names[:-1][: -1 if names[-2:-1] == ["cdx"] else None]
    base = f"{parts.scheme}://{parts.netloc}/" + "".join(f"{name}/" for name in names)
    return base if names or kind == Kind.TIMEGATE else f"{base}web/"
