"""The routes of `serve --write`: a page to paste an address into, and what programs send pages and files to."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from archive.errors import NoSuchSnapshot
from archive.times import iso
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import checked_url
from pipeline.web.common.archive_reader import BadQuestion, asked_url
from pipeline.web.common.responses import PLAIN
from pipeline.web.pages.page import Frame, walls
from pipeline.web.write.bodies import FORM, JSON, MULTIPART, FilePart, fields_of, kind_of, pieces
from pipeline.web.write.guard import Guard, Refused
from pipeline.web.write.job_queue import JobQueue, QueueFull
from pipeline.web.write.jobs import Job, State
from pipeline.web.write.tokens import Tokens

_FORM_BYTES = 65_536
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_RETRY = "60"  # seconds


@dataclass(frozen=True, slots=True)
class Writing:
    """What the routes write to."""

    tokens: Tokens
    queue: JobQueue
    wake: Callable[[], None]  # called when something waits
    origin: str | None = None  # behind a proxy
    largest: int = 500_000_000  # bytes of an upload


def routes(frame: Frame, writing: Writing) -> list[BaseRoute]:
    """Return the routes."""
    saving = _Saving(frame, writing)
    return [
        frame.route("/save", saving.form),
        frame.route("/saved/{id}", saving.progress),
        Route("/capture", partial(saving.answer, saving.capture), methods=["POST"]),
        Route("/import", partial(saving.answer, saving.receive), methods=["POST"]),
    ]


class _Saving:
    def __init__(self, frame: Frame, writing: Writing) -> None:
        self._frame = frame
        self._writing = writing
        self._guard = Guard(writing.tokens, writing.origin)

    # Reading

    def form(self, request: Request) -> Response:
        """Return the page to paste an address into; it writes nothing."""
        url = request.query_params.get("url", "")[:8192]
        values = {"url": url, "origin": self._guard.own_origin(request)}
        page = self._frame.render(request, "save.html", values)
        page.headers["Referrer-Policy"] = "same-origin"  # with none, browsers send the form with `Origin: null`
        return page

    def progress(self, request: Request) -> Response:
        """Return how far a job is; its id is known to its sender alone. Raises NoSuchSnapshot."""
        name = request.path_params["id"]
        job = self._writing.queue.job(name) if _ID.fullmatch(name) else None
        if job is None:
            raise NoSuchSnapshot("no such request to save is known; those that were done long ago are forgotten")
        ahead = self._writing.queue.ahead_of(job) if job.state == State.QUEUED else 0
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(_entry(job, ahead), headers=PLAIN | {"Cache-Control": "no-store"})
        return self._frame.render(request, "saved.html", {"job": job, "ahead": ahead, "ended": job.ended is not None})

    # Writing

    async def answer(self, act: Callable[[Request], object], request: Request) -> Response:
        """Let a request that writes do so, or say why not."""
        try:
            self._guard.check_origin(request)
            job = await act(request)  # type: ignore[misc]  # both are coroutine functions
        except Refused as refused:
            if refused.status == 429 or "text/html" not in request.headers.get("accept", ""):
                return refused.response()  # of many, each costs little
            page = self._frame.render(
                request, "error.html", {"title": "Not saved", "message": refused.text}, status=refused.status
            )
            page.headers.update(refused.headers)
            return page
        with suppress(OSError):
            self._writing.wake()
        return _accepted(request, job)

    async def capture(self, request: Request) -> Job:
        """Take the wish to capture a page; raises Refused."""
        written = self._guard.bearer(request)
        owner = self._guard.owner(request, written) if written is not None else None
        if owner is None and kind_of(request) != FORM:
            raise self._guard.lacks()
        if kind_of(request) not in {FORM, JSON}:
            raise Refused('send a form, or JSON as {"url": "https://…"}', 415)
        fields = await fields_of(request, _FORM_BYTES)
        if owner is None:
            if not fields.get("token"):
                raise self._guard.lacks()
            owner = self._guard.owner(request, fields["token"].strip())
        url = _url(fields.get("url", ""))
        return await self._queued(partial(self._writing.queue.add_capture, url, owner.name))

    async def receive(self, request: Request) -> Job:
        """Take a file to import; its token comes in a header, so that nothing is kept of a body without one."""
        written = self._guard.bearer(request)
        if written is None:
            raise self._guard.lacks()
        owner = self._guard.owner(request, written)
        part = FilePart(request.headers["content-type"]) if kind_of(request) == MULTIPART else None
        name = request.query_params.get("name", "")
        with self._writing.queue.upload() as upload:
            count = 0
            async for piece in pieces(request, self._writing.largest):
                data = piece if part is None else part.feed(piece)
                count += len(data)
                await run_in_threadpool(upload.file.write, data)
            if part is not None and not part.is_whole:
                raise Refused("the multipart body holds no whole file", 400)
            if not count:
                raise Refused(
                    "the file is empty; send a WACZ, WARC, HAR or MHTML file, or a page saved by SingleFile", 400
                )
            name = name or (part.name if part else None) or "upload"
            return await self._queued(partial(self._writing.queue.add_import, upload, name, owner.name))

    async def _queued(self, add: Callable[[], Job]) -> Job:
        try:
            return await run_in_threadpool(add)
        except QueueFull as error:
            raise Refused(str(error), 429, {"Retry-After": _RETRY}) from error


def _url(written: str) -> str:
    """Return the address to capture, as captures write it; raises Refused."""
    try:
        return str(checked_url(asked_url(written)))
    except (BadQuestion, Failure) as error:
        raise Refused(f"url: {error.verdict.error if isinstance(error, Failure) else error}", 400) from error


def _accepted(request: Request, job: Job) -> Response:
    where = f"/saved/{job.id}"
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(where, 303, headers=walls())
    return JSONResponse(_entry(job, 0), 202, headers=PLAIN | {"Location": where})


def _entry(job: Job, ahead: int) -> dict[str, object]:
    """Return a job as JSON has it; whose it is, is said to nobody."""
    entry: dict[str, object | None] = {
        "id": job.id, "kind": str(job.kind), "what": job.what, "state": str(job.state), "added": iso(job.added),
        "ahead": ahead or None, "ended": job.ended and iso(job.ended),
    }  # fmt: skip
    if (result := job.result) is not None:
        entry |= {"outcome": result.outcome, "error": result.error, "run": result.run, "url": result.url}
        entry["captured"] = result.captured and iso(result.captured)
    return {name: value for name, value in entry.items() if value is not None}
