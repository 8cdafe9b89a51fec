"""One exchange over a connection: the request is sent, its response recorded, and limits of time are kept."""

from __future__ import annotations

import asyncio
import math
import ssl
from pathlib import Path

import h11

from archive.model import Exchange, Truncation
from archive.times import now
from pipeline.capture.http.connection import READ, Connection, Stale, reason_of, speaks_http2_only
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.proxies import Proxy
from pipeline.capture.http.proxy_tunnel import authorization
from pipeline.capture.http.recorder import BlockSink, Recorder
from pipeline.capture.http.request import Request, request_headers
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import WebUrl

_PROXY_ASKS = 407


async def exchange(
    connection: Connection, url: WebUrl, request: Request, settings: FetchSettings, folder: Path
) -> tuple[Exchange, str | None, bool]:
    """Send a request and record its response.

    Returns the exchange, why it is not whole (or None), and whether the connection can be used again. Raises Stale, or
    Failure when nothing that is a response came.
    """
    state = connection.state
    if state is None:
        state = connection.state = h11.Connection(h11.CLIENT, max_incomplete_event_size=settings.max_header_bytes)
    else:
        state.start_next_cycle()
    sent, notes = _to_send(state, url, request, settings, whole=connection.forward is not None)
    sink = BlockSink(folder, settings.memory_limit)
    recorder = Recorder(
        state,
        sink,
        max_size=settings.max_size,
        max_header_bytes=settings.max_header_bytes,
        bodiless=request.method == "HEAD",
    )
    started = now().replace(microsecond=0)
    try:
        await _converse(connection, _with_credentials(sent, connection.forward), recorder, url, settings)
        if recorder.status == _PROXY_ASKS and connection.forward is not None:
            raise Failure("connect-failed", f"the proxy {connection.forward} asks for other credentials")
        response = sink.finish()
    except BaseException:
        sink.discard()
        raise
    recorded = Exchange(
        url=str(url),
        started=started,
        request=sent,
        response=response,
        head_length=recorder.head_length,
        status=recorder.status,
        headers=recorder.headers,
        ip=connection.ip,
        protocols=(f"http/{recorder.version}", *([connection.tls] if connection.tls else [])),
        truncated=recorder.truncated,
        notes=connection.notes + tuple(notes + recorder.notes),
    )
    return recorded, recorder.error, recorder.reusable


def _to_send(
    state: h11.Connection, url: WebUrl, request: Request, settings: FetchSettings, *, whole: bool
) -> tuple[bytes, list[str]]:
    headers, notes = request_headers(url, request, settings)
    target = str(url) if whole else url.path
    sent = state.send(h11.Request(method=request.method, target=target, headers=headers)) or b""
    if request.body:
        sent += state.send(h11.Data(data=request.body)) or b""
    return sent + (state.send(h11.EndOfMessage()) or b""), notes


def _with_credentials(sent: bytes, forward: Proxy | None) -> bytes:
    """Return a request as a forward proxy gets it: what makes the user known to it is no part of the record."""
    line, end, rest = sent.partition(b"\r\n")
    return line + end + authorization(forward) + rest if forward else sent


async def _converse(
    connection: Connection, sent: bytes, recorder: Recorder, url: WebUrl, settings: FetchSettings
) -> None:
    """Send the request and read until the recorder has its response; raises Stale or Failure when there is none."""
    reused = connection.exchanges > 0
    connection.exchanges += 1
    try:
        connection.writer.write(sent)
        await _read(connection.reader, recorder, settings)
    except Failure as failure:
        # On a kept connection, what is not HTTP may be the tail of the answer before.
        if reused and failure.verdict.name in {"empty-reply", "not-http", "http2-only"}:
            raise Stale from failure
        raise
    except OSError as error:
        if reused and not recorder.received:
            raise Stale from error
        if isinstance(error, ssl.SSLError):
            if speaks_http2_only(error):
                raise Failure("http2-only", f"{url.host} does not speak HTTP/1") from error
            raise Failure("tls-failure", f"TLS with {url.host} broke: {error.reason or error}") from error
        raise Failure("connect-failed", f"the connection broke: {reason_of(error)}") from error
    finally:
        connection.taken += recorder.received


async def _read(reader: asyncio.StreamReader, recorder: Recorder, settings: FetchSettings) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.deadline
    pace = _Pace(settings)
    while not recorder.complete:
        present = loop.time()
        waits = {"silent": settings.timeout, "whole": end - present, "slow": pace.due - present}
        first = min(waits, key=lambda name: waits[name])
        try:
            async with asyncio.timeout(waits[first]):
                data = await reader.read(READ)
        except TimeoutError:
            if first == "slow" and pace.holds(recorder.received, pace.due):
                continue
            _out_of_time(recorder, settings, first)
            return
        except OSError as error:
            if not recorder.begun:
                raise
            # Also where only the end of the connection ends the body: a connection that broke has not ended it.
            recorder.give_up(Truncation.DISCONNECT, f"the connection broke: {reason_of(error)}")
            return
        recorder.feed(data)
        if not recorder.complete and not pace.holds(recorder.received, loop.time()):
            _out_of_time(recorder, settings, "slow")


class _Pace:
    """Whether a response comes fast enough, looked at after each span of time, from its first byte on."""

    def __init__(self, settings: FetchSettings) -> None:
        self._span = settings.low_speed_time
        self._least = settings.low_speed * settings.low_speed_time  # bytes in a span
        self._before = 0  # bytes that had come when the span began
        self.due = math.inf  # when the span ends

    def holds(self, received: int, present: float) -> bool:
        """Return whether enough came in the span, as far as one is over, given all bytes up to now."""
        if not received or not self._least:
            return True
        enough = True
        if self.due < math.inf and present >= self.due:
            enough, self._before = received - self._before >= self._least, received
            self.due = math.inf
        if self.due == math.inf:
            self.due = present + self._span
        return enough


def _out_of_time(recorder: Recorder, settings: FetchSettings, limit: str) -> None:
    """End a response at one of the limits of time: "silent", "whole" or "slow"."""
    why = {
        "silent": f"no byte for {settings.timeout:g} s; raise --timeout to wait longer",
        "whole": f"not whole within {settings.deadline:g} s",
        "slow": f"fewer than {settings.low_speed:g} bytes per second over {settings.low_speed_time:g} s; lower "
        "--low-speed to wait longer",
    }[limit]
    if not recorder.begun:
        raise Failure("timeout", f"no answer: {why}")
    recorder.give_up(Truncation.TIME, why)
