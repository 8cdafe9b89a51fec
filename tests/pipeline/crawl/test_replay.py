"""What was captured is enough: with the site gone, a browser shows the pages and asks for nothing that is not kept."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

from archive.archive import Archive
from archive.errors import NoSuchSnapshot
from archive.warc.content_coding import decoded
from storage.local import LocalStore
from tests.chromium import started
from tests.command import Command
from tests.gazette import COLUMNS, REQUISITES
from tests.site import Site

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
        reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
    ),
]

# What the page shows, as far as a script can see: every picture has its size, every style its effect.
_SEEN = """() => ({
  pictures: [...document.images].map(image => image.naturalWidth),
  colour: getComputedStyle(document.body).color,
  paper: getComputedStyle(document.querySelector('article')).backgroundImage,
  frame: getComputedStyle(document.querySelector('iframe').contentDocument.querySelector('p')).fontStyle,
  read: document.documentElement.dataset.read,
  heading: document.querySelector('h1').textContent,
})"""


class Replay:
    """Answers a browser's requests from an archive, and remembers those it cannot answer."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.asked: set[str] = set()
        self.missing: set[str] = set()

    def __call__(self, route: Any) -> None:
        url = route.request.url
        self.asked.add(url)
        try:
            snapshot = self.archive.closest(url)
        except NoSuchSnapshot:
            self.missing.add(url)
            route.abort()
            return
        head, _, entity = self.archive.payload(snapshot)
        body = b"".join(decoded(entity, head.header("Content-Encoding"), 1 << 24))
        route.fulfill(status=head.status, content_type=head.header("Content-Type"), body=body)


def test_pages_replay_with_no_request_leaving_the_archive(onrecord: Command, gazette: Site, tmp_path: Path) -> None:
    for attempt in range(2):  # the second run holds nothing but revisits, and replays all the same
        done = onrecord("capture", "--allow-private", "--delay", "0", "--feed", gazette.url("/feed.atom"))
        assert done.code == 0, done.err
        if not attempt:
            onrecord.next_second()
    gazette.answers.clear()
    replay = Replay(Archive(LocalStore(Path(onrecord.store)), spool=tmp_path / "spool"))
    arguments = ["--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>"]
    gazette.requests.clear()
    with started(*arguments) as chromium:
        for width in (600, 1200):
            page = chromium.new_page(viewport={"width": width, "height": 900}, device_scale_factor=width / 600)
            page.route("**/*", replay)
            for path in COLUMNS[::6]:
                page.goto(gazette.url(path), wait_until="networkidle")
                seen = page.evaluate(_SEEN)
                assert seen["heading"].startswith("Column ")
                assert all(seen["pictures"]), seen
                assert seen["colour"] == "rgb(17, 34, 51)"
                assert seen["paper"].endswith('/style/deep/paper.png")')
                assert seen["frame"] == "italic"
                assert seen["read"] == "yes"
    assert replay.missing == set()
    assert gazette.requests == [], "nobody asked the site itself"
    needed = {url.removeprefix(gazette.url("").rstrip("/")) for url in replay.asked}
    assert needed >= {"/img/lead-2x.png", "/img/wide.png", "/img/narrow.png", "/style/type.css", "/frame/ruling.css"}
    assert needed <= {*COLUMNS, *REQUISITES}
