"""Proxies: followed when the user says so, asked for names that no resolver sees, and never chosen for the user."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from archive.model import Fetched, Target
from pipeline.capture.http import connection, resolver
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.proxies import Proxy, ProxyError, Ways, private_name, ways_of
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import checked_url
from tests.command import Command
from tests.proxies import TestProxy
from tests.site import Site, answer

ARTICLE = "<p>The harbour council met on Tuesday evening to hear what the pilots think of the new berths.</p>" * 8
PAGE = f"<html><head><title>Berths</title></head><body><article>{ARTICLE}</article></body></html>".encode()
HOST = "quay.example"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers["/berths"] = answer(PAGE)
        yield running


@pytest.fixture
def proxy(site: Site) -> Iterator[TestProxy]:
    with TestProxy({HOST: ("127.0.0.1", site.port)}).running() as running:
        yield running


@pytest.fixture(autouse=True)
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that the system's resolver is asked for."""
    asked: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        raise socket.gaierror(-2, "no resolver here")

    monkeypatch.setattr(resolver.socket, "getaddrinfo", look_up)
    return asked


def fetch_one(tmp_path: Path, url: str, choice: str | None, environment: dict[str, str] | None = None) -> Fetched:
    settings = FetchSettings("test/1", delay=0, timeout=30, connect_timeout=30, ways=ways_of(choice, environment or {}))
    (fetched,) = fetch([Target(url)], settings, tmp_path)
    assert fetched is not None
    return fetched


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks5"])
def test_a_page_is_fetched_by_the_proxy_which_alone_is_asked_for_the_name(
    scheme: str, proxy: TestProxy, tmp_path: Path, resolved: list[str]
) -> None:
    fetched = fetch_one(tmp_path, f"http://{HOST}/berths", f"{scheme}://127.0.0.1:{proxy.port}")
    assert fetched.verdict.name == "ok", fetched.verdict
    (exchange,) = fetched.exchanges
    assert exchange.response.open().read().endswith(PAGE)
    assert proxy.asked == [("GET", f"http://{HOST}/berths") if scheme == "http" else ("socks5", f"{HOST}:80")]
    assert exchange.request.startswith(b"GET http://" if scheme == "http" else b"GET /berths ")
    assert exchange.ip == ""
    assert any("not checked" in note for note in exchange.notes)
    assert resolved == []


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_tls_goes_through_the_proxy_to_the_site_itself(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resolved: list[str]
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(connection, "_CONTEXTS", {})
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with (
        Site(tls=context) as site,
        TestProxy({HOST: ("127.0.0.1", site.port)}, ("ida", "word"), splits=True).running() as proxy,
    ):
        site.answers["/berths"] = answer(PAGE)
        fetched = fetch_one(tmp_path, f"https://{HOST}/berths", f"{scheme}://ida:word@127.0.0.1:{proxy.port}")
        assert fetched.verdict.name == "ok", fetched.verdict
        assert proxy.asked == [("CONNECT" if scheme == "http" else "socks5", f"{HOST}:443")]
        other = fetch_one(tmp_path, f"https://{HOST}/berths", f"{scheme}://ida:wrong@127.0.0.1:{proxy.port}")
        assert other.verdict.name == "connect-failed"
        assert "wrong" not in (other.verdict.error or "")
    assert resolved == []


def test_what_makes_the_user_known_to_a_proxy_is_not_recorded(site: Site, tmp_path: Path) -> None:
    with TestProxy({HOST: ("127.0.0.1", site.port)}, ("ida", "word")).running() as proxy:
        fetched = fetch_one(tmp_path, f"http://{HOST}/berths", f"http://ida:word@127.0.0.1:{proxy.port}")
        assert fetched.verdict.name == "ok"
        assert b"Proxy-Authorization: Basic" in proxy.heads[0]
        assert b"roxy-" not in fetched.exchanges[0].request
        refused = fetch_one(tmp_path, f"http://{HOST}/berths", f"http://127.0.0.1:{proxy.port}")
        assert (refused.verdict.name, refused.exchanges) == ("connect-failed", ())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0x7f.1", "[::1]", "169.254.169.254", "10.0.0.1", "localhost", "printer", "nas.local", "wiki.corp.",
     "metadata.google.internal", "router.home.arpa"],
)  # fmt: skip
def test_private_addresses_and_names_stay_refused(host: str, proxy: TestProxy, tmp_path: Path) -> None:
    fetched = fetch_one(tmp_path, f"http://{host}/", f"socks5h://127.0.0.1:{proxy.port}")
    assert (fetched.verdict.name, proxy.asked) == ("refused-address", [])


