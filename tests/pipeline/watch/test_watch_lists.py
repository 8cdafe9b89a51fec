"""Watches out of lists: OPML, bookmarks, CSV and lines."""

from __future__ import annotations

from pathlib import Path

from pipeline.watch.watch_list import load
from tests.command import Command

OPML = """<?xml version="1.0"?><opml version="2.0"><body>
<outline text="Gazette" type="rss" xmlUrl="https://gazette.example/feed.xml" htmlUrl="https://gazette.example/"/>
<outline text="Page" type="link" url="https://clinic.example/page"/></body></opml>"""
BOOKMARKS = """<!DOCTYPE NETSCAPE-Bookmark-file-1><dl><dt><a href="https://clinic.example/page">Page</a>
<dt><a href="place:sort=8">Recent</a><dt><a href="https://clinic.example/other">Other</a></dl>"""


def test_lists_of_every_kind_are_watched_each_url_once(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    path = tmp_path / "watches.toml"
    path.write_text('# mine\n[[watch]]\npage = "https://mine.example/"\n')
    add = ("watch", "add", "--watches", str(path), "-i", "-")
    done = onrecord(*add, "--tag", "press", "--every", "6h", stdin=OPML)
    assert (done.code, "2 watched" in done.err) == (0, True), done.err
    done = onrecord(*add, stdin=BOOKMARKS)
    assert "1 watched, 1 were watched already" in done.err
    done = onrecord(*add, "--site", "--every", "1d", stdin="title;url\na;https://a.example/\nb;nowhere at all\n")
    assert (done.code, "1 watched, 1 left out" in done.err) == (3, True), done.err
    assert path.read_text().startswith("# mine\n")
    assert [(each.source, each.url, each.tags) for each in load(path)] == [
        ("page", "https://mine.example/", ()),
        ("feed", "https://gazette.example/feed.xml", ("press",)),
        ("page", "https://clinic.example/page", ("press",)),
        ("page", "https://clinic.example/other", ()),
        ("site", "https://a.example/", ()),
    ]


def test_what_is_no_list_adds_nothing(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    path = tmp_path / "watches.toml"
    add = ("watch", "add", "--watches", str(path))
    for arguments, stdin in (
        ((), ""),
        (("-i", "-", "--name", "x"), OPML),
        (("-i", "-"), "<html><p>no list</p></html>"),
    ):
        done = onrecord(*add, *arguments, stdin=stdin)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert not path.exists()
