"""No route leads to an address that is not public: a canary that listens there is never so much as connected to.

Besides the canary, which every address of this machine leads to, each connection that the program tries is seen before
it is made, wherever it would go. And where private addresses are allowed, the same routes do reach the canary: each of
them is one.
"""

from __future__ import annotations

import gzip
import selectors
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.model import Outcome, Target
from archive.runs.warc_files import RunSettings
from pipeline.capture.http import connection
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
from pipeline.crawl.scope import RobotsPolicy, Rules, Scope
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.capture_run import CaptureOptions, capture_all
from pipeline.ingest.import_files import import_file
from pipeline.monitoring.healthchecks import healthcheck
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.http import request
from pipeline.web.common.archive_reader import Reading
from pipeline.web.replay.app import create_replay
from storage.memory import MemoryStore
from tests.pipeline.capture.routes import (
    BROWSER,
    FORMS,
    INNER,
    NAMES,
    NEVER,
    PUBLIC,
    REFUSED,
    ROUTES,
    SCHEMES,
    Route,
    page,
)
from tests.pipeline.ingest.test_import_files import record
from tests.samples import sampled
from tests.site import Site, answer, redirect

SETTINGS = FetchSettings("test/1", delay=0, timeout=5, connect_timeout=5, retries=0)
_tried: list[tuple[Any, ...]] = []  # the addresses of connections, since a test began


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _tried.append(arguments[1])


sys.addaudithook(_hear)  # for good: the interpreter forgets none


class Canary:
    """Listens at every address of this machine, on TCP and UDP, and counts who comes; nobody is answered."""

    def __init__(self) -> None:
        six = socket.has_ipv6
        family = socket.AF_INET6 if six else socket.AF_INET
        self._tcp = socket.create_server(("::" if six else "", 0), family=family, dualstack_ipv6=six)
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("", self.port))
        self.connections = self.datagrams = 0
        self._watch = selectors.DefaultSelector()
        self._watch.register(self._tcp, selectors.EVENT_READ, self._accept)
        self._watch.register(self._udp, selectors.EVENT_READ, self._receive)
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            for key, _ in self._watch.select(0.02):
                key.data()

    def _accept(self) -> None:
        self.connections += 1
        self._tcp.accept()[0].close()

    def _receive(self) -> None:
        self.datagrams += 1
        self._udp.recv(2000)

    def close(self) -> None:
        self._over = True
        self._thread.join()
        for each in (self._watch, self._tcp, self._udp):
            each.close()


@dataclass(frozen=True)
class Scene:
    """A public site, the canary, and what the resolver says."""

    site: Site
    canary: Canary
    port: int  # what {c} stands for

    def filled(self, text: str) -> str:
        """A text with its fields filled in."""
        fields = {"{c}": self.port, "{p}": self.site.port, "{site}": f"http://news.example.org:{self.site.port}"}
        for name, value in fields.items():
            text = text.replace(name, str(value))
        return text

    @property
    def elsewhere(self) -> list[tuple[Any, ...]]:
        """The connections that were tried to anything but the public site."""
        return [address for address in _tried if address[0] != PUBLIC]

    def assert_untouched(self) -> None:
        assert self.elsewhere == []
        assert (self.canary.connections, self.canary.datagrams) == (0, 0)


@pytest.fixture
def canary() -> Iterator[Canary]:
    with closing(Canary()) as made:
        yield made


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, canary: Canary) -> Iterator[Scene]:
    asked: dict[str, int] = {}

    def resolve(host: str, port: int, *_: object, **__: object) -> list[Any]:
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = NAMES[host]
        found = answers[min(asked.get(host, 0), len(answers) - 1)]
        asked[host] = asked.get(host, 0) + 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    real = connection.refusal
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(connection, "refusal", lambda ip: None if ip == PUBLIC else real(ip))
    with Site(host=PUBLIC) as site:
        _tried.clear()
        yield Scene(site, canary, canary.port)


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(1) as made:
        yield made


def test_the_table_is_long_enough() -> None:
    assert len(ROUTES) >= 40
    assert len(BROWSER) >= 40
    assert len(FORMS) + len(SCHEMES) + len(ROUTES) + len(BROWSER) >= 200


# How an address can be written


