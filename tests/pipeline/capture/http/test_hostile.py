"""Servers, names and disks that mean no good: a run goes on, and no answer is taken for another's."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h11
import pytest
import trustme
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from archive.model import Fetched, Target
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.politeness import HostQueue
from pipeline.capture.http.recorder import BlockSink, Recorder
from pipeline.capture.http.settings import FetchSettings
from tests.site import ODD, ODD_CLOSING, Site, Talk, answer, redirect, streamed
from tests.torture.scale import examples
from tests.waiting import wait_for

SETTINGS = FetchSettings("test/1", delay=0, allow_private=True, timeout=30, connect_timeout=30, retries=0)
ONE_CONNECTION = replace(SETTINGS, connections_per_host=1)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers["/ok"] = answer(b"fine")
        yield running


def fetched_by_url(
    targets: Iterator[Target] | list[Target], settings: FetchSettings, folder: Path
) -> dict[str, Fetched]:
    return {found.target.url: found for found in fetch(targets, settings, folder) if found}


def block(fetched: Fetched) -> bytes:
    with fetched.exchanges[-1].response.open() as stream:
        return stream.read()


# --- Answers and what is behind them


@pytest.mark.parametrize("late", [answer(b"smuggled"), b"no HTTP at all\r\n\r\n"])
def test_bytes_that_come_late_are_not_the_next_answer(site: Site, tmp_path: Path, late: bytes) -> None:
    written, answered = threading.Event(), threading.Event()

    async def then_more(talk: Talk) -> None:
        await talk.send(answer(b"first"))
        while not answered.is_set():
            await asyncio.sleep(0.01)
        await talk.send(late)
        written.set()

    def source() -> Iterator[Target]:
        yield Target(site.url("/a"))
        written.wait(30)
        yield Target(site.url("/ok"))

    site.answers["/a"] = then_more
    found = {}
    for fetched in fetch(source(), ONE_CONNECTION, tmp_path):
        assert fetched is not None
        found[fetched.target.url] = fetched
        answered.set()
    assert block(found[site.url("/a")]) == answer(b"first")
    assert block(found[site.url("/ok")]) == answer(b"fine")
    assert site.connections == 2


def test_what_is_no_http_on_a_kept_connection_is_asked_for_anew(site: Site, tmp_path: Path) -> None:
    # The server's first answer was longer than it said, and its tail comes when the next request is on its way.
    async def tail_first(talk: Talk) -> None:
        kept = talk.site.connections == 1
        await talk.send(b"tail of the answer before\r\n" if kept else answer(b"second"))

    site.answers["/b"] = tail_first
    found = fetched_by_url([Target(site.url("/ok")), Target(site.url("/b"))], ONE_CONNECTION, tmp_path)
    assert block(found[site.url("/b")]) == answer(b"second")
    assert site.paths == ["/ok", "/b", "/b"]


def test_a_silent_server_is_not_asked_twice(site: Site, tmp_path: Path) -> None:
    async def silent(talk: Talk) -> None:
        await asyncio.sleep(3600)

    site.answers["/silent"] = silent
    targets = [Target(site.url("/ok")), Target(site.url("/silent"))]
    found = fetched_by_url(targets, replace(ONE_CONNECTION, timeout=2.0), tmp_path)
    assert found[site.url("/silent")].verdict.name == "timeout"
    assert site.paths == ["/ok", "/silent"]


def test_not_modified_has_no_body_and_keeps_its_connection(site: Site, tmp_path: Path) -> None:
    site.answers["/same"] = b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 500\r\n\r\n'
    found = fetched_by_url([Target(site.url("/same")), Target(site.url("/ok"))], ONE_CONNECTION, tmp_path)
    assert (found[site.url("/same")].verdict.name, found[site.url("/same")].exchanges[0].status) == ("ok", 304)
    assert block(found[site.url("/same")]) == site.answers["/same"]
    assert site.connections == 1


LENIENT = {
    "interim-first": (
        b"HTTP/1.1 103 Hints\r\nno header\r\n\r\nHTTP/1.1 100\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "http/1.1",
    ),
    "old-version": (b"", b"HTTP/1.0 200 OK\r\nno header\r\nContent-Length: 5\r\n\r\nhello", "http/1.0"),
    "a-length-twice": (b"", b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 5, 5\r\n\r\nhello", "http/1.1"),
    "other-coding": (
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        "http/1.1",
    ),
}


@pytest.mark.parametrize("case", LENIENT)
def test_what_a_strict_parser_refuses_still_ends_where_it_should(site: Site, tmp_path: Path, case: str) -> None:
    before, sent, protocol = LENIENT[case]
    site.answers["/x"] = before + sent + b"more"
    found = fetched_by_url([Target(site.url("/x"))], SETTINGS, tmp_path)[site.url("/x")]
    assert found.verdict.name == "ok"
    assert block(found) == sent
    assert found.exchanges[0].protocols == (protocol,)
    assert any("more bytes came behind" in note for note in found.exchanges[0].notes)


def test_both_framings_are_noted_and_the_connection_is_left(site: Site, tmp_path: Path) -> None:
    site.answers["/x"] = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    )
    found = fetched_by_url([Target(site.url("/x")), Target(site.url("/ok"))], ONE_CONNECTION, tmp_path)
    assert block(found[site.url("/x")]) == site.answers["/x"]
    assert "RFC 9112" in found[site.url("/x")].exchanges[0].notes[0]
    assert site.connections == 2


def test_a_head_is_kept_whole_however_small_the_limit(site: Site, tmp_path: Path) -> None:
    found = fetched_by_url([Target(site.url("/ok"))], replace(SETTINGS, max_size=20), tmp_path)[site.url("/ok")]
    assert found.exchanges[0].truncated == "length"
    assert block(found) == answer(b"fine")[: found.exchanges[0].head_length]


def test_a_reason_phrase_cannot_reach_the_terminal(site: Site, tmp_path: Path) -> None:
    site.answers["/x"] = b"HTTP/1.1 404 \x1b[31mred\x07\r\nContent-Length: 0\r\n\r\n"
    found = fetched_by_url([Target(site.url("/x"))], SETTINGS, tmp_path)[site.url("/x")]
    assert (found.verdict.name, found.verdict.error) == ("http-error", "404 ?[31mred?")


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 1 Jan 2024 00:00:00 +99999999999999",
        "Mon, 99999999999999999999 Jan 2024 00:00:00",
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Mon, 1 Jan 0001 00:00:00 +2300",
        "99999999999999999999",
        "-1",
        "1e9",
        "\xb2",
        "x" * 5000,
    ],
)
def test_no_retry_after_ends_the_run(site: Site, tmp_path: Path, value: str) -> None:
    site.answers["/x"] = answer(b"", status="503 Busy", headers=(f"Retry-After: {value}",))
    settings = replace(SETTINGS, retries=1, retry_wait=0.01, max_retry_wait=1)
    found = fetched_by_url([Target(site.url("/x")), Target(site.url("/ok"))], settings, tmp_path)
    assert found[site.url("/x")].verdict.name == "rate-limited"
    assert found[site.url("/ok")].verdict.name == "ok"


# --- Requests


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("If-None-Match", '"Jos\xe9"', b'If-None-Match: "Jos\xe9"\r\n'),
        ("If-None-Match", ' "x" ', b'If-None-Match: "x"\r\n'),
        ("If-None-Match", "a\r\nX-Injected: y", None),
        ("If-None-Match", "a\x00b", None),
        ("If-None-Match", "\u20ac", None),
        ("X Y", "z", None),
        ("Content-Length", "5", None),
        ("Transfer-Encoding", "chunked", None),
    ],
)
def test_headers_are_sent_or_left_out_with_a_note(
    site: Site, tmp_path: Path, name: str, value: str, line: bytes | None
) -> None:
    target = Target(site.url("/ok"), headers=((name, value),))
    exchange = fetched_by_url([target], SETTINGS, tmp_path)[target.url].exchanges[0]
    assert exchange.request == site.raw_requests[0]
    if line is None:
        assert name.encode() not in exchange.request
        assert "left out" in exchange.notes[0]
    else:
        assert line in exchange.request
        assert exchange.notes == ()


def test_validators_and_secrets_stay_behind_at_a_redirect(tmp_path: Path) -> None:
    sent = (("If-Modified-Since", "x"), ("if-none-match", "y"), ("Cookie", "secret"), ("Accept-Language", "de"))
    with Site() as here, Site(host="127.0.0.2") as there:
        here.answers |= {"/a": redirect("/b"), "/b": redirect(there.url("/c"))}
        there.answers["/c"] = answer(b"c")
        list(fetch([Target(here.url("/a"), headers=sent)], SETTINGS, tmp_path))
        names = [
            {line.split(b":")[0].lower() for line in request.split(b"\r\n")[1:]} & {n.lower().encode() for n, _ in sent}
            for request in here.raw_requests + there.raw_requests
        ]
    assert names == [
        {b"if-modified-since", b"if-none-match", b"cookie", b"accept-language"},
        {b"cookie", b"accept-language"},
        {b"accept-language"},
    ]


# --- Connections that break


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _serving(listener: socket.socket, serve: Callable[[socket.socket], None], times: int = 1) -> threading.Thread:
    def run() -> None:
        for _ in range(times):
            serve(listener.accept()[0])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_body_that_only_the_close_ends_is_not_whole_when_the_connection_breaks(site: Site, tmp_path: Path) -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>half of"

    def serve(connection: socket.socket) -> None:
        connection.recv(5000)
        connection.sendall(sent)
        _reset(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = _serving(listener, serve)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        found = fetched_by_url([Target(url)], SETTINGS, tmp_path)[url]
        thread.join(30)
    assert (found.verdict.name, found.exchanges[0].truncated) == ("truncated", "disconnect")
    assert block(found) == sent


def test_a_connection_reset_before_an_answer_is_named(site: Site, tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(5000)
        _reset(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = _serving(listener, serve)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        found = fetched_by_url([Target(url), Target(site.url("/ok"))], SETTINGS, tmp_path)
        thread.join(30)
    assert found[url].verdict.name == "connect-failed"
    assert found[site.url("/ok")].verdict.name == "ok"


@pytest.mark.parametrize(
    ("first", "name"), [(b"", "tls-failure"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "truncated")]
)
def test_tls_that_breaks_after_the_handshake_ends_its_target_alone(
    site: Site, tmp_path: Path, first: bytes, name: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        try:
            secure = context.wrap_socket(connection.dup(), server_side=True)
        except (ssl.SSLError, OSError):  # the client's first try, with verification
            return
        secure.recv(5000)
        if first:
            secure.sendall(first)
            wait_for(lambda: len(list(tmp_path.iterdir())) == 2)  # until it is stored, beside the other answer
        connection.sendall(b"\x17\x03\x03\x00\x20" + b"z" * 32)  # a record that no key opens
        done.wait(30)
        secure.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = _serving(listener, serve, times=2)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        targets = [Target(url), Target(site.url("/ok"))]
        found = fetched_by_url(targets, replace(SETTINGS, insecure=True, memory_limit=1), tmp_path)
        done.set()
        thread.join(30)
    assert found[url].verdict.name == name
    assert [exchange.truncated for exchange in found[url].exchanges] == (["disconnect"] if first else [])
    if first:
        assert block(found[url]) == first
    assert found[site.url("/ok")].verdict.name == "ok"


# --- Names


Resolve = Callable[..., list[Any]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str] | Callable[[], list[str]]]:
    """A resolver of our own: names and their addresses, or what says them."""
    known: dict[str, list[str] | Callable[[], list[str]]] = {}

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        found = known[host]
        addresses = found if isinstance(found, list) else found()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["169.254.169.254"]])
def test_a_name_that_leads_to_a_refused_address_is_refused(
    site: Site, tmp_path: Path, names: dict[str, Any], addresses: list[str]
) -> None:
    names["news.example"] = addresses
    url = f"http://news.example:{site.port}/ok"
    found = fetched_by_url([Target(url)], replace(SETTINGS, allow_private=False), tmp_path)[url]
    assert found.verdict.name == "refused-address"
    assert addresses[-1] in (found.verdict.error or "")
    assert site.connections == 0


def test_the_next_address_is_tried(site: Site, tmp_path: Path, names: dict[str, Any]) -> None:
    names["news.example"] = ["127.0.0.9", "127.0.0.1"]
    url = f"http://news.example:{site.port}/ok"
    found = fetched_by_url([Target(url)], SETTINGS, tmp_path)[url]
    assert (found.verdict.name, found.exchanges[0].ip) == ("ok", "127.0.0.1")


def test_names_that_hang_hold_up_no_other(site: Site, tmp_path: Path, names: dict[str, Any]) -> None:
    over = threading.Event()

    def hang() -> list[str]:
        over.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    def answer_and_end() -> list[str]:
        over.set()
        return ["127.0.0.1"]

    names |= {f"hanging{number}.example": hang for number in range(40)} | {"news.example": answer_and_end}
    url = f"http://news.example:{site.port}/ok"
    targets = [Target(f"http://hanging{number}.example/") for number in range(40)] + [Target(url)]
    found = fetched_by_url(targets, replace(SETTINGS, connect_timeout=30), tmp_path)
    assert found[url].verdict.name == "ok"
    assert {found[target.url].verdict.name for target in targets[:-1]} == {"dns-failure"}
    assert "Temporary failure" in (found["http://hanging0.example/"].verdict.error or "")


def test_a_name_that_never_resolves_ends_in_time_and_is_not_waited_for(tmp_path: Path, names: dict[str, Any]) -> None:
    over = threading.Event()

    def hang() -> list[str]:
        over.wait(60)
        return ["127.0.0.1"]

    names["hanging.example"] = hang
    url = "http://hanging.example/"
    found = fetched_by_url([Target(url)], replace(SETTINGS, connect_timeout=0.2), tmp_path)[url]
    assert (found.verdict.name, over.is_set()) == ("dns-failure", False)
    assert "in time" in (found.verdict.error or "")
    over.set()


# --- Many, and much


def test_sixty_four_at_once(tmp_path: Path) -> None:
    with Site(host="0.0.0.0") as site:
        waiting: list[Talk] = []

        async def all_together(talk: Talk) -> None:
            waiting.append(talk)
            while len(waiting) < 64:
                await asyncio.sleep(0.01)
            await talk.send(answer(b"now"))

        site.answers["/x"] = all_together
        urls = [site.url("/x", f"127.0.0.{number}") for number in range(1, 33) for _ in range(2)]
        found = [fetched for fetched in fetch(map(Target, urls), replace(SETTINGS, timeout=60), tmp_path) if fetched]
        assert {fetched.verdict.name for fetched in found} == {"ok"}
        assert (len(found), site.most_open) == (64, 64)


def test_a_source_without_end_is_read_as_results_are_taken(tmp_path: Path) -> None:
    read = 0

    def source() -> Iterator[Target]:
        nonlocal read
        while True:
            read += 1
            yield Target(f"ftp://host{read}.example/")

    results = fetch(source(), SETTINGS, tmp_path)
    next(results)
    wait_for(lambda: read > 10_000)
    time.sleep(0.2)
    assert read < 10_200
    results.close()


def test_hosts_that_are_done_with_are_forgotten(tmp_path: Path) -> None:
    targets = (Target(f"http://10.0.{number // 256}.{number % 256}/") for number in range(5000))
    results = fetch(targets, replace(SETTINGS, allow_private=False), tmp_path)
    for _ in range(4900):
        found = next(results)
        assert found is not None
        assert found.verdict.name == "refused-address"
    remembered = [thing for thing in gc.get_objects() if type(thing).__name__ in {"_Manners", HostQueue.__name__}]
    results.close()
    assert len(remembered) < 2000


def test_results_that_wait_leave_no_files_when_the_iterator_is_closed(site: Site, tmp_path: Path) -> None:
    results = fetch([Target(site.url("/ok"))] * 60, replace(SETTINGS, memory_limit=10), tmp_path)
    first = next(results)
    assert first is not None
    first.exchanges[0].response.discard()
    wait_for(lambda: len(site.requests) >= 34)  # 32 results wait, and their workers hold more
    wait_for(lambda: len(list(tmp_path.iterdir())) >= 33)
    results.close()
    assert list(tmp_path.iterdir()) == []


DISK_PROBE = """
import resource, sys
from pathlib import Path
from archive.model import Target
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
from storage.errors import StoreUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
try:
    list(fetch([Target(sys.argv[1])], FetchSettings("test/1", allow_private=True), Path(sys.argv[2])))
