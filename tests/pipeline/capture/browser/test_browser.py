"""Pages in the browser: every exchange recorded to the byte, nothing reached but by the recorder, every visit ended."""

from __future__ import annotations

import asyncio
import gzip
import os
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from archive.model import Block, Fetched, Role, Target
from pipeline.capture.browser.chromium import Process, find_chromium
from pipeline.capture.browser.visit_many import Browsed, Browser, BrowserSettings, BrowserUnavailable, browse_all
from pipeline.capture.http.politeness import Hosts
from pipeline.capture.http.settings import FetchSettings
from storage.errors import StoreUnavailable
from tests.site import NOT_FOUND, ODD, Site, Talk, answer, chunked, redirect, silent, stalls, streamed
from tests.waiting import wait_for

pytest.importorskip("playwright", reason="the extra [browser] is not installed")
pytest.importorskip("cryptography", reason="the extra [browser] is not installed")
try:
    find_chromium()
except BrowserUnavailable as error:
    pytest.skip(str(error), allow_module_level=True)

SETTINGS = FetchSettings("test/1", delay=0, allow_private=True, timeout=30, connect_timeout=30, retries=0)
LIMITS = BrowserSettings(settle=0.5, limit=60, delay=0)
SHORT = replace(LIMITS, limit=6)  # for what never ends

Visit = Callable[..., Browsed]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers["/favicon.ico"] = answer(b"", kind="image/png")
        yield running


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """One browser for the pages that do it no harm."""
    targets: queue.SimpleQueue[Target | None] = queue.SimpleQueue()
    results = browse_all(iter(targets.get, None), SETTINGS, tmp_path_factory.mktemp("work"), limits=LIMITS, tabs=1)

    def one(url: str, **further: object) -> Browsed:
        targets.put(Target(url, **further))  # type: ignore[arg-type]
        browsed = next(results)
        assert browsed is not None
        return browsed

    yield one
    targets.put(None)
    results.close()


def browse(folder: Path, url: str, limits: BrowserSettings = LIMITS, settings: FetchSettings = SETTINGS) -> Browsed:
    """A page in a browser of its own."""
    (browsed,) = browse_all([Target(url)], settings, folder, limits=limits, tabs=1)
    assert browsed is not None
    return browsed


def data(block: Block) -> bytes:
    with block.open() as stream:
        return stream.read()


def wire(fetched: Fetched) -> bytes:
    return data(fetched.exchanges[-1].response)


def by_url(browsed: Browsed) -> dict[str, Fetched]:
    return {fetched.target.url: fetched for fetched in browsed.fetched}


def made(browsed: Browsed, kind: str) -> bytes:
    (found,) = [resource for resource in browsed.resources if resource.url.startswith(f"urn:{kind}:")]
    return data(found.block)


def dom(browsed: Browsed) -> str:
    return made(browsed, "dom").decode()


def html(body: str, head: str = "") -> bytes:
    return answer(f"<!doctype html><html><head><title>A page</title>{head}</head><body>{body}</body></html>".encode())


def script(code: str) -> bytes:
    return html(f"<p>before</p><script>{code}</script><p>after</p>")


