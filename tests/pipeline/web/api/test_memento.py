"""Memento (RFC 7089), and the bytes of captures: as they were, and harmless."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from archive.archive import Archive
from tests.exchanges import NOON, an_exchange
from tests.pipeline.web.conftest import BASE, URL, Keep

pytestmark = pytest.mark.usefixtures("five")


@pytest.mark.parametrize(
    ("wanted", "stamp"),
    [
        (None, "20261124140000"),
        ("Mon, 23 Nov 2026 12:10:00 GMT", "20261123120000"),
        ("Mon, 23 Nov 2026 12:50:00 GMT", "20261123130000"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "20261123120000"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "20261124140000"),
    ],
)
@pytest.mark.parametrize("gate", ["/timegate/", "/web/"])
def test_a_timegate_leads_to_the_nearest(client: TestClient, gate: str, wanted: str | None, stamp: str) -> None:
    answer = client.get(gate + URL, headers={"accept-datetime": wanted} if wanted else {})
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{BASE}/web/{stamp}/{URL}"
    assert answer.headers["vary"] == "accept-datetime"
    assert f'<{URL}>; rel="original"' in answer.headers["link"]
    assert "timemap" in answer.headers["link"]


def test_a_memento_says_when_it_is_of_and_what_is_beside_it(client: TestClient) -> None:
    answer = client.get(f"/web/20261123130000/{URL}")
    assert (answer.status_code, answer.text) == (200, "one"), "a revisit shows what it refers to"
    assert answer.headers["memento-datetime"] == "Mon, 23 Nov 2026 13:00:00 GMT"
    links = answer.headers["link"]
    for rel in ("original", "timegate", "timemap", "prev memento", "next memento", "memento"):
        assert f'rel="{rel}"' in links
    assert client.get(f"/web/20261123125900/{URL}").headers["location"] == f"{BASE}/web/20261123130000/{URL}"


def test_a_timemap_lists_all(client: TestClient) -> None:
    answer = client.get(f"/timemap/link/{URL}")
    assert answer.headers["content-type"].startswith("application/link-format")
    assert answer.text.count('memento"') == 3
    assert 'rel="first memento"; datetime="Mon, 23 Nov 2026 12:00:00 GMT"' in answer.text
    assert 'rel="last memento"' in answer.text
    found = client.get(f"/timemap/json/{URL}").json()
    assert [each["timestamp"] for each in found["mementos"]["list"]] == [
        "20261123120000",
        "20261123130000",
        "20261124140000",
    ]


@pytest.mark.parametrize(
    "path",
    ["/timegate/http://nowhere.example/", "/timemap/link/http://x.example/", "/web/2026/http://x.example/", "/no"],
)
def test_what_is_not_there_is_one_line_and_404(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, len(answer.text.splitlines())) == (404, 1)


def test_who_comes_with_a_browser_gets_a_page(client: TestClient) -> None:
    answer = client.get("/no", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, "<h1>No such page</h1>" in answer.text) == (404, True)


def test_queries_and_lost_slashes_belong_to_the_page(client: TestClient) -> None:
    for path in ("/web/20261123120000id_/http://example.org/b?x=1", "/web/20261123120000id_/http:/example.org/b?x=1"):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (404, "b"), "with the status that was captured"


def test_bytes_are_as_they_were_and_can_do_nothing(client: TestClient, keep: Keep) -> None:
    page = b"<script>fetch('/cdx?url=x')</script>"
    head = (
        b"Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
        b"Set-Cookie: a=b\r\nX-Odd: caf\xe9\r\nBad Name: x\r\nAccess-Control-Allow-Credentials: true\r\n"
        b"Content-Security-Policy: default-src *\r\nService-Worker-Allowed: /\r\nClear-Site-Data: *\r\n"
    )
    body = gzip.compress(page)
    keep(an_exchange("http://evil.example/", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), head=head))
    answer = client.get("/web/20261123120000id_/http://evil.example/")
    assert answer.content == page
    assert answer.headers["content-encoding"] == "gzip"
    for name in ("set-cookie", "service-worker-allowed", "clear-site-data", "access-control-allow-credentials"):
        assert name not in answer.headers
        assert f"x-archive-orig-{name}" in answer.headers
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "allow-scripts" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_redirect_stays_in_the_archive(client: TestClient, keep: Keep) -> None:
    keep(an_exchange("http://example.org/old", b"", status=301, head=b"Location: http://live.example/new\r\n"))
    answer = client.get("/web/20261123120000id_/http://example.org/old")
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{BASE}/web/20261123120000id_/http://live.example/new"


def test_ranges_of_warc_files_and_nothing_else(client: TestClient, archive: Archive) -> None:
    snapshot = next(archive.snapshots(URL))
    key = snapshot.record.key
    whole = client.get(f"/warc/{key}")
    assert whole.content == archive.unguarded().stores.primary.get(key)
    start, end = snapshot.record.offset, snapshot.record.offset + snapshot.record.length - 1
    part = client.get(f"/warc/{key}", headers={"range": f"bytes={start}-{end}"})
    assert (part.status_code, part.content) == (206, whole.content[start : end + 1])
    assert client.get(f"/warc/{key}", headers={"range": "bytes=-5"}).content == whole.content[-5:]
    assert client.get(f"/warc/{key}", headers={"range": "bytes=999999999-"}).status_code == 416
    assert client.head(f"/warc/{key}").headers["content-length"] == str(len(whole.content))
    run = snapshot.run
    for other in (
        f"runs/{run}/datapackage.json",
        "onrecord.json",
        f"runs/{run}/archive/../datapackage.json",
        "../x",
        "",
    ):
        assert client.get(f"/warc/{other}").status_code == 404


def test_a_damaged_record_is_a_line(client: TestClient, archive: Archive) -> None:
    snapshot = next(archive.snapshots(URL))
    data = archive.unguarded().stores.primary.get(snapshot.record.key)
    archive.unguarded().stores.primary.put(snapshot.record.key, data[: snapshot.record.offset + 40])
    answer = client.get(f"/web/20261123120000id_/{URL}")
    assert (answer.status_code, len(answer.text.splitlines())) == (502, 1)


def test_a_redirect_to_the_same_key_is_no_circle(client: TestClient, keep: Keep) -> None:
    """From http to https, in one second, and a second later."""
    for host, later in (("one.example", 0), ("two.example", 1)):
        moved = an_exchange(f"http://{host}/", b"", status=301, head=b"Location: https://%b/\r\n" % host.encode())
        keep(moved, an_exchange(f"https://{host}/", b"the page", at=NOON + timedelta(seconds=later)))
        path = f"/timegate/https://{host}/"
        for _ in range(4):
            answer = client.get(path, headers={"accept-datetime": "Mon, 23 Nov 2026 12:00:00 GMT"})
            if answer.status_code == 200:
                break
            path = answer.headers["location"].removeprefix(BASE)
        assert answer.text == "the page", host
        assert client.get(f"/web/20261123120000id_/http://{host}/").status_code == 301, "asked for by its own name"