except StoreUnavailable as error:
    print(error)
"""


def test_a_disk_that_is_full_is_told_with_advice_and_left_clean(site: Site, tmp_path: Path) -> None:
    site.answers["/large"] = streamed(20 << 20)
    command = [sys.executable, "-c", DISK_PROBE, site.url("/large"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)), done.stderr
    assert "free space" in done.stdout
    assert list(tmp_path.iterdir()) == []


# --- However it arrives


def _recorded(pieces: list[bytes], folder: Path) -> tuple[Any, ...]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=4096)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    sink = BlockSink(folder, 1 << 20)
    recorder = Recorder(connection, sink, max_size=1 << 20, max_header_bytes=4096)
    try:
        for piece in [*pieces, b""]:
            if not recorder.complete:
                recorder.feed(piece)
    except Failure as failure:
        return (failure.verdict.name,)
    assert recorder.complete
    data = sink.finish().data or b""
    if recorder.truncated == "unspecified":
        data = b""  # kept as far as it had come when the framing broke
    return recorder.status, recorder.headers, recorder.version, recorder.head_length, data, recorder.truncated


ANSWERS = [*ODD.values(), *ODD_CLOSING.values(), *(before + sent for before, sent, _ in LENIENT.values())]
PIECES = [b"\r\n", b"\n", b"\r", b":", b" ", b"\0", b"0", b"5", b";", b"\xff", b"HTTP/1.1 ", b"Content-Length: 3\r\n"]


@effort(max_examples=examples(150), deadline=None)
@given(some.data())
def test_what_is_recorded_does_not_hang_on_how_it_arrives(data: some.DataObject) -> None:
    sent = data.draw(some.sampled_from(ANSWERS))
    for _ in range(data.draw(some.integers(0, 3))):
        at = data.draw(some.integers(0, len(sent)))
        cut = data.draw(some.integers(0, 5))
        sent = sent[:at] + data.draw(some.sampled_from([b"", *PIECES])) + sent[at + cut :]
    whole = _recorded([sent] if sent else [], Path())
    assert _recorded([sent[at : at + 1] for at in range(len(sent))], Path()) == whole
    if len(whole) > 1:
        assert whole[4] in sent
