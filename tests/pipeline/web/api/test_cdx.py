"""The CDX server API, parameter by parameter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.model import Exchange
from tests.exchanges import NOON, an_exchange
from tests.pipeline.ingest.test_import_files import Brought, members, record
from tests.pipeline.web.conftest import URL, Keep
from tests.torture.scale import examples

FIRST, SECOND, THIRD = "20261123120000", "20261123130000", "20261124140000"


def asked(client: TestClient, **params: Any) -> list[str]:
    """The timestamps and paths that a query is answered with."""
    answer = client.get("/cdx", params={"url": URL, "fl": "timestamp"} | params)
    assert answer.status_code == 200, answer.text
    return answer.text.split()


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [FIRST, SECOND, THIRD]),
        ({"from": "20261124"}, [THIRD]),
        ({"to": "20261123"}, [FIRST, SECOND]),
        ({"to": "2026112312"}, [FIRST]),
        ({"from": "2025", "to": "2026"}, [FIRST, SECOND, THIRD]),
        ({"from": "2027"}, []),
        ({"to": "202610"}, []),
        ({"limit": "1"}, [FIRST]),
        ({"limit": "-1"}, [THIRD]),
        ({"limit": "-2"}, [SECOND, THIRD]),
        ({"limit": "1", "offset": "1"}, [SECOND]),
        ({"sort": "reverse"}, [THIRD, SECOND, FIRST]),
        ({"sort": "reverse", "limit": "1"}, [THIRD]),
        ({"closest": "20261123125000"}, [SECOND, FIRST, THIRD]),
        ({"closest": "20261123125000", "sort": "closest", "limit": "1"}, [SECOND]),
        ({"filter": "mimetype:warc/revisit"}, [SECOND]),
        ({"filter": "!mimetype:warc/revisit"}, [FIRST, THIRD]),
        ({"filter": "mime:text/.*"}, [FIRST, THIRD]),
        ({"filter": "mimetype:text"}, []),
        ({"filter": "~mimetype:ht"}, [FIRST, THIRD]),
        ({"filter": "=status:200"}, [FIRST, SECOND, THIRD]),
        ({"filter": "!=status:200"}, []),
        ({"filter": ["status:200", "timestamp:20261124.*"]}, [THIRD]),
        ({"collapse": "digest"}, [FIRST, THIRD]),
        ({"collapse": "timestamp:8"}, [FIRST, THIRD]),
        ({"collapse": "timestamp:10"}, [FIRST, SECOND, THIRD]),
        ({"collapse": "urlkey"}, [FIRST]),
        ({"url": "http://www.EXAMPLE.org:80/a#x"}, [FIRST, SECOND, THIRD]),
        ({"url": "http://example.org/nothing"}, []),
        ({"page": "0"}, [FIRST, SECOND, THIRD]),
    ],
)
def test_what_is_asked_for_is_answered(client: TestClient, params: dict[str, Any], expected: list[str]) -> None:
    assert asked(client, **params) == expected


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"url": "http://example.org/*"}, 4),
        ({"url": "http://example.org/", "matchType": "prefix"}, 4),
        ({"url": "http://example.org/b", "matchType": "prefix"}, 1),
        ({"url": "example.org", "matchType": "host"}, 4),
        ({"url": "example.org", "matchType": "domain"}, 5),
        ({"url": "*.example.org"}, 5),
        ({"url": "*.example.org", "filter": "statuscode:404"}, 1),
        ({"url": "*.example.org", "collapse": "urlkey"}, 3),
        ({"url": "*.example.org", "limit": "-1"}, 1),
    ],
)
def test_ways_of_matching(client: TestClient, params: dict[str, Any], count: int) -> None:
    assert len(asked(client, **params)) == count


@pytest.mark.usefixtures("five")
def test_forms_of_the_answer(client: TestClient) -> None:
    plain = client.get("/cdx", params={"url": URL}).text.splitlines()
    assert plain[0].split(" ")[:5] == ["org,example)/a", FIRST, URL, "text/html", "200"]
    assert len(plain[0].split(" ")) == 7
    rows = client.get("/cdx/search/cdx", params={"url": URL, "output": "json"}).json()
    assert rows[0] == ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]
    assert len(rows) == 4
    assert client.get("/cdx", params={"url": "http://nowhere.example/", "output": "json"}).json() == []
    lines = client.get("/index", params={"url": URL}).text.splitlines()
    assert lines[1].startswith(f"org,example)/a {SECOND} {{")
    assert '"mime": "warc/revisit"' in lines[1]
    assert '"filename": "runs/' in lines[1]
    chosen = client.get("/cdx", params={"url": URL, "fl": "url,offset"}).text.splitlines()
    assert all(line.split(" ")[0] == URL and line.split(" ")[1].isdigit() for line in chosen)
    assert client.get("/cdx", params={"url": "*.example.org", "showNumPages": "true"}).text == "1\n"
    assert client.get("/cdx", params={"url": URL, "page": "1"}).status_code == 400


def test_a_walk_by_resumption_keys_is_the_whole(client: TestClient, keep: Keep) -> None:
    keep(*(an_exchange(f"http://example.org/{number % 7}/{number}", b"%d" % number) for number in range(23)))
    keep(*(an_exchange(f"http://example.org/{number % 7}/{number}", b"%d!" % number) for number in range(5)))
    whole = client.get("/cdx", params={"url": "example.org", "matchType": "host", "fl": "original,digest"}).text
    params = {"url": "example.org", "matchType": "host", "fl": "original,digest", "limit": "4", "showResumeKey": "true"}
    found: list[str] = []
    key = ""
    for _ in range(20):
        answer = client.get(f"/cdx?resumeKey={key}" if key else "/cdx", params=None if key else params)
        if key:
            answer = client.get(
                f"/cdx?resumeKey={key}&" + "&".join(f"{name}={value}" for name, value in params.items())
            )
        lines, _, rest = answer.text.partition("\n\n")
        if not lines.strip():
            break
        found += lines.strip().split("\n")
        key = rest.strip()
        if not key:
            break
    assert found == whole.strip().split("\n")
    assert len(found) == 28


@pytest.mark.parametrize(
    "query",
    [
        "", "url=", "url=x&matchType=near", "url=x&from=yesterday", "url=x&to=1", "url=x&limit=many", "url=x&limit=--1",
        "url=x&filter=status", "url=x&filter=colour:red", "url=x&filter=status:(", "url=x&fl=colour",
        "url=x&collapse=colour", "url=x&collapse=status:x", "url=x&output=xml", "url=x&sort=up", "url=x&closest=now",
        "url=x&closest=2026&matchType=host", "url=x&resumeKey=what", "url=x&page=-1", "url=x&pageSize=a",
        "url=x&from=20269999", "url=*.x&sort=reverse", "url=x&" + "filter=status:200&" * 101,
    ],
)  # fmt: skip
def test_what_means_nothing_is_one_line_and_400(client: TestClient, query: str) -> None:
    answer = client.get(f"/cdx?{query}")
    assert (answer.status_code, len(answer.text.splitlines())) == (400, 1)


@pytest.mark.usefixtures("five")
def test_a_pattern_that_would_never_end_ends(client: TestClient) -> None:
    answer = client.get("/cdx", params={"url": URL, "filter": "original:(.*a)*(.*b)*(h+)+$", "fl": "timestamp"})
    assert answer.status_code == 200


NAMES = st.sampled_from(
    "url matchType from to closest sort limit offset filter collapse fl output showResumeKey resumeKey page pageSize "
    "showNumPages x".split()
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from([URL, "*.example.org", "2026", "-1", "9" * 9, "json", "!status:[", "status:2..", "a b c", "true"]),
)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.sampled_from(["/cdx", "/index", "/cdx/search/cdx"]))
def test_no_query_is_a_fault_of_ours(client: TestClient, five: None, params: list[tuple[str, str]], path: str) -> None:
    answer = client.get(path, params=params)
    assert answer.status_code in {200, 400}


@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["/web/", "/web/2026/", "/web/20261123120000id_/", "/timegate/", "/timemap/link/", "/warc/", "/"]),
    st.one_of(st.text(max_size=40), st.sampled_from([URL, "http:/example.org/a", "runs/../onrecord.json", "%00", "?"])),
    st.dictionaries(st.sampled_from(["range", "accept-datetime"]), st.text("bytes=-0123456789,GMT :", max_size=30)),
)
def test_no_path_is_a_fault_of_ours(
    client: TestClient, five: None, start: str, rest: str, headers: dict[str, str]
) -> None:
    from urllib.parse import quote

    answer = client.get(start + quote(rest, safe="/:?&=%"), headers=headers)
    assert answer.status_code < 500, answer.text


def test_a_field_that_is_asked_for_twice_is_given_once(client: TestClient, five: None) -> None:
    names = ",".join(["original", "url", "title"] * 500)
    lines = client.get(f"/cdx?url={URL}&fl=timestamp&fl={names}&fl=timestamp").text.splitlines()
    assert [len(line.split(" ")) for line in lines] == [3, 3, 3]


def posted(body: bytes, answer: bytes) -> Exchange:
    """A POST of JSON, and what answers it."""
    head = b"POST /a HTTP/1.1\r\nHost: example.org\r\nContent-Type: application/json\r\n\r\n"
    return replace(an_exchange(URL, answer), request=head + body)


def test_posts_to_one_address_are_told_apart_by_their_bodies(client: TestClient, keep: Keep) -> None:
    keep(an_exchange(URL, b"page"), posted(b'{"q": "one"}', b"first"), posted(b'{"q": "two"}', b"second"))
    digests = [asked(client, url=f"{URL}?__wb_method=POST&q={each}", fl="digest") for each in ("one", "two", "none")]
    assert [len(each) for each in digests] == [1, 1, 0]
    assert digests[0] != digests[1]
    assert asked(client, fl="method") == ["-"], "the address alone is that of the page"
    lines = client.get("/index", params={"url": URL, "matchType": "prefix"}).text.splitlines()
    assert len(lines) == 3
    found = client.get("/index", params={"url": f"{URL}?__wb_method=POST&q=two"}).text
    assert found.startswith("org,example)/a?__wb_method=post&q=two 2026")
    assert '"method": "POST", "requestBody": "q=two"' in found
    again = client.get("/cdx", params={"url": URL, "matchType": "prefix", "limit": "1", "showResumeKey": "true"})
    key = again.text.splitlines()[-1]
    rest = client.get("/cdx", params={"url": URL, "matchType": "prefix", "resumeKey": unquote_plus(key)}).text
    assert len(rest.splitlines()) == 2


def test_the_page_is_preferred_to_the_answer_to_a_form(archive: Archive, client: TestClient, keep: Keep) -> None:
    later = replace(posted(b'{"q": 1}', b"answer"), started=NOON + timedelta(hours=1))
    keep(an_exchange(URL, b"page"))
    keep(later)
    assert archive.closest(URL).method is None
    assert archive.closest(URL, NOON + timedelta(hours=2)).method is None
    assert archive.closest(URL, later.started).method == "POST"


def test_posts_in_records_of_other_programs_are_found(archive: Archive, client: TestClient, tmp_path: Path) -> None:
    answers = [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + text for text in (b"first", b"second")]
    request = b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nq=%d"
    records = []
    for number, answer in enumerate(answers):
        same = f"WARC-Concurrent-To: <urn:uuid:00000000-0000-4000-8000-{number:012}>"
        records += [record("response", URL, answer, number), record("request", URL, request % number, number + 9, same)]
    Brought(tmp_path, members(*records), archive=archive)
    found = [asked(client, url=f"{URL}?__wb_method=POST&q={each}", fl="digest") for each in range(3)]
    assert [len(each) for each in found] == [1, 1, 0]
    assert found[0] != found[1]
