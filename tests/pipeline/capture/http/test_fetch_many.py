"""The recorder over real sockets: every byte as it was sent, every fault by its name."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from archive.model import Fetched, Target
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
from tests.site import (
    INTERIM,
    ODD,
    ODD_CLOSING,
    Site,
    Talk,
    a_byte_at_a_time,
    answer,
    empty_reply,
    endless_header,
    redirect,
    silent,
    stalls,
    streamed,
)

SETTINGS = FetchSettings("test/1", delay=0, allow_private=True, timeout=30, connect_timeout=30, retries=0)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def fetch_all(tmp_path: Path, *urls: str, settings: FetchSettings = SETTINGS) -> dict[str, Fetched]:
    found = {}
    for fetched in fetch((Target(url) for url in urls), settings, tmp_path):
        assert fetched is not None
        found[fetched.target.url] = fetched
    return found


def fetch_one(tmp_path: Path, url: str, **changes: object) -> Fetched:
    return fetch_all(tmp_path, url, settings=replace(SETTINGS, **changes))[url]  # type: ignore[arg-type]


def block(fetched: Fetched) -> bytes:
    with fetched.exchanges[-1].response.open() as stream:
        return stream.read()


@pytest.mark.parametrize("path", [*ODD, *ODD_CLOSING])
def test_odd_answers_are_recorded_to_the_byte(site: Site, tmp_path: Path, path: str) -> None:
    sent = {**ODD, **ODD_CLOSING}[path]
    site.answers[path] = sent
    site.closing |= ODD_CLOSING.keys()
    fetched = fetch_one(tmp_path, site.url(path))
    assert block(fetched) == (sent[INTERIM:] if path == "/continue-first" else sent)
    assert fetched.verdict.name == "ok"
    exchange = fetched.exchanges[-1]
    assert exchange.status == (204 if path == "/no-content" else 200)
    assert exchange.truncated is None
    head = block(fetched)[: exchange.head_length]
    assert head.endswith((b"\r\n\r\n", b"\n\n", b"\r\n\n"))


def test_the_request_is_recorded_as_it_was_sent(site: Site, tmp_path: Path) -> None:
    site.answers["/a?b=%C3%BC"] = answer(b"x")
    target = Target(site.url("/a?b=ü#fragment"), headers=(("If-None-Match", '"x"'),))
    (fetched,) = fetch([target], SETTINGS, tmp_path)
    assert fetched is not None
    assert fetched.exchanges[0].request == site.raw_requests[0]
    assert fetched.exchanges[0].url == site.url("/a?b=%C3%BC")
    assert b'If-None-Match: "x"\r\n' in site.raw_requests[0]
    assert (fetched.exchanges[0].ip, fetched.exchanges[0].protocols) == ("127.0.0.1", ("http/1.1",))


def test_bytes_behind_the_answer_are_left_out_and_the_connection_not_used_again(site: Site, tmp_path: Path) -> None:
    site.answers["/a"] = answer(b"hello") + b"HTTP/1.1 200 OK\r\n\r\nsmuggled"
    site.answers["/b"] = answer(b"second")
    found = fetch_all(tmp_path, site.url("/a"), site.url("/b"), settings=replace(SETTINGS, connections_per_host=1))
    assert block(found[site.url("/a")]) == answer(b"hello")
    assert block(found[site.url("/b")]) == answer(b"second")
    assert site.connections == 2


def test_connections_are_kept_and_a_stale_one_is_replaced(site: Site, tmp_path: Path) -> None:
    for number in range(5):
        site.answers[f"/{number}"] = answer(b"%d" % number)
    site.closing.add("/2")
    urls = [site.url(f"/{number}") for number in range(5)]
    found = fetch_all(tmp_path, *urls, settings=replace(SETTINGS, connections_per_host=1))
    assert {fetched.verdict.name for fetched in found.values()} == {"ok"}
    assert site.connections == 2
    assert sorted(site.paths) == ["/0", "/1", "/2", "/3", "/4"]


BROKEN = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", "disconnect"),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nonly this", "disconnect"),
    "between-chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nthis\r\n", "disconnect"),
    "bad-chunk-size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nthis\r\nzz\r\nmore", "unspecified"),
    "lenient-length": (b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 50\r\n\r\nonly this", "disconnect"),
    "lenient-chunk": (b"HTTP/1.1 200 OK\r\nno header\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nmore", "unspecified"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_off_is_kept_and_marked(site: Site, tmp_path: Path, case: str) -> None:
    sent, reason = BROKEN[case]
    site.answers["/x"] = sent
    site.closing.add("/x")
    fetched = fetch_one(tmp_path, site.url("/x"))
    assert fetched.verdict.name == "truncated"
    assert fetched.exchanges[0].truncated == reason
    assert block(fetched) == sent


FAULTS = {
    "empty-reply": empty_reply,
    "not-http": b"220 mail.example.org ready\r\n",
    "http2-only": b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80",
    "header-too-large": endless_header,
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_answer_is_named(site: Site, tmp_path: Path, name: str) -> None:
    site.answers["/x"] = FAULTS[name]
    fetched = fetch_one(tmp_path, site.url("/x"))
    assert (fetched.verdict.name, fetched.exchanges) == (name, ())
    assert fetched.verdict.error
    assert "\n" not in fetched.verdict.error


def test_a_server_that_agrees_to_http2_alone_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"\x15\3\3\0\2\2\x78")  # the alert no_application_protocol (RFC 7301 §3.2)
                connection.recv(1)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        fetched = fetch_one(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join(60)
    assert (fetched.verdict.name, fetched.exchanges) == ("http2-only", ())


def test_a_head_that_breaks_off_is_not_http(site: Site, tmp_path: Path) -> None:
    site.answers["/x"] = b"HTTP/1.1 200 OK\r\nContent-"
    site.closing.add("/x")
    assert fetch_one(tmp_path, site.url("/x")).verdict.name == "not-http"


def test_silence_and_slowness_end(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/silent": silent, "/stalls": stalls, "/slow": a_byte_at_a_time}
    assert fetch_one(tmp_path, site.url("/silent"), timeout=0.3).verdict.name == "timeout"
    stalled = fetch_one(tmp_path, site.url("/stalls"), timeout=5.0)  # in which half of it has come
    assert (stalled.verdict.name, stalled.exchanges[0].truncated) == ("truncated", "time")
    assert block(stalled).endswith(b"half")
    assert fetch_one(tmp_path, site.url("/slow"), deadline=1.0).verdict.name == "timeout"


def test_a_response_that_drips_is_ended_and_kept(site: Site, tmp_path: Path) -> None:
    """The server goes on until it is left: only the limit ends it."""

    async def drips(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not talk.writer.is_closing():
            await talk.send(b"x")
            await asyncio.sleep(0.02)

    site.answers["/drips"] = drips
    fetched = fetch_one(tmp_path, site.url("/drips"), low_speed=1_000_000.0, low_speed_time=0.3)
    assert (fetched.verdict.name, fetched.exchanges[0].truncated) == ("truncated", "time")
    assert "fewer than 1e+06 bytes per second over 0.3 s; lower --low-speed" in (fetched.verdict.error or "")
    assert block(fetched).endswith(b"x")
    site.answers["/small"] = answer(b"whole")
    fast = fetch_one(tmp_path, site.url("/small"), low_speed=1_000_000.0, low_speed_time=0.3)
    assert fast.verdict.name == "ok"


def test_size_limits_cut_the_body_and_say_how_to_raise_them(site: Site, tmp_path: Path) -> None:
    site.answers["/x"] = answer(b"0123456789" * 100)
    fetched = fetch_one(tmp_path, site.url("/x"), max_size=500)
    assert fetched.exchanges[0].truncated == "length"
    assert block(fetched) == answer(b"0123456789" * 100)[:500]
    assert "--max-size" in (fetched.verdict.error or "")


def test_redirects_are_captures_of_their_own(site: Site, tmp_path: Path) -> None:
    site.answers |= {
        "/a": redirect("/b", "301 Moved"),
        "/b": redirect("c?x=ü#part".encode().decode("latin-1"), "308 Permanent"),
        "/c?x=%C3%BC": answer(b"here"),
    }
    fetched = fetch_one(tmp_path, site.url("/a"))
    assert [exchange.status for exchange in fetched.exchanges] == [301, 308, 200]
    assert fetched.exchanges[2].url == site.url("/c?x=%C3%BC")
    assert fetched.verdict.name == "ok"


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/loop", "redirect-loop"),
        ("ftp://example.org/", "unsupported-scheme"),
        ("file:///etc/passwd", "unsupported-scheme"),
        ("javascript:alert(1)", "unsupported-scheme"),
        ("http://user:secret@example.org/", "invalid-url"),
        ("http://", "invalid-url"),
        ("http://[::1", "invalid-url"),
    ],
)
def test_redirects_that_lead_nowhere_are_named(site: Site, tmp_path: Path, location: str, name: str) -> None:
    site.answers["/loop"] = redirect(location)
    fetched = fetch_one(tmp_path, site.url("/loop"))
    assert fetched.verdict.name == name
    assert len(fetched.exchanges) == 1
    assert "redirected" in (fetched.verdict.error or "")


def test_a_line_break_in_a_location_is_a_header_of_its_own(site: Site, tmp_path: Path) -> None:
    site.answers["/x"] = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nX-Injected: 1\r\nContent-Length: 0\r\n\r\n"
    site.answers["/y"] = b"HTTP/1.1 302 Found\r\nLocation: /a\x01b\r\nContent-Length: 0\r\n\r\n"
    site.answers["/a"] = answer(b"here")
    assert fetch_one(tmp_path, site.url("/x")).verdict.name == "ok"
    bad = fetch_one(tmp_path, site.url("/y"))
    assert (bad.verdict.name, len(bad.exchanges)) == ("invalid-url", 1)


def test_a_chain_of_redirects_has_an_end(site: Site, tmp_path: Path) -> None:
    for number in range(10):
        site.answers[f"/{number}"] = redirect(f"/{number + 1}")
    fetched = fetch_one(tmp_path, site.url("/0"), max_redirects=5)
    assert (fetched.verdict.name, len(fetched.exchanges)) == ("too-many-redirects", 6)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest/", "http://[::1]/", "http://2130706433/"],
)
def test_addresses_that_are_not_public_are_refused(tmp_path: Path, url: str) -> None:
    fetched = fetch_one(tmp_path, url, allow_private=False)
    assert fetched.verdict.name == "refused-address"
    assert "--allow-private" in (fetched.verdict.error or "")


def test_a_redirect_to_a_refused_address_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The site's own address passes for public; the one it redirects to does not.
    from pipeline.capture.http import connection

    real = connection.refusal
    monkeypatch.setattr(connection, "refusal", lambda ip: None if ip == "127.0.0.1" else real(ip))
    site.answers["/x"] = redirect("http://169.254.169.254/latest/meta-data/")
    fetched = fetch_one(tmp_path, site.url("/x"), allow_private=False)
    assert (fetched.verdict.name, len(fetched.exchanges)) == ("refused-address", 1)


def test_a_name_that_resolves_anew_is_checked_on_the_socket(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The answer of the resolver is public, the socket's peer is not: what a rebinding attack amounts to.
    from pipeline.capture.http import connection

    answers = iter([None, "loopback"])
    monkeypatch.setattr(connection, "refusal", lambda _: next(answers))
    fetched = fetch_one(tmp_path, site.url("/x"), allow_private=False)
    assert fetched.verdict.name == "refused-address"
    assert site.requests == []


def test_names_and_ports_that_lead_nowhere(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert fetch_one(tmp_path, f"http://127.0.0.1:{port}/").verdict.name == "connect-failed"
    assert fetch_one(tmp_path, "http://no-such-name.invalid/").verdict.name == "dns-failure"


def test_errors_are_answers(site: Site, tmp_path: Path) -> None:
    fetched = fetch_one(tmp_path, site.url("/missing"))
    assert (fetched.verdict.name, fetched.verdict.error) == ("http-error", "404 Not Found")
    assert len(fetched.exchanges) == 1


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    async def busy_once(talk: Talk) -> None:
        first = len(talk.site.requests) == 1
        busy = answer(b"later", status="503 Busy", headers=("Retry-After: 0",))
        await talk.send(busy if first else answer(b"now"))

    site.answers["/x"] = busy_once
    fetched = fetch_one(tmp_path, site.url("/x"), retries=2)
    assert (fetched.verdict.name, block(fetched)) == ("ok", answer(b"now"))
    site.answers["/y"] = answer(b"never", status="429 Too Many", headers=("Retry-After: 86400",))
    assert fetch_one(tmp_path, site.url("/y"), retries=2).verdict.name == "rate-limited"
    assert site.paths.count("/y") == 1


def test_requests_to_a_host_keep_their_distance(site: Site, tmp_path: Path) -> None:
    urls = [site.url(f"/{number}") for number in range(4)]
    fetch_all(tmp_path, *urls, settings=replace(SETTINGS, delay=1.0))
    moments = [moment for moment, _ in site.requests]
    # A busy machine hears of a request late: by less than a second for the first, or it looks too close to the last.
    assert moments[-1] - moments[0] > 2.0
    assert site.most_open <= 2


def test_a_hanging_host_holds_up_no_other(tmp_path: Path) -> None:
    done = threading.Event()

    async def hangs(talk: Talk) -> None:
        """Answers once the other host was asked for everything: by then, or not at all."""
        await asyncio.to_thread(done.wait, 100)
        await talk.send(answer(b"late"))

    async def at_once(talk: Talk) -> None:
        await talk.send(answer(b"x"))
        if len(talk.site.requests) == 40:
            done.set()

    with Site(host="127.0.0.2") as hanging, Site() as quick:
        for number in range(40):
            hanging.answers[f"/{number}"] = hangs
            quick.answers[f"/{number}"] = at_once
        urls = [site.url(f"/{number}") for number in range(40) for site in (hanging, quick)]
        order = [
            fetched.target.url
            for fetched in fetch(map(Target, urls), replace(SETTINGS, timeout=60, concurrency=4), tmp_path)
            if fetched and fetched.verdict.name == "ok"
        ]
    last_quick = max(index for index, url in enumerate(order) if quick.host + ":" in url)
    assert len(order) == 80
    assert last_quick < 60


def test_closing_the_iterator_ends_everything(site: Site, tmp_path: Path) -> None:
    site.answers["/silent"] = silent
    site.answers["/large"] = streamed(5 << 20)
    before = threading.active_count()
    results = fetch(map(Target, [site.url("/large")] * 3 + [site.url("/silent")]), SETTINGS, tmp_path, tick=0.05)
    first = next(result for result in results if result is not None)
    assert first.verdict.name == "ok"
    first.exchanges[0].response.discard()
    results.close()
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def test_a_source_that_fails_is_told_to_the_consumer(site: Site, tmp_path: Path) -> None:
    def source() -> Iterator[Target]:
        yield Target(site.url("/a"))
        raise LookupError("the list broke off")

    with pytest.raises(LookupError, match="the list broke off"):
        list(fetch(source(), SETTINGS, tmp_path))


def test_large_bodies_go_to_files(site: Site, tmp_path: Path) -> None:
    site.answers["/large"] = streamed(3 << 20)
    fetched = fetch_one(tmp_path, site.url("/large"))
    assert fetched.exchanges[0].response.path is not None
    assert len(block(fetched)) == fetched.exchanges[0].response.size
    assert block(fetched).endswith(bytes(range(256)))


MEMORY_PROBE = """
import resource, sys
from pathlib import Path
from archive.model import Target
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
settings = FetchSettings("test/1", allow_private=True)
for fetched in fetch([Target(sys.argv[1])], settings, Path(sys.argv[2])):
    assert fetched.verdict.name == "ok", fetched.verdict
    assert fetched.exchanges[0].response.size > 300 << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.full
