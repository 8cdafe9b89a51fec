"""Lists of what to capture, in the forms that people have them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

from pipeline.cli.target_lists import target_of, targets_in
from tests.command import Command
from tests.site import Site, answer

ARTICLE = "<p>The harbour council met on Tuesday evening to hear what the pilots think of the new berths.</p>" * 8
PAGE = f"<html><head><title>Berths</title></head><body><article>{ARTICLE}</article></body></html>".encode()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers["/one"] = running.answers["/two"] = answer(PAGE)
        yield running


def named(text: str) -> list[str]:
    return [target.url for target in targets_in(text.splitlines(keepends=True))]


ONE, TWO = "https://quay.example/one", "https://quay.example/two?a=1,2;b#part"


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}\n",
        f"\ufeff# harbour\n\n{ONE}  # the first\n  {TWO}\t# another\n#{ONE}\n",
        f"\n\nTitle,URL,Note\nOne,{ONE},x\n\"Two, and more\",\"{TWO}\",\n,,\n# {ONE},{ONE},\n",
        f"url;title\n{ONE};One\n\"{TWO}\";\"Two\nlines\"\n",
        f"title\tlink\nOne\t{ONE}\nTwo\t{TWO}\n",
        f"{ONE}, the first\n2 berths,\"{TWO}\"\n",
        f"{ONE}\tthe first\n2;\"{TWO}\"\n",
    ],
)  # fmt: skip
def test_lines_notes_and_cells(text: str) -> None:
    assert named(text) == [ONE, TWO]


def test_a_csv_file_without_a_column_of_urls_is_named() -> None:
    with pytest.raises(click.UsageError, match="columns title, author"):
        named("title,author\nOne,Ida\n")


BOOKMARKS = f"""<!DOCTYPE NETSCAPE-Bookmark-file-1>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=UTF-8">
<TITLE>Bookmarks</TITLE><H1>Bookmarks</H1>
<DL><p>
  <DT><H3>Harbour</H3>
  <DL><p>
    <DT><A HREF="{ONE}" ADD_DATE="1700000000">One &amp; only</A>
    <DT><A HREF="place:sort=8">Recent</A>
    <DT><A HREF="javascript:alert(1)">Tool</A>
    <DT><A HREF="https://quay.example/caf\u00e9?a=1&amp;b=2">Two</A>
  </DL><p>
</DL>
"""


def test_bookmarks_of_a_browser() -> None:
    assert named(BOOKMARKS) == [ONE, "https://quay.example/caf\u00e9?a=1&b=2"]


OPML = f"""<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Feeds</title></head><body>
<outline text="Harbour"><outline type="rss" text="One" xmlUrl="https://quay.example/feed.xml" htmlUrl="{ONE}"/>
<outline type="link" text="Two" url="{ONE}"/></outline></body></opml>
"""


def test_opml_of_a_feed_reader() -> None:
    found = [(target.url, target.role.value) for target in targets_in(OPML.splitlines(keepends=True))]
    assert found == [("https://quay.example/feed.xml", "feed"), (ONE, "page")]


@pytest.mark.parametrize("text", ["<html><p>no list</p></html>\n", "<?xml version='1.0'?><rss><channel>\n"])
def test_markup_that_is_no_list_is_named(text: str) -> None:
    with pytest.raises(click.UsageError, match="the list is"):
        named(text)


def test_long_lists_are_read_as_they_come() -> None:
    read = 0

    def lines() -> Iterable[str]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield f"https://quay.example/{number}\n"

    assert next(iter(targets_in(lines()))).url == "https://quay.example/0"
    assert read == 1


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("quay.example", "https://quay.example"),
        ("www.quay.example/a?b=c:d", "https://www.quay.example/a?b=c:d"),
        ("127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
        ("localhost:8080", "https://localhost:8080"),
        ("b\u00fccher.example", "https://b\u00fccher.example"),
        ("http://quay.example", None),
        ("mailto:ida@quay.example", None),
        ("ftp.quay.example:21:x", None),
        ("no words", None),
        ("ida@quay.example", None),
    ],
)
def test_a_domain_without_a_scheme(written: str, url: str | None) -> None:
    target = target_of(written)
    assert (target.url, target.bare) == (url or written, url is not None)


@pytest.mark.full
def test_a_domain_that_speaks_no_https_is_captured_over_http(site: Site, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path)
    done = onrecord.capture(f"127.0.0.1:{site.port}/one", extra=("--no-requisites",))
    assert done.code == 0, done.err
    assert [(line["url"], line["outcome"]) for line in done.lines] == [(site.url("/one"), "ok")]


def test_what_is_no_url_publishes_no_run(site: Site, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path)
    done = onrecord("capture", "ht!tp://x y", "mailto:ida@quay.example")
    assert done.code == 3
    assert "no run is published" in done.err
    assert not (tmp_path / "store" / "runs").exists()
    assert onrecord.spooled == []
    (tmp_path / "urls.txt").write_text(site.url("/one"))
    listed = onrecord("capture", str(tmp_path / "urls.txt"))
    assert (listed.code, "-i " in listed.err) == (2, True)


def test_a_route_behind_the_hash_mark_is_named_where_it_is_left_out(site: Site, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    done = onrecord.capture(site.url("/one#/doc/1"))
    (line,) = [line for line in done.err.splitlines() if "#" in line]
    assert f"{site.url('/one#/doc/1')}: the part behind # is left out" in line
    assert line.endswith(f"captured is {site.url('/one')}")
    assert "left out" not in onrecord.capture(site.url("/one#part-2"), site.url("/two")).err
    assert "left out" in onrecord("watch", "add", site.url("/one#!/doc/2")).err
    (tmp_path / "list").write_text(f"{site.url('/two#/doc/3')}\n")
    assert "left out" in onrecord("watch", "add", "-i", str(tmp_path / "list")).err