def _named(urls: dict[str, str], folder: Path, *, allowed: bool = False) -> dict[str, str]:
    """What becomes of each of several URLs that are named."""
    settings = replace(SETTINGS, allow_private=allowed)
    found = {fetched.target.url: fetched for fetched in fetch(map(Target, urls.values()), settings, folder) if fetched}
    return {name: found[url].verdict.name for name, url in urls.items()}


WRITTEN = {name: (f"http://{host}:{{c}}/", expected) for name, (host, expected) in FORMS.items()} | SCHEMES


@pytest.mark.parametrize("how", ["named", "in a redirect"])
def test_however_an_address_is_written(scene: Scene, tmp_path: Path, how: str) -> None:
    wanted, targets = {}, {}
    for number, (name, (written, expected)) in enumerate(WRITTEN.items()):
        url = scene.filled(written)
        scene.site.answers[f"/{number}"] = redirect(url.encode().decode("latin-1"))
        targets[name] = url if how == "named" else scene.filled(f"{{site}}/{number}")
        # A line break ends the address in a header.
        wanted[name] = REFUSED if "\n" in written and how != "named" else expected
    found = _named(targets, tmp_path)
    assert found == wanted
    assert len(scene.site.requests) == (0 if how == "named" else len(WRITTEN))
    scene.assert_untouched()


_HERE = ("127.1", "0177.0.0.1", "2130706433", "0x7f.1", "127.0.0.1.", "0", "[::1]", "[::ffff:7f00:1]", "①②⑦.⓪.⓪.①")


def test_such_forms_do_lead_to_this_machine(scene: Scene, tmp_path: Path) -> None:
    found = _named({host: f"http://{host}:{scene.canary.port}/" for host in _HERE}, tmp_path, allowed=True)
    assert set(found.values()) <= {"empty-reply", "connect-failed"}
    assert scene.canary.connections >= len(_HERE)


# What pages, feeds, sitemaps and servers lead to


def _captured(scene: Scene, route: Route, pool: ExtractorPool, folder: Path, *, allowed: bool) -> dict[str, str]:
    """What became of each URL of a run."""
    for path, body in route.answers.items():
        data = answer(scene.filled(body).encode()) if isinstance(body, str) else scene.filled(body.decode()).encode()
        scene.site.answers[path] = data
        if data.startswith(b"HTTP/1.1 200") and b"Content-Length" not in data:
            scene.site.closing.add(path)
    archive = Archive(MemoryStore(), spool=folder)
    archive.prepare()
    told: dict[str, str] = {}

    def report(outcome: Outcome, _: bytes) -> None:
        told[outcome.url] = outcome.outcome

    capture_all(
        archive,
        [Target(scene.filled(route.seed), role=route.role)],
        CaptureOptions(
            replace(SETTINGS, allow_private=allowed),
            RunSettings("test/1"),
            Rules(
                depth=route.depth,
                scope=Scope.DOMAIN,
                embeds=route.embeds,
                robots=RobotsPolicy.DISCOVERED if route.robots else RobotsPolicy.IGNORE,
            ),
            workers=1,
            apart=False,
        ),
        report,
        pool=pool,
    )
    return told


@pytest.mark.parametrize("name", sampled(ROUTES, 5))
def test_no_route_leads_inside(
    scene: Scene, pool: ExtractorPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    route = ROUTES[name]
    if route.env:
        for variable in ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.2:{scene.canary.port}")
            monkeypatch.setenv(variable.upper(), f"http://127.0.0.2:{scene.canary.port}")
    told = _captured(scene, route, pool, tmp_path, allowed=False)
    scene.assert_untouched()
    assert scene.site.requests, "nothing was captured at all"
    if route.outcome == NEVER:
        assert not any(f":{scene.canary.port}" in url for url in told), told
    else:
        assert route.outcome in told.values(), told


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.reached])
def test_each_is_a_route_where_private_addresses_are_allowed(
    scene: Scene, pool: ExtractorPool, tmp_path: Path, name: str
) -> None:
    _captured(scene, ROUTES[name], pool, tmp_path, allowed=True)
    assert scene.canary.connections or any(address[0] == INNER for address in scene.elsewhere)


# What a page asks for in a browser


