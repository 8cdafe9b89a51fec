"""`onrecord run` writes the feeds of its watch list."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tests.command import Command
from tests.site import Site


def test_a_run_writes_the_feeds_of_its_watch_list(onrecord: Command, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "watches.toml"
    assert onrecord("watch", "add", site.url("/post"), "--watches", str(path)).code == 0
    options = "[watch.options]\ndelay = 0\ncollection = ['Case 7']\n"
    feeds = "\n".join(f'[[feed]]\nfile = "feeds/{name}"' for name in ("all.atom", "all.json"))
    path.write_text(f'{path.read_text()}\n{options}\n{feeds}\n[[feed]]\nfile = "case.json"\nsearch = "paragraph"\n')
    private = Command(onrecord.store, onrecord.env | {"ONRECORD_ALLOW_PRIVATE": "true"})
    done = private("run", "--watches", str(path))
    assert done.code == 0, done.err
    for name in ("feeds/all.json", "case.json"):
        (item,) = json.loads((tmp_path / name).read_text())["items"]
        assert (item["external_url"], item["title"]) == (site.url("/post"), "captured: A post")
    written = (tmp_path / "feeds" / "all.atom").stat().st_mtime_ns
    assert private("run", "--watches", str(path)).code == 0
    assert (tmp_path / "feeds" / "all.atom").stat().st_mtime_ns == written
    assert [line["collections"] for line in onrecord("--json", "list").lines] == [["Case 7"]]
    assert onrecord("watch", "add", site.url("/other"), "--watches", str(path)).code == 0
    assert len(tomllib.loads(path.read_text())["feed"]) == 3, "the list keeps its feeds when it is edited"


def test_a_feed_that_cannot_be_written_is_one_line(onrecord: Command, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "watches.toml"
    (tmp_path / "taken").write_text("a file")
    text = f'[[watch]]\npage = "{site.url("/post")}"\n[[feed]]\nfile = '
    private = Command(onrecord.store, onrecord.env | {"ONRECORD_ALLOW_PRIVATE": "true"})
    path.write_text(f'{text}"taken/a.atom"\n')
    done = private("run", "--watches", str(path))
    assert done.code == 2
    assert "the feed" in done.err
    path.write_text(f'{text}"a.rss"\n')
    done = private("run", "--watches", str(path))
    assert (done.code, "feed 1" in done.err, len(done.err.splitlines())) == (2, True, 1)