async def echo(talk: Talk) -> None:
    """Answer with the body that came, and remember it."""
    length = next(
        int(line.split(b":")[1]) for line in talk.request.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    body = await talk.reader.readexactly(length)
    talk.site.raw_requests[-1] += body
    await talk.send(answer(b"you said " + body, kind="text/plain"))


def test_a_page_that_scripts_draw(site: Site, visit: Visit) -> None:
    site.answers["/"] = html("<main id=m></main><script src=/draw.js></script>")
    site.answers["/draw.js"] = answer(b"m.textContent = 'Drawn ' + 'by a script'", kind="text/javascript")
    browsed = visit(site.url("/"))
    page, *others = browsed.fetched
    assert page.verdict.name == "ok"
    assert page.target == Target(site.url("/"))
    assert wire(page) == site.answers["/"]
    assert b"Drawn by a script" not in wire(page)
    assert '<main id="m">Drawn by a script</main>' in dom(browsed)
    assert dom(browsed).startswith("<!DOCTYPE html>\n<html>")
    drawing = by_url(browsed)[site.url("/draw.js")]
    assert wire(drawing) == site.answers["/draw.js"]
    assert (drawing.target.via, drawing.target.role) == (site.url("/"), Role.REQUISITE)
    assert {fetched.target.url for fetched in others} == {site.url("/draw.js"), site.url("/favicon.ico")}
    assert [(resource.url, resource.mime) for resource in browsed.resources] == [
        (f"urn:dom:{site.url('/')}", "text/html; charset=utf-8"),
        (f"urn:fullPageFinal:{site.url('/')}", "image/png"),
    ]
    assert browsed.notes == ()


@pytest.mark.full
def test_text_in_components_is_in_the_dom(site: Site, visit: Visit) -> None:
    site.answers["/"] = script(
        "const one = document.body.appendChild(document.createElement('my-one'));"
        "one.attachShadow({mode: 'open'}).innerHTML = '<b>outer</b><my-two></my-two>';"
        "one.shadowRoot.lastChild.attachShadow({mode: 'open'}).innerHTML = '<i>inner &amp; hidden</i>'"
    )
    text = dom(visit(site.url("/")))
    assert '<template shadowrootmode="open"><b>outer</b><my-two>' in text
    assert "<i>inner &amp; hidden</i>" in text
    assert text.startswith("<!DOCTYPE html>\n<html><head>")
    assert text.endswith("</body></html>")


@pytest.mark.full
def test_names_that_hide_what_a_document_has(site: Site, visit: Visit) -> None:
    hidden = "documentElement doctype querySelectorAll scrollingElement".split()
    site.answers["/"] = html(
        "".join(f"<img name={name}>" for name in hidden) + "<form><input name=shadowRoot><input name=outerHTML></form>"
    )
    text = dom(visit(site.url("/")))
    assert text.startswith("<!DOCTYPE html>\n<html><head>")
    assert '<input name="shadowRoot">' in text


def test_requests_of_scripts_are_recorded_to_the_byte(site: Site, visit: Visit) -> None:
    site.answers["/"] = script(
        "fetch('/get', {headers: {'X-Mine': 'yes'}}).then(r => r.text()).then(t => document.body.append(t))"
        ".then(() => fetch('/post', {method: 'POST', body: 'a=1&b=\\u00fc'})).then(r => r.text())"
        ".then(t => document.body.append(t)).then(() => fetch('/put', {method: 'PUT'}))"
        ".then(() => fetch('/head', {method: 'HEAD'})).then(r => document.body.append('length ' + r.status))"
    )
    site.answers["/get"] = ODD["/chunked"]
    site.answers["/post"] = echo
    site.answers["/put"] = echo
    site.answers["/head"] = b"HTTP/1.1 200 OK\r\nno header\r\nContent-Length: 77\r\n\r\n"
    browsed = visit(site.url("/"))
    found = by_url(browsed)
    sent = {raw.split(b" ")[1].decode(): raw for raw in site.raw_requests}
    for path in ("/", "/get", "/post", "/put", "/head"):
        assert found[site.url(path)].exchanges[0].request == sent[path], path
    assert wire(found[site.url("/get")]) == ODD["/chunked"]
    assert b"\r\nX-Mine: yes\r\n" in sent["/get"]
    assert b"\r\nReferer: " + site.url("/").encode() in sent["/get"]
    assert sent["/post"].startswith(b"POST /post HTTP/1.1\r\n")
    assert sent["/post"].endswith(b"\r\n\r\na=1&b=\xc3\xbc")
    assert b"\r\nContent-Length: 8\r\n" in sent["/post"]
    assert sent["/put"].endswith(b"\r\nContent-Length: 0\r\n\r\n")
    assert wire(found[site.url("/head")]) == site.answers["/head"]
    assert found[site.url("/head")].verdict.name == "ok"
    assert "hello!you said a=1&amp;b=ülength 200" in dom(browsed)


@pytest.mark.full
def test_a_coded_and_chunked_page_is_stored_as_it_came_and_shown_as_it_is_meant(site: Site, visit: Visit) -> None:
    page = b"<!doctype html><p id=p>packed</p><script>p.textContent += ' and unpacked'</script>"
    site.answers["/"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
        b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n" + chunked(gzip.compress(page, mtime=0), 7)
    )
    browsed = visit(site.url("/"))
    assert wire(browsed.fetched[0]) == site.answers["/"]
    assert "packed and unpacked" in dom(browsed)
    assert b"\r\nAccept-Encoding: gzip, deflate\r\n" in site.raw_requests[0]


@pytest.mark.full
@pytest.mark.parametrize("path", [path for path in ODD if path != "/no-content"])
def test_what_the_recorder_takes_the_browser_is_given(site: Site, visit: Visit, path: str) -> None:
    site.answers[path] = ODD[path]
    site.answers["/"] = script(
        f"fetch('{path}').then(r => r.text()).then(t => document.body.append('got ' + t.length), e => "
        "document.body.append('failed'))"
    )
    browsed = visit(site.url("/"))
    assert "failed" not in dom(browsed).split("<p>after</p>")[1]
    assert "got " in dom(browsed).split("<p>after</p>")[1]


@pytest.mark.full
def test_redirects_of_the_page_lead_its_chain(site: Site, visit: Visit) -> None:
    site.answers["/old"] = redirect("/older?x=1", "301 Moved")
    site.answers["/older?x=1"] = redirect(site.url("/new"))
    site.answers["/new"] = html("<p>here</p>")
    browsed = visit(site.url("/old"))
    page = browsed.fetched[0]
    assert [exchange.url for exchange in page.exchanges] == [site.url(path) for path in ("/old", "/older?x=1", "/new")]
    assert [exchange.status for exchange in page.exchanges] == [301, 302, 200]
    assert page.verdict.name == "ok"
    assert [resource.url for resource in browsed.resources] == [
        f"urn:dom:{site.url('/new')}", f"urn:fullPageFinal:{site.url('/new')}"
    ]  # fmt: skip
    assert "here" in dom(browsed)


@pytest.mark.full
def test_redirects_of_what_a_page_asks_for_are_exchanges_too(site: Site, visit: Visit) -> None:
    # A style sheet that was moved: what it names is relative to where it is now.
    site.answers["/"] = html("<p class=c>x</p>", "<link rel=stylesheet href=/style.css>")
    site.answers["/style.css"] = redirect("/moved/style.css")
    site.answers["/moved/style.css"] = answer(b".c {background: url(pic.png)}", kind="text/css")
    found = by_url(visit(site.url("/")))
    assert found[site.url("/style.css")].exchanges[0].status == 302
    assert found[site.url("/style.css")].verdict.name == "ok"
    assert found[site.url("/moved/style.css")].exchanges[0].status == 200
    assert site.url("/moved/pic.png") in found


@pytest.mark.full
def test_a_preflight_is_made_and_recorded(site: Site, visit: Visit) -> None:
    with Site(host="127.0.0.2") as other:
        cors = ("Access-Control-Allow-Origin: *", "Access-Control-Allow-Headers: x-mine")
        other.answers["/api"] = answer(b"allowed", headers=cors)
        site.answers["/"] = script(
            f"fetch('{other.url('/api')}', {{headers: {{'X-Mine': '1'}}}}).then(r => r.text())"
            ".then(t => document.body.append(t))"
        )
        browsed = visit(site.url("/"))
        asked = [raw.split(b" ")[0] for raw in other.raw_requests]
    assert asked == [b"OPTIONS", b"GET"]
    exchanges = [one.exchanges[0] for one in browsed.fetched if one.target.url == other.url("/api")]
    assert [exchange.request.split(b" ")[0] for exchange in exchanges] == [b"OPTIONS", b"GET"]
    assert "allowed" in dom(browsed)


@pytest.mark.full
def test_a_page_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    with Site(tls=_server_context(authority)) as site:
        site.answers["/"] = html("<script>document.write('secure: ' + isSecureContext)</script>")
        good = browse(tmp_path, site.url("/"), settings=replace(SETTINGS, insecure=True))
        bad = browse(tmp_path, site.url("/"))
    exchange = good.fetched[0].exchanges[0]
    assert exchange.protocols[1].startswith("tls/")
    assert b"\r\nAccept-Encoding: gzip, deflate\r\n" in exchange.request  # and not br or zstd
    assert "certificate not valid" in exchange.notes[0]
    assert exchange.url == site.url("/")
    assert "secure: true" in dom(good)
    assert (bad.fetched[0].verdict.name, bad.fetched[0].exchanges, bad.resources) == ("tls-certificate", (), ())


def _server_context(authority: trustme.CA) -> object:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.full
def test_images_that_load_when_they_are_seen(site: Site, visit: Visit) -> None:
    site.answers["/"] = html(
        "".join(
            f"<div style='height: 4000px'>{at}</div><img loading=lazy src=/{at}.png width=9 height=9>"
            for at in range(3)
        )
    )
    browsed = visit(site.url("/"))
    assert {site.url(f"/{at}.png") for at in range(3)} <= by_url(browsed).keys()


@pytest.mark.full
def test_the_screenshot_is_of_the_whole_page(site: Site, visit: Visit) -> None:
    site.answers["/"] = html("<div style='height: 3000px; background: #c00'></div>", "<style>body {margin: 0}</style>")
    shot = made(visit(site.url("/")), "fullPageFinal")
    assert shot[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", shot[16:24]) == (1280, 3000)


@pytest.mark.full
def test_a_very_long_page_is_drawn_to_the_limit(site: Site, visit: Visit) -> None:
    site.answers["/"] = html("<div style='height: 20000px'></div>")
    browsed = visit(site.url("/"))
    assert struct.unpack(">II", made(browsed, "fullPageFinal")[16:24]) == (1280, LIMITS.max_height)
    assert f"the screenshot ends after {LIMITS.max_height:,} pixels" in browsed.notes


@pytest.mark.full
def test_further_headers_of_a_target_go_with_it(site: Site, visit: Visit) -> None:
    site.answers["/"] = redirect("/page")
    site.answers["/page"] = html("<img src=/a.png>")
    visit(site.url("/"), headers=(("X-Key", "k"), ("If-None-Match", '"e"')))
    sent = {raw.split(b" ")[1]: raw for raw in site.raw_requests}
    assert b"\r\nX-Key: k\r\n" in sent[b"/"]
    assert b"\r\nX-Key: k\r\n" in sent[b"/page"]
    assert b"X-Key" not in sent[b"/a.png"]
    assert not any(b"If-None-Match" in raw for raw in site.raw_requests)


@pytest.mark.full
def test_no_cookie_goes_from_one_target_to_the_next(site: Site, visit: Visit) -> None:
    site.answers["/"] = answer(b"<script>fetch('/again')</script>", headers=("Set-Cookie: id=7",))
    visit(site.url("/"))
    visit(site.url("/"))
    cookies = [b"\r\nCookie: id=7\r\n" in raw for raw in site.raw_requests if raw.startswith(b"GET / ")]
    assert cookies == [False, False]
    assert [b"\r\nCookie: id=7\r\n" in raw for raw in site.raw_requests if b" /again " in raw] == [True, True]


@pytest.mark.full
def test_sites_are_told_who_comes(site: Site, visit: Visit) -> None:
    site.answers["/"] = script("document.body.append(navigator.userAgent)")
    assert " Safari/537.36 test/1<" in dom(visit(site.url("/")))
    assert b" Safari/537.36 test/1\r\n" in site.raw_requests[0]
    assert b"Headless" not in site.raw_requests[0]


@pytest.mark.full
def test_what_the_browser_has_already_is_recorded_whole_again(site: Site, visit: Visit) -> None:
    site.answers["/etag"] = answer(b"the same", headers=('ETag: "e"',))
    site.answers["/"] = script(
        "const get = () => fetch('/etag', {cache: 'no-cache'}).then(r => r.text().then(() => r));"
        "get().then(get).then(r => document.body.append(r.status))"
    )
    browsed = visit(site.url("/"))
    assert "200" in dom(browsed)
    assert not any(b"If-None-Match" in raw for raw in site.raw_requests)
    assert [wire(one) for one in browsed.fetched if one.target.url == site.url("/etag")] == [site.answers["/etag"]] * 2


@pytest.mark.full
def test_pages_of_a_host_are_apart(site: Site, tmp_path: Path) -> None:
    site.answers |= {"/a": html("<img src=/1><img src=/2>"), "/b": html("")}
    targets = [Target(site.url("/a")), Target(site.url("/b"))]
    list(browse_all(targets, replace(SETTINGS, delay=2), tmp_path, limits=LIMITS, tabs=2))
    first, second = sorted(when for when, path in site.requests if path in {"/a", "/b"})
    assert second - first > 1.0  # a busy machine hears of the first one late


# What is refused.


def test_what_a_page_may_not_reach_it_does_not_reach(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The page's own address passes for public; every other address of this machine does not.
    from pipeline.capture.http import connection

    real = connection.refusal
    monkeypatch.setattr(connection, "refusal", lambda ip: None if ip == "127.0.0.1" else real(ip))
    with Site(host="127.0.0.2") as inner:
        secret = inner.url("/secret")
        by_name = f"http://localhost:{inner.port}/named"
        site.answers["/hop"] = redirect(inner.url("/hopped"))
        site.answers["/"] = html(
            f"<link rel=preconnect href='{inner.url('/')}'><link rel=prefetch href='{inner.url('/ahead')}'>"
            f"<img src='{secret}' onerror='document.body.append(\"kept out\")'><img src=/hop>"
            f"<iframe src='{inner.url('/frame')}'></iframe><script src='{by_name}'></script>"
            f"<script>fetch('{inner.url('/posted')}', {{method: 'POST', mode: 'no-cors', body: 'x'}});"
            f"navigator.sendBeacon('{inner.url('/beacon')}', 'x');"
            f"new Worker(URL.createObjectURL(new Blob([`fetch('{inner.url('/worker')}', {{mode: 'no-cors'}})`])));"
            f"new WebSocket('ws://127.0.0.2:{inner.port}/socket');"
            f"const peer = new RTCPeerConnection({{iceServers: [{{urls: 'turn:127.0.0.2:{inner.port}?transport=tcp',"
            "username: 'u', credential: 'c'}]}); peer.createDataChannel('d');"
            "peer.createOffer().then(offer => peer.setLocalDescription(offer));</script>"
        )
        browsed = browse(tmp_path, site.url("/"), LIMITS, replace(SETTINGS, allow_private=False))
        assert (inner.requests, inner.connections) == ([], 0)
    assert browsed.fetched[0].verdict.name == "ok"
    assert "kept out" in dom(browsed)
    found = by_url(browsed)
    refused = {url for url, fetched in found.items() if fetched.verdict.name == "refused-address"}
    wanted = {inner.url(f"/{name}") for name in ("secret", "hopped", "frame", "posted", "beacon", "worker")}
    assert refused >= wanted
    assert not any(found[url].exchanges for url in refused)
    assert found[site.url("/hop")].exchanges[0].status == 302


def test_a_page_at_a_refused_address(site: Site, tmp_path: Path) -> None:
    browsed = browse(tmp_path, site.url("/"), settings=replace(SETTINGS, allow_private=False))
    assert [fetched.verdict.name for fetched in browsed.fetched] == ["refused-address"]
    assert (browsed.fetched[0].exchanges, browsed.resources) == ((), ())
    assert site.requests == []


@pytest.mark.full
def test_websockets_are_refused(site: Site, visit: Visit) -> None:
    site.answers["/"] = script(
        f"const s = new WebSocket('ws://127.0.0.1:{site.port}/live'); s.onerror = () => document.body.append('closed')"
    )
    browsed = visit(site.url("/"))
    assert "closed" in dom(browsed)
    assert "a WebSocket was refused: only HTTP is recorded" in browsed.notes
    refused = by_url(browsed)[f"ws://127.0.0.1:{site.port}/live"]
    assert (refused.verdict.name, refused.exchanges) == ("unsupported-scheme", ())
    assert "/live" not in site.paths


@pytest.mark.full
def test_service_workers_are_not_installed(site: Site, visit: Visit) -> None:
    site.answers["/sw.js"] = answer(b"onfetch = e => e.respondWith(new Response('forged'))", kind="text/javascript")
    site.answers["/"] = script("navigator.serviceWorker.register('/sw.js')")
    assert visit(site.url("/")).fetched[0].verdict.name == "ok"
    assert "/sw.js" not in site.paths


@pytest.mark.full
def test_a_failing_request_is_made_once_and_the_page_sees_it_fail(site: Site, visit: Visit) -> None:
    async def hangs_up(talk: Talk) -> None:
        talk.close()

    site.answers |= {"/gone": hangs_up, "/posted": hangs_up, "/ok": answer(b"ok")}
    site.answers["/"] = script(  # some at once, so that a connection is at hand that was used before
        "const ok = () => Promise.all([1, 2, 3, 4].map(n => fetch('/ok').then(r => r.text())));"
        "ok().then(() => fetch('/gone')).catch(e => document.body.append(e.name)).then(ok)"
        ".then(() => fetch('/posted', {method: 'POST', body: 'x'})).catch(e => document.body.append(' and ' + e.name))"
    )
    browsed = visit(site.url("/"))
    assert "TypeError and TypeError" in dom(browsed)
    for path in ("/gone", "/posted"):
        (failed,) = [one for one in browsed.fetched if one.target.url == site.url(path)]
        assert failed.verdict.name == "empty-reply"
    assert site.paths.count("/posted") == 1  # the recorder asks twice over a stale connection, but not for this


@pytest.mark.full
def test_what_breaks_off_is_truncated_and_shown_as_far_as_it_came(site: Site, visit: Visit) -> None:
    site.answers["/"] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<p>half a page"
    site.closing.add("/")
    browsed = visit(site.url("/"))
    assert browsed.fetched[0].verdict.name == "truncated"
    assert browsed.fetched[0].exchanges[0].truncated == "disconnect"
    assert wire(browsed.fetched[0]) == site.answers["/"]
    assert "half a page" in dom(browsed)
    assert browsed.notes == ()


@pytest.mark.full
@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("ftp://127.0.0.1/x", "unsupported-scheme"),
        ("no url", "invalid-url"),
        ("http://127.0.0.1:1/", "browser-failed"),  # a port that browsers do not ask
        ("http://no-such-name.invalid/", "dns-failure"),
    ],
)
def test_what_cannot_be_visited_is_named(visit: Visit, url: str, name: str) -> None:
    browsed = visit(url)
    assert [(fetched.verdict.name, fetched.exchanges) for fetched in browsed.fetched] == [(name, ())]
    assert browsed.resources == ()


@pytest.mark.full
def test_errors_of_the_server(site: Site, visit: Visit) -> None:
    browsed = visit(site.url("/nowhere"))
    assert browsed.fetched[0].verdict.name == "http-error"
    assert wire(browsed.fetched[0]) == NOT_FOUND
    assert "Not here" in dom(browsed)
    site.answers["/mail"] = redirect("mailto:x@example.org")
    assert visit(site.url("/mail")).fetched[0].verdict.name == "unsupported-scheme"


@pytest.mark.full
def test_redirects_without_end(site: Site, visit: Visit) -> None:
    site.answers["/loop"] = redirect("/loop")
    for number in range(30):
        site.answers[f"/{number}"] = redirect(f"/{number + 1}")
    assert visit(site.url("/loop")).fetched[0].verdict.name == "redirect-loop"
    page = visit(site.url("/0")).fetched[0]
    assert (page.verdict.name, len(page.exchanges)) == ("too-many-redirects", 20)


@pytest.mark.full
def test_a_download_is_recorded_and_not_shown(site: Site, visit: Visit) -> None:
    site.answers["/"] = answer(b"a,b", kind="text/csv", headers=("Content-Disposition: attachment; filename=a.csv",))
    browsed = visit(site.url("/"))
    assert (browsed.fetched[0].verdict.name, wire(browsed.fetched[0])) == ("ok", site.answers["/"])
    assert browsed.resources == ()
    assert browsed.notes[0].startswith("the browser shows nothing: ")


# Pages that would not end.


@pytest.mark.full
def test_dialogs_are_dismissed(site: Site, visit: Visit) -> None:
    site.answers["/"] = script(
        "onbeforeunload = e => {e.preventDefault(); return 'stay'}; alert(1);"
        "document.body.append('said ' + confirm('sure?') + ' ' + prompt('name'))"
    )
    browsed = visit(site.url("/"))
    assert browsed.fetched[0].verdict.name == "ok"
    assert "said false null" in dom(browsed)
    assert {f"a dialog was dismissed ({kind})" for kind in ("alert", "confirm", "prompt")} <= set(browsed.notes)


@pytest.mark.full
def test_popups_do_not_open(site: Site, visit: Visit) -> None:
    site.answers["/"] = script("for (let i = 0; i < 50; i++) open('/popup' + i); document.body.append('went on')")
    browsed = visit(site.url("/"))
    assert browsed.fetched[0].verdict.name == "ok"
    assert "went on" in dom(browsed)
    assert not any(path.startswith("/popup") for path in site.paths)


LONGER = "document.body.insertAdjacentHTML('beforeend', '<hr style=\"height: 3000px\">')"
ENDLESS = {
    "loop": ("while (true);", "browser-timeout", "before"),
    "alerts": ("while (true) alert(1);", "browser-timeout", "before"),
    "later-loop": ("setTimeout(() => {while (true);}, 600)", "ok|browser-timeout", "after"),
    "reload": ("location.reload()", "ok", "before"),
    "elsewhere": ("location = location.pathname == '/' ? '/2' : '/'", "ok", "before"),
    "fetches": ("setInterval(() => fetch('/x?' + Math.random()), 50)", "ok", "after"),
    "same": ("setInterval(() => fetch('/x'), 5)", "ok", "after"),
    "images": ("for (let i = 0; i < 10000; i++) new Image().src = '/i' + i", "ok|browser-timeout", "after"),
    "crash": ("location = 'chrome://crash'", "ok", "after"),
    "grows": (f"const more = () => {LONGER}; more(); addEventListener('scroll', more)", "ok", "after"),
    "memory": ("const kept = []; while (true) kept.push(new Uint8Array(1 << 26).fill(7))", "", ""),
    "heap": ("const kept = []; while (true) kept.push('x' + Math.random(), {}, [1, 2, 3])", "", ""),
    "elements": ("while (true) document.body.append(document.createElement('p'))", "", ""),
}


@pytest.mark.full
@pytest.mark.timeout(120)
@pytest.mark.parametrize("case", ENDLESS)
def test_endless_pages_end_with_a_name(site: Site, tmp_path: Path, case: str) -> None:
    code, name, text = ENDLESS[case]
    site.answers["/"] = script(code)
    limit = 60 if name == "ok" else 8  # where it ends by itself, how long that takes decides nothing
    limits = replace(LIMITS, limit=limit, max_screens=5, max_requests=300, max_memory=1 << 30)
    results = browse_all([Target(site.url("/")), Target(site.url("/fine"))], SETTINGS, tmp_path, limits=limits, tabs=1)
    site.answers |= {"/2": site.answers["/"], "/fine": html("<p>fine</p>")}
    browsed, fine = list(results)
    assert browsed is not None
    assert fine is not None
    verdict = browsed.fetched[0].verdict
    if name:
        assert verdict.name in name.split("|")
        in_time = verdict.ok or not any("not all of screenshot and DOM" in note for note in browsed.notes)
        if in_time:  # a page that never rests may leave a busy machine no time for them, and then has the note
            assert text in dom(browsed)
            assert made(browsed, "fullPageFinal")[:4] == b"\x89PNG"
    else:
        assert verdict.name in {"ok", "browser-timeout", "browser-crashed"}
    assert verdict.ok == (verdict.error is None)
    assert wire(browsed.fetched[0]) == site.answers["/"]
    assert len(browsed.fetched) <= limits.max_requests + 1
    assert fine.fetched[0].verdict.name == "ok"
    assert "fine" in dom(fine)


@pytest.mark.full
def test_what_was_done_to_endless_pages_is_said(site: Site, tmp_path: Path) -> None:
    limits = replace(LIMITS, max_screens=3, max_requests=30)
    site.answers["/reload"] = script("location.reload()")
    site.answers["/many"] = script("for (let i = 0; i < 50; i++) new Image().src = '/i' + i")
    site.answers["/grows"] = script(ENDLESS["grows"][0])
    targets = [Target(site.url(path)) for path in ("/reload", "/many", "/grows")]
    notes = {}
    for browsed in browse_all(targets, SETTINGS, tmp_path, limits=limits, tabs=1):
        assert browsed is not None
        notes[browsed.fetched[0].target.url] = " / ".join(browsed.notes)
    assert "requests made more than 10 times were refused" in notes[site.url("/reload")]
    assert "requests beyond 30 were refused" in notes[site.url("/many")]
    assert "scrolled through 3 screens, and there were more" in notes[site.url("/grows")]
    assert site.paths.count("/reload") == 11  # the page, and ten times again


@pytest.mark.full
def test_all_responses_of_a_page_together_have_a_limit(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = html("".join(f"<img src=/{at}>" for at in range(20)))
    for at in range(20):
        site.answers[f"/{at}"] = streamed(100_000)
    browsed = browse(tmp_path, site.url("/"), settings=replace(SETTINGS, max_size=500_000, memory_limit=1000))
    sizes = [exchange.response.size for fetched in browsed.fetched for exchange in fetched.exchanges]
    assert sum(sizes) < 500_000 + LIMITS.connections_per_host * 101_000
    assert any("bytes were refused" in note for note in browsed.notes)
    browsed.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_a_server_that_never_answers(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = silent
    site.answers["/half"] = stalls
    site.answers["/page"] = html("<p>text</p><img src=/half>")
    settings = replace(SETTINGS, timeout=60)
    assert browse(tmp_path, site.url("/"), SHORT, settings).fetched[0].verdict.name == "timeout"
    half = browse(tmp_path, site.url("/half"), SHORT, settings).fetched[0]
    assert (half.verdict.name, half.exchanges[0].truncated) == ("truncated", "time")
    browsed = browse(tmp_path, site.url("/page"), SHORT, settings)
    assert browsed.fetched[0].verdict.name == "browser-timeout"
    assert "<p>text</p>" in dom(browsed)
    picture = by_url(browsed)[site.url("/half")]
    assert (picture.verdict.name, picture.exchanges[0].truncated) == ("truncated", "time")


@pytest.mark.full
def test_a_stream_of_events_does_not_hold_a_page_up(site: Site, tmp_path: Path) -> None:
    async def events(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            await talk.send(b"data: tick\n\n")
            await asyncio.sleep(0.1)

    site.answers["/events"] = events
    site.answers["/"] = script("new EventSource('/events')")
    browsed = browse(tmp_path, site.url("/"), LIMITS)
    assert browsed.fetched[0].verdict.name == "ok"
    stream = by_url(browsed)[site.url("/events")]
    assert (stream.verdict.name, stream.exchanges[0].truncated) == ("truncated", "time")
    assert b"data: tick\n\n" in wire(stream)


# The browser as a process.


def leaders(folder: Path) -> set[int]:
    return {int(path.read_text()) for path in folder.glob("browser-*/pid")}


def processes(folder: Path, groups: set[int]) -> dict[int, bytes]:
    """Command lines of what runs in these process groups, or with this folder in its command line or environment."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes()
                group = os.getpgid(int(entry.name))
                mine = os.fsencode(folder) in told + (entry / "environ").read_bytes()
            except OSError:
                continue
            if told and (mine or group in groups):  # one that has ended and is not waited for has no command line
                found[int(entry.name)] = told
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")


@pytest.mark.full
@needs_proc
@pytest.mark.parametrize("how", ["end", "close", "loop"])
def test_no_process_is_left_and_no_file(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    short = Path(tempfile.mkdtemp())  # Chromium has sockets there, whose paths cannot be as long as `tmp_path`
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    work = tmp_path / "work-of-this-test"
    work.mkdir()
    groups: set[int] = set()

    async def seen(talk: Talk) -> None:
        groups.update(leaders(work))
        await talk.send(script("while (true);" if how == "loop" else ""))

    site.answers["/"] = seen
    targets = [Target(site.url("/")) for _ in range(3)]
    results = browse_all(targets, SETTINGS, work, limits=SHORT, tabs=2)
    next(results)
    assert groups
    assert how == "loop" or any(b"--type=" in told for told in processes(work, groups).values())
    if how == "close":
        results.close()
    else:
        list(results)
    wait_for(lambda: not processes(work, groups))  # the reporter of crashes goes a moment later, by itself
    wait_for(lambda: not [path for path in work.iterdir() if path.name.startswith("browser-")])
    wait_for(lambda: not list(short.iterdir()))
    short.rmdir()


@pytest.mark.full
@needs_proc
@pytest.mark.parametrize("step", range(8))
def test_a_launch_that_is_broken_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    short = Path(tempfile.mkdtemp())
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setattr(tempfile, "tempdir", str(short))

    async def broken_off() -> None:
        process = Process(tmp_path, LIMITS.max_memory)
        launch = asyncio.ensure_future(process.start())
        while not list(tmp_path.glob("browser-*/start")):
            await asyncio.sleep(0.001)
        await asyncio.sleep(step * 0.01)
        launch.cancel()
        await process.close()

    asyncio.run(broken_off())
    wait_for(lambda: not processes(tmp_path, set()))
    wait_for(lambda: not list(tmp_path.iterdir()))
    wait_for(lambda: not list(short.iterdir()))
    short.rmdir()


@pytest.mark.full
@needs_proc
def test_a_browser_that_hangs_is_gone_before_the_next_page(site: Site, tmp_path: Path) -> None:
    groups: list[set[int]] = []
    left: list[dict[int, bytes]] = []

    async def loop(talk: Talk) -> None:
        groups.append(leaders(tmp_path))
        await talk.send(script("while (true);"))

    async def next_page(talk: Talk) -> None:
        left.append(processes(tmp_path / "none", groups[0]))
        await talk.send(html("next"))

    site.answers |= {"/loop": loop, "/next": next_page}
    targets = [Target(site.url("/loop")), Target(site.url("/next"))]
    assert len(list(browse_all(targets, SETTINGS, tmp_path, limits=SHORT, tabs=1))) == 2
    assert (len(groups[0]), left) == (1, [{}])


@pytest.mark.full
@needs_proc
def test_no_process_outlives_ours(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = script("while (true);")
    work = tmp_path / "work-of-this-test"
    work.mkdir()
    code = (
        "import sys; from pathlib import Path; from archive.model import Target\n"
        "from pipeline.capture.browser.visit_many import browse_all\n"
        "from pipeline.capture.http.settings import FetchSettings\n"
        "list(browse_all([Target(sys.argv[1])], FetchSettings('test/1', allow_private=True), Path(sys.argv[2])))"
    )
    short = tempfile.mkdtemp()  # as above
    child = subprocess.Popen(
        [sys.executable, "-c", code, site.url("/"), str(work)],
        cwd=Path(__file__).parents[4],
        env={**os.environ, "TMPDIR": short},
    )
    wait_for(lambda: "/" in site.paths)
    groups = leaders(work)
    assert any(b"--type=renderer" in told for told in processes(work, groups).values())
    child.kill()
    child.wait()
    wait_for(lambda: not processes(work, groups))
    shutil.rmtree(short, ignore_errors=True)  # the driver may be at it too


@pytest.mark.full
@needs_proc
@pytest.mark.parametrize("what", ["browser", "renderer"])
def test_a_browser_that_dies_is_named_and_started_again(site: Site, tmp_path: Path, what: str) -> None:
    async def kill(talk: Talk) -> None:
        groups = leaders(tmp_path)
        renderers = [pid for pid, told in processes(tmp_path, groups).items() if b"--type=renderer" in told]
        for pid in groups if what == "browser" else renderers:
            os.kill(pid, 9)
        await talk.send(answer(b""))

    site.answers["/kill"] = kill
    site.answers["/"] = html("<p>text</p><img src=/kill>")
    site.answers["/fine"] = html("<p>fine</p>")
    targets = [Target(site.url("/")), Target(site.url("/fine"))]
    died, fine = list(browse_all(targets, SETTINGS, tmp_path, limits=LIMITS, tabs=1))
    assert died is not None
    assert fine is not None
    assert died.fetched[0].verdict.name == "browser-crashed"
    assert wire(died.fetched[0]) == site.answers["/"]
    assert fine.fetched[0].verdict.name == "ok"


@pytest.mark.full
def test_a_disk_that_fails_ends_the_run(site: Site, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    async def lose_the_folder(talk: Talk) -> None:
        for path in gone.iterdir():
            path.rename(tmp_path / path.name)
        gone.rmdir()
        await talk.send(answer(b"x" * 5000))

    site.answers["/"] = lose_the_folder
    with pytest.raises(StoreUnavailable):
        browse(gone, site.url("/"), settings=replace(SETTINGS, memory_limit=1000))


@pytest.mark.full
def test_a_few_at_once(site: Site, tmp_path: Path) -> None:
    meeting = threading.Barrier(2, timeout=60)

    async def meet(talk: Talk) -> None:
        await asyncio.to_thread(meeting.wait)
        await talk.send(html("<p>met</p>"))

    site.answers |= {"/a": meet, "/b": meet}
    limits = replace(LIMITS, limit=60)
    settings = replace(SETTINGS, timeout=60)
    found = list(browse_all([Target(site.url("/a")), Target(site.url("/b"))], settings, tmp_path, limits=limits))
    assert [one is not None and one.fetched[0].verdict.name for one in found] == ["ok", "ok"]


@pytest.mark.full
def test_the_browser_itself_is_an_async_context(site: Site, tmp_path: Path) -> None:
    site.answers["/"] = html("<p>text</p>")

    async def both() -> list[Browsed]:
        hosts = Hosts(SETTINGS)
        async with Browser(hosts, SETTINGS, tmp_path, LIMITS) as browser:
            return [await browser.fetch(Target(site.url("/"))) for _ in range(2)]

    assert ["text" in dom(browsed) for browsed in asyncio.run(both())] == [True, True]


@pytest.mark.full
def test_ticks_come_while_nothing_else_does(tmp_path: Path) -> None:
    never = threading.Event()

    def targets() -> Iterator[Target]:
        never.wait(60)
        yield from ()

    results = browse_all(targets(), SETTINGS, tmp_path, tick=0.01)
    assert [next(results), next(results)] == [None, None]
    results.close()
    never.set()


@pytest.mark.full
def test_a_missing_browser_is_said_in_one_line(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONRECORD_CHROMIUM", str(tmp_path / "nothing"))
    with pytest.raises(BrowserUnavailable, match=r"ONRECORD_CHROMIUM names .*/nothing") as raised:
        browse(tmp_path, site.url("/"))
    assert raised.value.exit_code == 2
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("ONRECORD_CHROMIUM", str(broken))
    with pytest.raises(BrowserUnavailable, match="broken does not start: ") as raised:
        browse(tmp_path, site.url("/"))
    assert "\n" not in str(raised.value)
    monkeypatch.delenv("ONRECORD_CHROMIUM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserUnavailable, match="apt-get install chromium"):
        browse(tmp_path, site.url("/"))
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "playwright.async_api", None)
    with pytest.raises(BrowserUnavailable, match=r"-m pip install \S*[/.]\S*\[browser\]"):
        browse(tmp_path, site.url("/"))
    assert site.requests == []