def _page(scene: Scene) -> None:
    """One page that does all of it, on the public site."""
    rows = []
    for name, row in BROWSER.items():
        url = row.url(name)
        rows.append(row.markup.replace("{u}", url))
        for path, body in (row.answers or {}).items():
            filled = (body if isinstance(body, str) else body.decode()).replace("{u}", url)
            data = scene.filled(filled).encode()
            scene.site.answers[path] = answer(data) if isinstance(body, str) else data
            scene.site.closing |= set() if isinstance(body, str) else {path}
    scene.site.answers["/"] = answer(scene.filled(page("".join(rows), "<script>kept = {}</script>")).encode())


_VISITS = 4  # at most: on a busy machine a page is left before it has asked for everything


def _visited(scene: Scene, folder: Path, *, allowed: bool) -> dict[str, str]:
    """What became of each URL that the page asked for."""
    from pipeline.capture.browser.visit_many import BrowserSettings, browse_all

    limits = BrowserSettings(settle=1.5, limit=50, delay=0)
    settings = replace(SETTINGS, allow_private=allowed)
    url = f"http://{PUBLIC}:{scene.site.port}/"
    (browsed,) = browse_all([Target(url)], settings, folder, limits=limits, tabs=1)
    assert browsed is not None
    assert browsed.fetched[0].verdict.name in {"ok", "browser-timeout"}, browsed.fetched[0].verdict
    return {fetched.target.url: fetched.verdict.name for fetched in browsed.fetched}


@pytest.fixture
def chromium() -> None:
    pytest.importorskip("playwright", reason="the extra [browser] is not installed")
    from pipeline.capture.browser.chromium import BrowserUnavailable, find_chromium

    try:
        find_chromium()
    except BrowserUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.full
@pytest.mark.usefixtures("chromium")
def test_no_page_in_a_browser_leads_inside(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy", "auto_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.2:{scene.canary.port}")
    _page(scene)
    wanted = {name: row.outcome for name, row in BROWSER.items()}
    found = dict.fromkeys(BROWSER, NEVER)
    for _ in range(_VISITS):
        told = _visited(scene, tmp_path, allowed=False)
        for name, row in BROWSER.items():
            path = row.url(name).rpartition("/")[2]
            found[name] = next((verdict for url, verdict in told.items() if url.endswith(path)), found[name])
        if found == wanted:
            break
    assert found == wanted
    scene.assert_untouched()


@pytest.mark.full
@pytest.mark.usefixtures("chromium")
def test_each_is_a_route_in_a_browser_where_private_addresses_are_allowed(scene: Scene, tmp_path: Path) -> None:
    wanted = {row.url(name).rpartition("/")[2] for name, row in BROWSER.items() if row.reached}
    with Site(host=INNER) as inner:
        _page(replace(scene, port=inner.port))
        for _ in range(_VISITS):
            _visited(scene, tmp_path, allowed=True)
            asked = b"".join(inner.raw_requests).decode("latin-1")
            left = {path for path in wanted if f" /{path} HTTP/1.1" not in asked}
            if not left:
                break
    assert left == set()


# What asks nobody, and what asks only whom the user has named


def test_what_comes_in_a_file_of_others_is_read_and_shown_without_asking_anybody(
    scene: Scene, pool: ExtractorPool, tmp_path: Path
) -> None:
    url = scene.filled("http://127.0.0.2:{c}/")
    block = answer(scene.filled(page("<img src='http://127.0.0.2:{c}/i'>", "<link rel=stylesheet href=s>")).encode())
    file = tmp_path / "of-others.warc.gz"
    file.write_bytes(gzip.compress(record(url=url, block=block)))
    archive = Archive(MemoryStore(), spool=tmp_path)
    archive.prepare()
    import_file(archive, file, lambda _: None, pool)
    archive.refresh()
    shown = TestClient(create_replay(Reading(archive, tmp_path / "search"), 8080)).get(f"/2019/{url}")
    assert (shown.status_code, "Some words." in shown.text) == (200, True)
    scene.assert_untouched()


def test_alerts_go_where_the_user_said_and_nowhere_else(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # Such an address may be private: the user wrote it. A redirect, or a proxy of the environment, is not the user's.
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, scene.filled("http://127.0.0.2:{c}"))
    for path in ("/", "/start"):
        scene.site.answers[path] = redirect(scene.filled("http://127.0.0.2:{c}/"))
    with pytest.raises(DeliveryError, match="redirects"):
        request(scene.filled("{site}/"), b"{}", {})
    assert not healthcheck(scene.filled("{site}/")).start()
    assert scene.site.paths == ["/", "/start"]
    scene.assert_untouched()
