"""Lists of captures in every form that archives give them, whole, in pieces, and broken."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.ingest.recover.capture_lists import Next, listed_in
from pipeline.ingest.recover.other_archive import (
    Kind,
    Listed,
    NoArchive,
    OtherArchive,
    RecoverError,
    best,
    is_same_page,
    original_in,
    raw_address,
)

URL = "http://gazette.example/post"
ARCHIVE = OtherArchive.named("https://archive.example/web/cdx/search/cdx")
FIRST, LAST = datetime(2019, 3, 1, 12, tzinfo=UTC), datetime(2020, 3, 1, 12, tzinfo=UTC)
MEMENTO = "https://archive.example/web/{}/http://gazette.example/post"
ROWS = [
    ["urlkey", "timestamp", "original", "mimetype", "statuscode"],
    ["k", "20190301120000", URL, "text/html", "200"],
    ["k", "20200301120000", URL, "warc/revisit", "-"],
]
OBJECTS = [
    {"urlkey": "k", "timestamp": "20190301120000", "url": URL, "status": "200"},
    {"urlkey": "k", "timestamp": "20200301120000", "url": URL, "mime": "warc/revisit"},
]
LINKS = (
    f'<{URL}>; rel="original",\n<https://archive.example/timegate/{URL}>; rel="timegate",\n'
    f'<https://archive.example/timemap/{URL}>; rel="self"; type="application/link-format",\n'
    f'<{MEMENTO.format("20190301120000")}>; rel="first memento"; datetime="Fri, 01 Mar 2019 12:00:00 GMT",\n'
    f'<{MEMENTO.format("20200301120000")}>;datetime="Sun, 01 Mar 2020 12:00:00 GMT"; rel="last memento"; title="a, <b>"'
)
TIMEMAP = {
    "original_uri": URL,
    "mementos": {
        "list": [
            {"datetime": "2019-03-01T12:00:00Z", "uri": MEMENTO.format("20190301120000")},
            {"datetime": "Sun, 01 Mar 2020 12:00:00 GMT", "uri": MEMENTO.format("20200301120000")},
        ]
    },
}
FORMS = {
    "rows": json.dumps(ROWS),
    "objects": "\n".join(map(json.dumps, OBJECTS)),
    "array": json.dumps(OBJECTS),
    "cdxj": "\n".join(f"k {each['timestamp']} {json.dumps(each)}" for each in OBJECTS),
    "cdx": f"k 20190301120000 {URL} text/html 200 D 1\nk 20200301120000 {URL} warc/revisit - D 1\n",
    "links": LINKS,
    "timemap": json.dumps(TIMEMAP),
    "timemap-indented": json.dumps(TIMEMAP, indent=1),
}


def listed(text: str, size: int = 7) -> list[Listed | Next]:
    data = text.encode()
    return list(listed_in((data[at : at + size] for at in range(0, len(data), size)), ARCHIVE, URL))


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("size", [1, 13, 10_000])
def test_each_form_lists_the_same(form: str, size: int) -> None:
    found = listed(FORMS[form], size)
    assert [(each.url, each.at) for each in found if isinstance(each, Listed)] == [(URL, FIRST), (URL, LAST)]
    assert [raw_address(each.source) for each in found if isinstance(each, Listed)] == [
        "https://archive.example/web/20190301120000id_/http://gazette.example/post",
        "https://archive.example/web/20200301120000id_/http://gazette.example/post",
    ]


def test_where_an_archive_goes_on() -> None:
    rows = json.dumps([*ROWS, [], ["com,example)/+2020"]])
    assert listed(rows)[-1] == Next(key="com,example)/+2020")
    assert listed(f"{FORMS['cdx']}\nthe+key\n")[-1] == Next(key="the+key")
    assert listed('<https://a.example/timemap/2/x>; rel="timemap"; from="x"')[-1] == Next(
        timemap="https://a.example/timemap/2/x"
    )


@pytest.mark.parametrize(
    "text",
    ["<!doctype html><title>Busy</title>", "<html>", '[["a"', '{"a": 1}', '["no", "list"]', "Blocked Site Error"],
)
def test_what_is_no_list_is_said(text: str) -> None:
    with pytest.raises(RecoverError, match=r"archive\.example"):
        listed(text)


@pytest.mark.parametrize("text", ["", "\n \n", "[]", "{}\n" * 0])
def test_an_empty_answer_lists_nothing(text: str) -> None:
    assert listed(text) == []


@pytest.mark.parametrize(
    ("named", "kind", "replay"),
    [
        ("wayback", Kind.CDX, "https://web.archive.org/web/"),
        ("http://pywb.example/all/cdx", Kind.CDX, "http://pywb.example/all/"),
        ("http://ours.example/cdx", Kind.CDX, "http://ours.example/web/"),
        ("http://ours.example/index", Kind.CDX, "http://ours.example/web/"),
        ("http://a.example/web/timemap/json/", Kind.TIMEMAP, "http://a.example/web/"),
        ("http://a.example/timemap/link/{url}", Kind.TIMEMAP, "http://a.example/web/"),
        ("http://a.example/wayback/", Kind.TIMEGATE, "http://a.example/wayback/"),
    ],
)
def test_what_an_address_is_and_where_it_replays(named: str, kind: Kind, replay: str) -> None:
    found = OtherArchive.named(named)
    assert (found.kind, found.replay) == (kind, replay)


@pytest.mark.parametrize("named", ["gazette", "ftp://a.example/cdx", "http://", "http://[::1"])
def test_no_archive_is_refused(named: str) -> None:
    with pytest.raises(NoArchive, match="name wayback"):
        OtherArchive.named(named)


def test_addresses_of_captures() -> None:
    assert raw_address("http://a.example/web/20200101000000mp_/http://b.example/") == (
        "http://a.example/web/20200101000000id_/http://b.example/"
    )
    assert raw_address("http://a.example/memento/7") is None
    assert original_in("http://a.example/web/20200101000000/https:/b.example/x?y=1") == "https://b.example/x?y=1"
    assert is_same_page(URL, "https://www.gazette.example/post/")
    assert not is_same_page(URL, "http://other.example/post")


def test_the_nearest_capture_that_is_no_error() -> None:
    errors, pages = Listed(URL, LAST, 404, "a"), Listed(URL, FIRST, None, "b")
    assert best([errors, pages], LAST) == pages
    assert best([errors], FIRST) == errors
    assert best([], FIRST) is None
