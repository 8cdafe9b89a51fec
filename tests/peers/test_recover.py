"""Captures that a stock pywb has, brought back by each of its protocols."""

from __future__ import annotations

import gzip
import socket
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.command import Command
from tests.peers.conftest import there
from tests.servers import free_ports
from tests.waiting import wait_for

pytestmark = pytest.mark.full

URL = "http://gazette.example/post"
PAGE = b"<html><title>T</title><body><p>The harbour court heard the case of %b today, and adjourned.</p></body></html>"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _fill(path: Path) -> None:
    def add(date: str, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        http = StatusAndHeaders(status, headers, protocol="HTTP/1.1")
        dated = {"WARC-Date": date}
        record = writer.create_warc_record(URL, "response", BytesIO(body), http_headers=http, warc_headers_dict=dated)
        writer.write_record(record)

    html = ("Content-Type", "text/html; charset=utf-8")
    first = PAGE % b"oysters"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(first), first)
        own = [
            ("X-Own", "a"),
            ("Set-Cookie", "x=1"),
            ("Date", "Tue, 01 Jan 2019 00:00:00 GMT"),
            ("Link", "</a>; rel=next"),
        ]
        add("2019-01-01T00:00:00Z", "200 OK", [html, *own, ("Transfer-Encoding", "chunked")], chunked)
        packed = gzip.compress(PAGE % b"lobsters", mtime=0)
        add("2020-01-01T00:00:00Z", "200 OK", [html, ("Content-Encoding", "gzip")], packed)
        add("2021-01-01T00:00:00Z", "302 Found", [("Location", "http://gazette.example/moved")], b"")
        add("2022-01-01T00:00:00Z", "404 Not Found", [html], b"<p>gone")


@pytest.fixture(scope="module")
def pywb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pywb")
    _fill(folder / "t.warc.gz")
    manager = there("bin/wb-manager")
    for arguments in (("init", "all"), ("add", "all", "t.warc.gz")):
        subprocess.run([manager, *arguments], cwd=folder, check=True, capture_output=True)
    (port,) = free_ports(1)
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [there("bin/wayback"), "-p", str(port), "-b", "127.0.0.1"], cwd=folder, stdout=log, stderr=log
    )
    try:
        wait_for(lambda: process.poll() is not None or _listens(port))
        yield f"http://127.0.0.1:{port}/all"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize("path", ["/cdx", "/timemap/link/", "/timemap/json/", "/"])
def test_a_stock_pywb_gives_back_what_it_has(pywb: str, path: str, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    flags = ("--allow-private", "--delay", "0", "--searches", "6000", "--all")
    done = onrecord("recover", URL, "--archive", pywb + path, *flags)
    assert done.code == 0, done.err
    found = onrecord("--json", "snapshots", URL).lines
    assert [(each["timestamp"][:4], each["status"]) for each in found] == [
        ("2019", 200), ("2020", 200), ("2021", 302), ("2022", 404),
    ]  # fmt: skip
    assert found[2]["location"] == "http://gazette.example/moved"
    first = onrecord("get", URL, "--at", "2019", "--format", "record").out
    head = first.partition("HTTP/1.1 ")[2].partition("\r\n\r\n")[0].split("\r\n")
    assert sorted(head[1:]) == [
        "Content-Type: text/html; charset=utf-8", "Date: Tue, 01 Jan 2019 00:00:00 GMT", "Link: </a>; rel=next",
        "Set-Cookie: x=1", "X-Own: a",
    ]  # fmt: skip
    assert "oysters" in onrecord("get", URL, "--at", "2019").out
    assert "lobsters" in onrecord("get", URL).out
