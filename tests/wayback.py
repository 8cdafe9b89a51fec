"""An archive on loopback that behaves as the Internet Archive's public documentation says.

Its CDX server answers with arrays and resumption keys; captures are replayed at /web/TIMESTAMPid_/URL, raw, with the
original headers under x-archive-orig-; a time that has no capture redirects to the nearest one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Self
from urllib.parse import parse_qs, urlsplit

from archive.times import from_stamp
from tests.site import Site, Talk, answer, redirect

Headers = tuple[tuple[str, str], ...]
HTML: Headers = (("Content-Type", "text/html; charset=utf-8"), ("Server", "origin/1"), ("Date", "a day of old"))


@dataclass
class Kept:
    """A capture: what the origin answered, and what of that the archive has."""

    url: str
    stamp: str
    body: bytes
    status: str = "200 OK"
    headers: Headers = HTML


@dataclass
class Wayback:
    """`busy` answers that many questions with 429 first; `page` is how many lines a search gives at once."""

    kept: list[Kept] = field(default_factory=list)
    page: int = 1000
    busy: int = 0
    retry_after: str = "0"
    missing: set[str] = field(default_factory=set)  # stamps of captures that are listed and not there
    cut: dict[str, int] = field(default_factory=dict)  # how often a capture breaks off on its way, by stamp
    inexact: set[str] = field(default_factory=set)  # stamps that are listed for a capture of another second

    def __post_init__(self) -> None:
        self.site = Site()
        self.site.answers = _Every(self)

    def __enter__(self) -> Self:
        self.site.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.site.__exit__()

    @property
    def cdx(self) -> str:
        return self.site.url("/cdx/search/cdx")

    @property
    def searches(self) -> list[str]:
        return [path for path in self.site.paths if path.startswith("/cdx/")]

    @property
    def replays(self) -> list[str]:
        return [path for path in self.site.paths if path.startswith("/web/")]

    async def answer(self, talk: Talk) -> None:
        if self.busy:
            self.busy -= 1
            await talk.send(answer(b"", status="429 Too Many Requests", headers=(f"Retry-After: {self.retry_after}",)))
        elif talk.path.startswith("/cdx/search/cdx?"):
            await talk.send(answer(self._search(talk.path), kind="application/json"))
        else:
            await self._replay(talk)

    def _search(self, path: str) -> bytes:
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
        found = [
            each
            for each in sorted(self.kept, key=lambda each: each.stamp)
            if each.url == asked["url"] and asked.get("from", "") <= each.stamp <= asked.get("to", "9")
        ]
        start = int(asked.get("resumeKey", "0"))
        rows = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
        shown = found[start : start + self.page]
        rows += [["key", each.stamp, each.url, "text/html", each.status[:3], "A" * 32, "1"] for each in shown]
        rows += [[], [str(start + self.page)]] if start + self.page < len(found) else []
        return json.dumps(rows if found else []).encode()

    async def _replay(self, talk: Talk) -> None:
        place, _, url = talk.path.removeprefix("/web/").partition("/")
        digits = place.removesuffix("id_")
        found = min(
            (each for each in self.kept if each.url == url and each.stamp not in self.inexact),
            key=lambda each: abs(int(each.stamp) - int(digits)),
            default=None,
        )
        if found is None or digits in self.missing:
            await talk.send(answer(b"<html>not archived", status="404 NOT FOUND"))
        elif found.stamp != digits:
            await talk.send(redirect(f"/web/{found.stamp}id_/{url}"))
        else:
            await self._send(talk, found)

    async def _send(self, talk: Talk, found: Kept) -> None:
        moment = format_datetime(from_stamp(found.stamp), usegmt=True)
        headers = [f"x-archive-orig-{name.lower()}: {value}" for name, value in found.headers]
        headers += [f"Memento-Datetime: {moment}", f'Link: <{found.url}>; rel="original"', "x-archive-src: A.warc.gz"]
        headers += [f"Content-Encoding: {value}" for name, value in found.headers if name == "Content-Encoding"]
        whole = answer(found.body, status=found.status, headers=tuple(headers))
        if self.cut.get(found.stamp, 0) > 0:
            self.cut[found.stamp] -= 1
            await talk.send(whole[:-5])
            talk.close()
            return
        await talk.send(whole)


class _Every(dict):  # type: ignore[type-arg]
    """The same answer to every path."""

    def __init__(self, archive: Wayback) -> None:
        super().__init__()
        self._archive = archive

    def get(self, _path: object, _default: object = None) -> object:
        return self._archive.answer
