"""Feeds: the right entries, the newest first, in valid Atom and JSON Feed, in little memory."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import feedparser
import pytest
from lxml import etree

from archive.access.rules import Rule
from pipeline.watch.feeds.entries import Choice, Entry, entries, in_archive
from pipeline.watch.feeds.feed_files import feed_bytes, feeds_of
from pipeline.watch.feeds.formats import Channel, atom, json_feed
from pipeline.watch.watch_list import WatchError, load, parsed
from tests.pipeline.watch.feeds.library import POST, TAX, archive_at, hours, ledger_of, seen

ATOM = {"a": "http://www.w3.org/2005/Atom"}
WATCHES = parsed(f'[[watch]]\npage = "{POST}"\ntags = ["port"]\n[[watch]]\npage = "{TAX}"', "here")
ALL = ["back", "gone", "changed", "captured", "captured"]


def _entries(folder: Path, choice: Choice | None = None, hits: set[str] | None = None) -> list[Entry]:
    search = (lambda *_: hits or set()) if hits is not None else (lambda *_: set())
    return entries(archive_at(folder), ledger_of(folder), WATCHES, choice or Choice(), search)


def test_what_was_decided_has_an_entry_and_what_waits_has_none(tmp_path: Path) -> None:
    found = _entries(tmp_path)
    assert [each.kind for each in found] == ALL
    assert [(each.at, each.updated) for each in found[:2]] == [(hours(6), hours(7)), (hours(4), hours(5))]
    assert [each.url for each in found] == [POST, POST, POST, TAX, POST]
    assert found[2].title == "edited: Title of post"
    assert len({each.id for each in found}) == len(found)


@pytest.mark.parametrize(
    ("choice", "kinds"),
    [
        (Choice(limit=2), ALL[:2]),
        (Choice(kinds=("gone", "captured")), ["gone", "captured", "captured"]),
        (Choice(site="gazette.example"), ALL),
        (Choice(site="news.gazette.example"), ["captured"]),
        (Choice(site="azette.example"), []),
        (Choice(tag="port"), ["back", "gone", "changed", "captured"]),
        (Choice(tag="other"), []),
        (Choice(search="tax"), ["captured"]),
    ],
)
def test_a_feed_is_of_what_is_asked_for(tmp_path: Path, choice: Choice, kinds: list[str]) -> None:
    assert [each.kind for each in _entries(tmp_path, choice, hits={TAX})] == kinds


def test_what_is_withheld_has_no_entry(tmp_path: Path) -> None:
    archive = archive_at(tmp_path)
    archive.notices.add(Rule(POST))
    archive.refresh()
    found = entries(archive, ledger_of(tmp_path), WATCHES, Choice(), lambda *_: set())
    assert {each.url for each in found} == {TAX}


def test_a_collection_that_is_not_there_is_said(tmp_path: Path) -> None:
    archive = archive_at(tmp_path)
    with pytest.raises(ValueError, match="there is no collection 'x'"):
        in_archive(archive, lambda *_: iter(()))("", "x")


@pytest.mark.parametrize("origin", [None, "https://archive.example"])
def test_atom_has_all_that_the_standard_asks_for(tmp_path: Path, origin: str | None) -> None:
    page_of = (lambda entry: f"{origin}/read?at={entry.at:%Y}") if origin else None
    found = _entries(tmp_path)
    channel = Channel("Feed", "name", origin and f"{origin}/feed.atom", origin, page_of)
    tree = etree.fromstring(atom(channel, found))
    assert [len(tree.findall(f"a:{name}", ATOM)) for name in ("id", "title", "updated", "author")] == [1] * 4
    items = tree.findall("a:entry", ATOM)
    assert [item.findtext("a:id", namespaces=ATOM) for item in items] == [each.id for each in found]
    for item in items:
        for name in ("id", "title", "updated", "published", "content"):
            assert len(item.findall(f"a:{name}", ATOM)) == 1
        assert datetime.fromisoformat(item.findtext("a:updated", namespaces=ATOM)).tzinfo is not None
        assert len([link for link in item.findall("a:link", ATOM) if link.get("rel") == "alternate"]) == 1
    assert "<b>&]]>" in items[3].findtext("a:title", namespaces=ATOM)
    assert tree.findtext("a:updated", namespaces=ATOM) == "2026-11-23T19:00:00Z"
    assert etree.fromstring(atom(channel, [])).findtext("a:updated", namespaces=ATOM)
    assert atom(channel, found) == atom(channel, found)


def test_a_reader_of_feeds_has_nothing_to_complain_of(tmp_path: Path) -> None:
    read = feedparser.parse(atom(Channel("Feed", "name", "https://archive.example/feed.atom"), _entries(tmp_path)))
    assert (read.bozo, read.version, len(read.entries)) == (False, "atom10", len(ALL))


def test_a_json_feed_has_all_that_its_version_asks_for(tmp_path: Path) -> None:
    found = _entries(tmp_path)
    read = json.loads(json_feed(Channel("Feed", "name", "https://archive.example/feed.json"), found))
    assert read["version"] == "https://jsonfeed.org/version/1.1"
    assert read["feed_url"] == "https://archive.example/feed.json"
    assert [item["id"] for item in read["items"]] == [each.id for each in found]
    assert all(item["content_text"] and item["url"] and item["title"] for item in read["items"])
    assert read["items"][0]["tags"] == ["back", "port"]
    assert read["items"][0]["date_modified"] == "2026-11-23T19:00:00Z"


def test_a_feed_takes_the_memory_of_its_entries(tmp_path: Path) -> None:
    archive = archive_at(tmp_path)
    ledger = ledger_of(tmp_path, (seen(f"https://gazette.example/{number}", number / 60) for number in range(10_000)))
    tracemalloc.start()
    try:
        found = entries(archive, ledger, [], Choice(limit=10, site="gazette.example"), lambda *_: set())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [each.url.rpartition("/")[2] for each in found] == [str(number) for number in range(9_999, 9_989, -1)]
    assert peak < 2_000_000


def test_feeds_of_a_watch_list_are_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "watches.toml"
    text = f'[[watch]]\npage = "{POST}"\ntags = ["port"]\n\n[[feed]]\nfile = "a.atom"\ntag = "port"\n'
    path.write_text(f'{text}[[feed]]\nfile = "/tmp/b.json"\norigin = "https://archive.example/"\nkinds = ["gone"]\n')
    first, second = feeds_of(path)
    assert (first.file, second.origin) == (tmp_path / "a.atom", "https://archive.example")
    archive, ledger = archive_at(tmp_path), ledger_of(tmp_path)
    tree = etree.fromstring(feed_bytes(first, archive, ledger, load(path), lambda *_: set()))
    assert len(tree.findall("a:entry", ATOM)) == 4
    (item,) = json.loads(feed_bytes(second, archive, ledger, load(path), lambda *_: set()))["items"]
    assert item["url"].startswith("https://archive.example/read?url=https%3A%2F%2Fgazette.example%2Fpost&at=2026")
    assert item["external_url"] == POST
    assert replace(second, origin=None).written("store", [])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('file = "a.rss"', "ends in"),
        ('tag = "x"', "ends in"),
        ('file = "a.atom"\nkinds = ["new"]', "no kind of entry"),
        ('file = "a.atom"\nlimit = 0', "limit is"),
        ('file = "a.atom"\nlimit = true', "limit is"),
        ('file = "a.atom"\norigin = "archive"', "is an address"),
        ('file = "a.atom"\nwatch = "x"', "is no key"),
        ("file = 5", "one line of text"),
    ],
)
def test_a_feed_that_cannot_be_is_named(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "watches.toml"
    path.write_text(f"[[feed]]\n{table}\n")
    with pytest.raises(WatchError, match=said):
        feeds_of(path)