def test_a_proxy_that_is_not_there_and_one_that_does_not_connect(proxy: TestProxy, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    gone = fetch_one(tmp_path, f"http://{HOST}/", f"socks5h://127.0.0.1:{port}")
    assert gone.verdict.name == "connect-failed"
    assert f"no connection to the proxy socks5h://127.0.0.1:{port}" in (gone.verdict.error or "")
    unknown = fetch_one(tmp_path, "https://other.example/", f"http://127.0.0.1:{proxy.port}")
    assert unknown.verdict.name == "connect-failed"
    assert "502" in (unknown.verdict.error or "")


@pytest.mark.parametrize("host", ["abc.onion", "abc.ONION.", "www.abc.onion"])
def test_no_resolver_is_asked_for_an_onion_address(host: str, tmp_path: Path, resolved: list[str]) -> None:
    fetched = fetch_one(tmp_path, f"http://{host}/", "none")
    assert fetched.verdict.name == "dns-failure"
    assert "--proxy" in (fetched.verdict.error or "")
    assert resolved == []


def test_the_environment_is_followed_when_the_user_says_so(proxy: TestProxy, tmp_path: Path, site: Site) -> None:
    environment = {"ALL_PROXY": f"socks5://127.0.0.1:{proxy.port}", "no_proxy": "else.example, .past.example"}
    assert fetch_one(tmp_path, f"http://{HOST}/berths", "env", environment).verdict.name == "ok"
    past = fetch_one(tmp_path, "http://www.past.example/", "env", environment)
    assert past.verdict.name == "dns-failure"  # asked directly
    assert [asked for _, asked in proxy.asked] == [f"{HOST}:80"]


VARIABLES = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_where_a_variable_names_a_proxy_the_user_is_asked(variable: str, tmp_path: Path, resolved: list[str]) -> None:
    ways = ways_of(None, {variable: "http://127.0.0.1:9", "NO_PROXY": "past.example,10.1.0.0/16,*.star.example:8080"})
    with pytest.raises(ProxyError, match=f"^{variable} is set, .*--proxy env.*--proxy none"):
        ways.check(checked_url("https://quay.example/"))
    for past in (
        "http://127.0.0.1:8000/", "http://[::1]/", "http://localhost/", "https://www.past.example./", "http://10.1.2.3/",
        "http://a.star.example:8080/",
    ):  # fmt: skip
        ways.check(checked_url(past))
    for asked in ("http://notpast.example/", "http://a.star.example/", "http://8.8.8.8/"):
        with pytest.raises(ProxyError):
            ways.check(checked_url(asked))
    found = FetchSettings("test/1", delay=0, ways=ways)  # by a redirect or a link of a page that may be asked
    (fetched,) = fetch([Target("http://quay.example/")], found, tmp_path)
    assert fetched is not None
    assert fetched.verdict.name == "refused-address"
    assert resolved == []


def test_the_choice_that_is_made() -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    assert ways_of("none", environment) == Ways()
    assert ways_of(None, {"NO_PROXY": "a.example"}) == Ways()
    assert ways_of("env", environment).https == Proxy("http", "127.0.0.1", 9)
    assert ways_of("env", environment).http is None
    assert str(ways_of("http://ida:word@[::1]:8080", {})) == "http://[::1]:8080"
    with pytest.raises(ProxyError, match="none of"):
        ways_of("env", {})


@pytest.mark.parametrize("written", ["ftp://a:1", "http://", "http://a:b:c", "socks4://a:1", "http://a/x", "https://a"])
def test_what_is_no_proxy_is_a_line_that_does_not_quote_it(written: str) -> None:
    with pytest.raises(ProxyError, match="--proxy: "):
        ways_of(written, {})


def test_public_names_are_not_private() -> None:
    for host in ("quay.example", "www.home.example", "8.8.8.8", "abc.onion", "localhost.example"):
        assert private_name(host) is None


def test_the_command_ends_before_anything_is_asked_for(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path, https_proxy="http://127.0.0.1:9", NO_PROXY="")
    done = onrecord("capture", "https://quay.example/")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [done.err.strip()]
    assert "https_proxy is set" in done.err
    listed = onrecord("capture", "-i", "-", stdin="https://quay.example/\n")
    assert (listed.code, "https_proxy is set" in listed.err) == (2, True)
    assert not (tmp_path / "store" / "runs").exists()
    assert onrecord.spooled == []
    onrecord("watch", "add", "https://quay.example/")
    ran = onrecord("run")
    assert (ran.code, "https_proxy is set" in ran.err) == (2, True)


def test_the_command_follows_the_proxy_and_the_run_says_so(proxy: TestProxy, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path)
    done = onrecord(
        "capture", "--no-requisites", "--proxy", f"socks5h://ida:word@127.0.0.1:{proxy.port}", f"http://{HOST}/berths"
    )
    assert done.code == 0, done.err
    (manifest,) = (tmp_path / "store").glob("runs/*/datapackage.json")
    assert f'"proxy": "socks5h://127.0.0.1:{proxy.port}"' in manifest.read_text()
    (warc,) = (tmp_path / "store").glob("runs/*/archive/*.warc.gz")
    records = gzip.decompress(warc.read_bytes())
    assert b"WARC-IP-Address" not in records
    assert b"not checked" in records
    assert b"ida" not in records


@pytest.mark.full
def test_what_is_due_is_fetched_by_the_proxy(proxy: TestProxy, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path)
    onrecord("watch", "add", f"http://{HOST}/berths")
    ran = onrecord("run", "--proxy", f"socks5h://127.0.0.1:{proxy.port}")
    assert ran.code == 0, ran.err
    assert ("socks5", f"{HOST}:80") in proxy.asked