def test_memory_stays_bounded_whatever_arrives(site: Site, tmp_path: Path) -> None:
    site.answers["/huge"] = streamed(301 << 20)
    command = [sys.executable, "-c", MEMORY_PROBE, site.url("/huge"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60_000  # KiB on Linux


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_site(authority: trustme.CA) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Site(tls=context) as running:
        running.answers["/"] = answer(b"secret")
        yield running


@pytest.fixture(autouse=True)
def _fresh_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.capture.http import connection

    monkeypatch.setattr(connection, "_CONTEXTS", {})


def test_tls_with_a_trusted_certificate(
    secure_site: Site, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    fetched = fetch_one(tmp_path, secure_site.url())
    assert fetched.verdict.name == "ok"
    assert fetched.exchanges[0].protocols == ("http/1.1", "tls/1.3")
    assert fetched.exchanges[0].notes == ()


def test_a_bad_certificate_is_an_outcome_or_a_note(secure_site: Site, tmp_path: Path) -> None:
    refused = fetch_one(tmp_path, secure_site.url())
    assert (refused.verdict.name, refused.exchanges) == ("tls-certificate", ())
    assert "--insecure" in (refused.verdict.error or "")
    recorded = fetch_one(tmp_path, secure_site.url(), insecure=True)
    assert recorded.verdict.name == "ok"
    assert any("certificate not valid" in note for note in recorded.exchanges[0].notes)


def test_no_tls_where_tls_was_wanted(tmp_path: Path) -> None:
    def greet(listener: socket.socket) -> None:
        with listener.accept()[0] as accepted:
            accepted.sendall(b"220 no TLS is spoken here\r\n")
            accepted.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        fetched = fetch_one(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert fetched.verdict.name == "tls-failure"
