"""A whole site as its readers, its feed and its sitemap know it, and what a page of it needs to be shown."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.command import Command, Done
from tests.gazette import COLUMNS, LINKED_PDF, REQUISITES
from tests.site import Site, answer


def capture(onrecord: Command, *arguments: str) -> Done:
    return onrecord("--json", "capture", "--allow-private", "--delay", "0", *arguments)


def outcomes(onrecord: Command) -> list[dict[str, Any]]:
    newest = max(Path(onrecord.store).glob("runs/*"))
    return [json.loads(line) for line in (newest / "logs" / "outcomes.jsonl").read_text().splitlines()]


def by_path(site: Site, done: Done) -> dict[str, dict[str, Any]]:
    return {line["url"].removeprefix(site.url("").rstrip("/")): line for line in done.lines}


def records(onrecord: Command) -> list[tuple[str, str, dict[str, str], bytes]]:
    found = []
    for path in sorted(Path(onrecord.store).glob("runs/*/archive/*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                headers = dict(record.rec_headers.headers)
                found.append((record.rec_type, headers.get("WARC-Target-URI", ""), headers, record.raw_stream.read()))
    return found


@pytest.mark.parametrize(
    "source",
    [
        ("--feed", "/feed.atom"),
        pytest.param(("--feed", "/old-feed"), marks=pytest.mark.full),
        pytest.param(("--feed", "/"), marks=pytest.mark.full),
        pytest.param(("--sitemap", "/"), marks=pytest.mark.full),
        ("--sitemap", "/sitemap-index.xml"),
        ("--depth", "1", "--scope", "host", "/"),
    ],
)
def test_every_column_and_requisite_is_found(onrecord: Command, gazette: Site, source: tuple[str, ...]) -> None:
    done = capture(onrecord, *source[:-1], gazette.url(source[-1]))
    assert done.code == 0, done.err
    captured = by_path(gazette, done)
    assert set(COLUMNS) <= captured.keys()
    for path in REQUISITES:
        assert (captured[path]["outcome"], captured[path]["role"]) == ("ok", "requisite"), path
    assert sorted(gazette.paths) == sorted(set(gazette.paths)), "each URL is fetched once a run"
    assert LINKED_PDF not in captured or "--depth" in source
    assert all(captured[path]["title"].startswith("Column ") for path in COLUMNS)
    texts = [line for line in records(onrecord) if line[0] == "response"]
    assert len(texts) == len(gazette.paths)


def test_a_rerun_asks_only_what_changed_and_stores_revisits(onrecord: Command, gazette: Site) -> None:
    for path in (COLUMNS[0], "/style/main.css", "/img/lead.png"):
        body = gazette.answers[path]
        assert isinstance(body, bytes)
        head, _, rest = body.partition(b"\r\n\r\n")
        whole = head + b'\r\nETag: "one"\r\nLast-Modified: Mon, 02 Nov 2026 10:00:00 GMT\r\n\r\n' + rest

        async def send(talk: Any, whole: bytes = whole) -> None:
            if b'If-None-Match: "one"' in talk.request:
                await talk.send(b'HTTP/1.1 304 Not Modified\r\nETag: "one"\r\n\r\n')
            else:
                await talk.send(whole)

        gazette.answers[path] = send
    first = capture(onrecord, "--sitemap", gazette.url("/"))
    asked = sorted(gazette.paths)
    gazette.requests.clear()
    onrecord.next_second()
    second = capture(onrecord, "--sitemap", gazette.url("/"))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert sorted(gazette.paths) == asked, "a style sheet that answers 304 still leads to what it loads"
    assert all(line["revisit"] for line in second.lines if not line["url"].endswith("/robots.txt"))
    newest = max(Path(onrecord.store).glob("runs/*"))
    manifest = json.loads((newest / "datapackage.json").read_text())
    assert manifest["counts"]["captures"] == manifest["counts"]["revisits"] == len(asked)
    profiles = [
        headers["WARC-Profile"].rpartition("/")[2] for kind, _, headers, _ in records(onrecord) if kind == "revisit"
    ]
    assert profiles.count("server-not-modified") == 3
    text = onrecord("get", gazette.url(COLUMNS[0]))
    assert (text.code, "column number 1 of a paper" in text.out) == (0, True)
    assert onrecord("verify", "--deep").code == 0
    request = next(raw for raw in reversed(gazette.raw_requests) if b"/img/lead.png " in raw)
    assert b"If-Modified-Since: Mon, 02 Nov 2026 10:00:00 GMT" in request


def test_metadata_records_say_how_it_was_come_by(onrecord: Command, gazette: Site) -> None:
    assert capture(onrecord, "--feed", gazette.url("/feed.atom")).code == 0
    metadata = {uri: block.decode() for kind, uri, _, block in records(onrecord) if kind == "metadata"}
    column = metadata[gazette.url(COLUMNS[0])]
    assert f"via: {gazette.url('/feed.atom')}\r\n" in column
    assert "hopsFromSeed: L\r\n" in column
    assert f"outlink: {gazette.url('/img/lead-2x.png')} E img/@srcset\r\n" in column
    assert f"outlink: {gazette.url(LINKED_PDF)} L a/@href\r\n" in column
    font = metadata[gazette.url("/style/fonts/plain.woff2")]
    assert f"via: {gazette.url('/style/type.css')}\r\n" in font
    assert "hopsFromSeed: LEEE\r\n" in font
    ids = {headers["WARC-Record-ID"]: kind for kind, _, headers, _ in records(onrecord)}
    for kind, uri, headers, _ in records(onrecord):
        if kind == "metadata":
            assert ids[headers["WARC-Concurrent-To"]] in {"response", "revisit"}, uri
    digests = [value for *_, headers, _ in records(onrecord) for name, value in headers.items() if "Digest" in name]
    assert {value.partition(":")[0] for value in digests} == {"sha256"}, "mixed forms break revisits in other tools"


@pytest.mark.full
def test_scope_patterns_robots_and_limits_leave_their_reasons(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/"] = answer(
        b'<a href="/2026/01.html">1</a> <a href="/2026/02.html">2</a> <a href="/drafts/next">d</a>'
        b'<a href="https://elsewhere.example/">e</a> <a href="/private/x">p</a> <a href="mailto:x@y">m</a>'
        b'<a href="/a/b/a/b/a/b/a/b">trap</a> <a href="/2026/03.html">3</a> <a href="http://[bad">bad</a>'
    )
    done = capture(
        onrecord, "--depth", "1", "--limit", "2", "--exclude", "/private/", "--no-requisites", gazette.url("/")
    )
    assert done.code == 0
    told = {path: line["outcome"] for path, line in by_path(gazette, done).items()}
    assert {told.pop(path) for path in list(told) if told[path] == "too-deep"} == {"too-deep"}
    assert told == {
        "/": "ok",
        "/robots.txt": "ok",
        "/2026/01.html": "ok",
        "/2026/02.html": "ok",
        "/2026/03.html": "over-limit",
        "/drafts/next": "over-limit",
        "https://elsewhere.example/": "out-of-scope",
        "/private/x": "excluded",
        "/a/b/a/b/a/b/a/b": "query-trap",
    }
    printed = [{name: value for name, value in line.items() if name != "state"} for line in done.lines]
    assert outcomes(onrecord) == printed, "what is printed is what is kept, and what it is beside earlier captures"
    assert all(line["error"] and line["via"] for line in done.lines if line["outcome"] != "ok")
    assert "/drafts/next" not in gazette.paths


@pytest.mark.full
def test_robots_hold_for_what_was_found_and_not_for_what_was_named(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/"] = answer(b'<a href="/drafts/next">a draft</a>')
    gazette.answers["/drafts/mine"] = answer(b"<title>Mine</title><p>A draft of my own.")
    done = capture(onrecord, "--depth", "1", gazette.url("/"), gazette.url("/drafts/mine"))
    told = {path: line["outcome"] for path, line in by_path(gazette, done).items()}
    assert (told["/drafts/next"], told["/drafts/mine"]) == ("robots-denied", "ok")
    assert capture(onrecord, "--robots", "all", gazette.url("/drafts/mine")).lines[-1]["outcome"] == "robots-denied"
    ignoring = capture(onrecord, "--robots", "ignore", "--depth", "1", gazette.url("/"))
    assert by_path(gazette, ignoring)["/drafts/next"]["outcome"] == "ok"
    assert "/robots.txt" not in by_path(gazette, ignoring)


def test_links_that_are_no_addresses_are_told_and_fail_nothing(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/"] = answer(b'<a href="http://user:pw@quay.example/">u</a> <a href="http://h:99999/">p</a>')
    done = capture(onrecord, "--depth", "1", gazette.url("/"))
    assert done.code == 0, done.err
    assert sorted(line["outcome"] for line in done.lines) == ["invalid-url", "invalid-url", "ok"]
    assert "1 target" in done.err
    assert "2 found and left out" in done.err


def test_robots_txt_itself_may_always_be_asked_for(onrecord: Command, gazette: Site) -> None:
    robots = (
        f"User-agent: *\nDisallow: /\nAllow: /sitemap\nAllow: /2026/01\nSitemap: {gazette.url('/sitemap-index.xml')}"
    )
    gazette.answers["/robots.txt"] = answer(robots.encode(), kind="text/plain")
    done = capture(onrecord, "--robots", "all", "--sitemap", gazette.url("/"), "--no-requisites")
    told = {path: line["outcome"] for path, line in by_path(gazette, done).items()}
    assert (told[COLUMNS[0]], told[COLUMNS[1]]) == ("ok", "robots-denied")


@pytest.mark.full
@pytest.mark.parametrize(("status", "told"), [("404 Not Found", "ok"), ("500 Oops", "robots-denied")])
def test_a_robots_txt_that_cannot_be_had(onrecord: Command, gazette: Site, status: str, told: str) -> None:
    gazette.answers["/"] = answer(b'<a href="/2026/01.html">1</a>')
    gazette.answers["/robots.txt"] = answer(b"no", status=status)
    done = capture(onrecord, "--depth", "1", "--no-requisites", gazette.url("/"))
    assert by_path(gazette, done)["/2026/01.html"]["outcome"] == told
    assert done.code == 0


def test_missing_requisites_are_told_and_fail_nothing(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/page"] = answer(b'<title>T</title><img src="/gone.png"><img src="http://10.0.0.1/x.png">')
    done = onrecord("--json", "capture", "--allow-private", "--delay", "0", gazette.url("/page"))
    assert done.code == 0
    told = by_path(gazette, done)
    assert told["/gone.png"]["outcome"] == "http-error"
    people = onrecord("capture", "--allow-private", "--delay", "0", "--force", gazette.url("/page"))
    assert "gone.png" not in people.out
    assert "1 target, 2 requisites" in people.err


@pytest.mark.full
def test_addresses_that_a_page_names_are_checked(onrecord: Command, gazette: Site) -> None:
    """Nothing that a page says leads to a private address, whatever shape it is written in."""
    hosts = ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254", "localhost"]
    images = "".join(f'<img src="http://{host}:{gazette.port}/secret">' for host in hosts)
    gazette.answers["/page"] = answer(f"<title>T</title>{images}".encode())
    done = onrecord("--json", "capture", "--delay", "0", gazette.url("/page"))
    assert [line["outcome"] for line in done.lines] == ["refused-address"]
    assert gazette.paths == []


@pytest.mark.full
def test_linked_pdfs_on_request(onrecord: Command, gazette: Site) -> None:
    assert LINKED_PDF not in by_path(gazette, capture(onrecord, gazette.url(COLUMNS[0])))
    done = capture(onrecord, "--linked-pdfs", gazette.url(COLUMNS[1]))
    assert by_path(gazette, done)[LINKED_PDF]["outcome"] == "ok"


@pytest.mark.full
@pytest.mark.parametrize(
    ("option", "path", "name"),
    [
        ("--feed", "/2026/nothing", "http-error"),
        ("--feed", "/style/main.css", "no-feed"),
        ("--feed", "/bomb", "no-feed"),
        ("--sitemap", "/style/print.css", "no-sitemap"),
    ],
)
def test_what_is_no_feed_and_no_sitemap(onrecord: Command, gazette: Site, option: str, path: str, name: str) -> None:
    layers = b"".join(b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10) for number in range(1, 8))
    gazette.answers["/bomb"] = answer(
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "x">' + layers + b"]><rss><channel><item>"
        b"<link>/&e7;</link></item></channel></rss>",
        kind="application/rss+xml",
    )
    done = capture(onrecord, option, gazette.url(path))
    assert done.code == 3
    (line,) = done.lines
    assert line["outcome"] == name
    assert line["error"]


def test_a_site_without_robots_has_its_sitemap_in_its_usual_place(onrecord: Command, gazette: Site) -> None:
    gazette.answers.pop("/robots.txt")
    gazette.answers["/sitemap.xml"] = gazette.answers["/sitemap-index.xml"]
    done = capture(onrecord, "--sitemap", gazette.url("/"), "--no-requisites")
    assert done.code == 0
    assert set(COLUMNS) <= by_path(gazette, done).keys()


def test_tracking_and_canonical_addresses_are_one_page(onrecord: Command, gazette: Site) -> None:
    done = capture(onrecord, "--depth", "3", "--scope", "host", "--no-requisites", gazette.url(COLUMNS[4]))
    assert COLUMNS[5] in by_path(gazette, done)
    asked = [path.partition("?utm_source")[0] for path in gazette.paths]
    assert sorted(asked) == sorted(set(asked)), "a page is asked for once, under whatever address"
    gazette.answers["/print?of=5"] = answer(
        f'<link rel="canonical" href="{COLUMNS[4]}"><a href="/only-in-print">x</a>'.encode()
    )
    gazette.requests.clear()
    capture(onrecord, "--depth", "2", "--no-requisites", gazette.url(COLUMNS[4]), gazette.url("/print?of=5"))
    assert "/only-in-print" not in gazette.paths


@pytest.mark.full
def test_a_crawl_delay_is_kept(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/robots.txt"] = answer(b"User-agent: *\nCrawl-delay: 0.4\n", kind="text/plain")
    gazette.answers["/"] = answer(
        b'<a href="/2026/01.html">1</a><a href="/2026/02.html">2</a><a href="/2026/03.html">3</a>'
    )
    assert capture(onrecord, "--depth", "1", "--no-requisites", gazette.url("/")).code == 0
    times = [moment for moment, path in gazette.requests if path.startswith("/2026/")]
    assert len(times) == 3
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.3


def test_the_text_of_a_page_does_not_depend_on_the_others_of_its_run(
    onrecord: Command, gazette: Site, tmp_path: Path
) -> None:
    bar = "<p>We use cookies to remember which column you read last, and for nothing else at all.</p>"
    for number in range(1, 6):
        body = f"{bar}<p>Column {number} says of the quay, in words of its own number {number}.</p>"
        body += (
            f"<p>And it says so twice, for readers of column {number} who skip the first paragraph of everything.</p>"
        )
        gazette.answers[f"/plain/{number}"] = answer(f"<title>Plain {number}</title><article>{body}</article>".encode())
    urls = [gazette.url(f"/plain/{number}") for number in range(1, 6)]
    alone = Command.at(tmp_path / "alone", tmp_path / "home-alone")
    assert capture(onrecord, *urls).code == 0
    assert capture(alone, urls[2]).code == 0
    together = onrecord("get", urls[2]).out
    assert "words of its own number 3" in together
    assert alone("get", urls[2]).out == together


@pytest.mark.parametrize(
    "arguments",
    [
        ("--depth", "1", "http://[bad/"),
        ("--sitemap", "http://[bad"),
        ("--sitemap", "http://user:secret@x.example/"),
        ("--sitemap", "ftp://x.example/"),
        ("--feed", "http://[::g]/feed"),
    ],
)
def test_what_is_named_and_no_address_ends_with_its_outcome(onrecord: Command, arguments: tuple[str, ...]) -> None:
    done = capture(onrecord, *arguments)
    assert (done.code, [line["outcome"] for line in done.lines]) in [
        (3, ["invalid-url"]),
        (3, ["unsupported-scheme"]),
    ], done.err
    assert "Traceback" not in done.err


def test_a_link_left_out_is_still_captured_where_a_page_shows_it(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/first"] = answer(b"<p>One</p><a href=/img/lead.png>picture</a><a href=/second>next</a>")
    gazette.answers["/second"] = answer(b"<p>Two</p><img src=/img/lead.png>")
    arguments = ("--depth", "1", "--scope", "host", "--exclude", "lead.png$", gazette.url("/first"))
    lines = [line for line in capture(onrecord, *arguments).lines if line["url"].endswith("/img/lead.png")]
    assert sorted((line["outcome"], line.get("role", "")) for line in lines) == [("excluded", ""), ("ok", "requisite")]


@pytest.mark.full
def test_a_shorter_way_found_later_counts(onrecord: Command, gazette: Site) -> None:
    # The far page is two links from the first seed and one from the second.
    gazette.answers["/a"] = answer(b"<p>A</p><a href=/b>b</a>")
    gazette.answers["/b"] = answer(b"<p>B</p><a href=/far>far</a><a href=/farther>farther</a>")
    gazette.answers["/far"] = answer(b"<p>Far</p>")
    gazette.answers["/c"] = answer(b"<p>C</p><a href=/d>d</a><a href=/far>far</a>")
    gazette.answers["/d"] = answer(b"<p>D</p>")
    done = capture(onrecord, "--depth", "1", "--delay", "0.3", gazette.url("/a"), gazette.url("/c"))
    found = [(line["url"].rpartition("/")[2], line["outcome"]) for line in done.lines]
    assert ("far", "ok") in found
    assert ("far", "too-deep") not in found
    assert ("farther", "too-deep") in found


def test_named_and_denied_by_robots_is_a_failure(onrecord: Command, gazette: Site) -> None:
    gazette.answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /\n", kind="text/plain")
    done = capture(onrecord, "--robots", "all", gazette.url(COLUMNS[0]))
    told = [line["outcome"] for line in done.lines if line["url"] == gazette.url(COLUMNS[0])]
    assert (done.code, told) == (3, ["robots-denied"])


@pytest.mark.full
def test_rules_that_did_not_change_are_still_obeyed(onrecord: Command, gazette: Site) -> None:
    rules = f"User-agent: *\nDisallow: {COLUMNS[0]}\nSitemap: {gazette.url('/sitemap-index.xml')}\n".encode()

    async def send(talk: Any) -> None:
        if b"If-None-Match" in talk.request:
            await talk.send(b'HTTP/1.1 304 Not Modified\r\nETag: "r"\r\n\r\n')
        else:
            head = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: "r"\r\nContent-Length: %d\r\n\r\n'
            await talk.send(head % len(rules) + rules)

    gazette.answers["/robots.txt"] = send
    for _ in range(2):
        capture(onrecord, "--sitemap", gazette.url("/"))
        onrecord.next_second()
    assert COLUMNS[1] in gazette.paths
    assert COLUMNS[0] not in gazette.paths
