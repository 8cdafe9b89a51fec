"""A service on loopback that behaves as the documentation of Save Page Now 2 says, and as it is known to fail.

With keys it takes `POST /save` and answers with JSON; without, `POST /save/URL` and answers with a page that watches
the job. A job is pending for some looks, and then a success or an error. What was saved is given back at
/web/TIMESTAMPid_/.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs

from tests.site import Site, Talk, answer

KEYS = "ida:secret"
STAMP = "20261128120000"


@dataclass
class SavePageNowServer:
    """`bodies` is what it saves of each URL; `errors` are what a job of a URL ends with, as (status_ext, message)."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)
    looks: int = 0  # at a job that is pending
    busy: int = 0  # requests that are answered with 429 first
    refused: list[tuple[str, str]] = field(
        default_factory=list
    )  # next answers to a submission: an error with status 200
    lost: int = 0  # times that a capture which was called a success is not there

    def __post_init__(self) -> None:
        self.site = Site()
        self.site.answers = _Every(self)
        self.jobs: list[str] = []  # the URL of each

    def __enter__(self) -> Self:
        self.site.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.site.__exit__()

    async def answer(self, talk: Talk) -> None:
        body = await _body_of(talk)
        if self.busy:
            self.busy -= 1
            await talk.send(answer(b"", status="429 Too Many Requests", headers=("Retry-After: 60",)))
        elif talk.path.startswith("/save/status/"):
            await _json(talk, self._status(int(talk.path.rpartition("-")[2])))
        elif talk.path.startswith("/save"):
            await self._submit(talk, parse_qs(body.decode())["url"][0])
        else:
            await self._replay(talk)

    async def _submit(self, talk: Talk, url: str) -> None:
        if talk.path == "/save" and f"authorization: low {KEYS}".encode() not in talk.request.lower():
            said = {"message": "You need to be logged in to use Save Page Now."}
            await _json(talk, said, status="401 UNAUTHORIZED")
            return
        if self.refused:
            name, message = self.refused.pop()
            await _json(talk, {"status": "error", "status_ext": name, "message": message})
            return
        self.jobs.append(url)
        job = f"spn2-00000000{len(self.jobs) - 1}"
        if talk.path == "/save":
            await _json(talk, {"url": url, "job_id": job})
        else:
            assert talk.path.removeprefix("/save/") == url
            await talk.send(answer(f'<script>spn.watchJob("{job}", "/_static/", 6000);</script>'.encode()))

    def _status(self, number: int) -> dict[str, object]:
        url = self.jobs[int(str(number)[-1])]
        if self.looks:
            self.looks -= 1
            return {"status": "pending", "resources": []}
        if url in self.errors:
            name, message = self.errors[url]
            return {"status": "error", "status_ext": name, "message": message}
        return {"status": "success", "timestamp": STAMP, "original_url": url, "http_status": 200}

    async def _replay(self, talk: Talk) -> None:
        url = talk.path.removeprefix(f"/web/{STAMP}id_/")
        if self.lost or url not in self.bodies:
            self.lost = max(self.lost - 1, 0)
            await talk.send(answer(b"<html>not archived", status="404 NOT FOUND"))
        else:
            await talk.send(answer(self.bodies[url]))


async def _json(talk: Talk, said: dict[str, object], status: str = "200 OK") -> None:
    await talk.send(answer(json.dumps(said).encode(), status=status, kind="application/json"))


async def _body_of(talk: Talk) -> bytes:
    for line in talk.request.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return await talk.reader.readexactly(int(line.partition(b":")[2]))
    return b""


class _Every(dict):  # type: ignore[type-arg]
    """The same answer to every path."""

    def __init__(self, server: SavePageNowServer) -> None:
        super().__init__()
        self._server = server

    def get(self, _path: object, _default: object = None) -> object:
        return self._server.answer
