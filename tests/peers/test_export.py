"""What is exported, in the hands of those who read it: `wacz validate` and ReplayWeb.page."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.peers.conftest import there
from tests.site import Handler, Site, Talk, answer

pytestmark = pytest.mark.full

PAGE = """<html lang=en><head><title>{title}</title><link rel=stylesheet href=/style.css></head>
<body><article><h1>{title}</h1>
<p id=text>{text} It is a long paragraph, so that it is taken for one, and it says the same thing more than once.</p>
<p>A second paragraph of the same kind follows it.</p><img id=picture src=/picture.svg></article></body></html>"""
# What ReplayWeb.page's worker has noted of a file it loaded: what it expected, and whether that matched.
VERIFICATION = """name => new Promise(done => {
  const asked = indexedDB.open(name);
  asked.onsuccess = () => {
    const all = asked.result.transaction("verification").objectStore("verification").getAll();
    all.onsuccess = () => { asked.result.close(); done(all.result); };
  };
})"""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="30" fill="teal"/></svg>'


def ranged(data: bytes) -> Handler:
    """Answers with the range that was asked for, as ReplayWeb.page needs it."""

    async def handler(talk: Talk) -> None:
        asked = re.search(rb"(?i)range: bytes=(\d*)-(\d*)", talk.request)
        if asked is None:
            await talk.send(answer(data, kind="application/wacz", headers=("Accept-Ranges: bytes",)))
            return
        low, high = (int(text) if text else None for text in asked.groups())
        start = len(data) - (high or 0) if low is None else low
        end = len(data) - 1 if low is None or high is None else min(high, len(data) - 1)
        about = f"Content-Range: bytes {start}-{end}/{len(data)}"
        await talk.send(answer(data[start : end + 1], status="206 Partial", kind="application/wacz", headers=(about,)))

    return handler


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {
            "/post": answer(PAGE.format(title="A post", text="The first version.").encode()),
            "/style.css": answer(b"#text { color: rgb(1, 2, 3) }", kind="text/css"),
            "/picture.svg": answer(SVG, kind="image/svg+xml"),
        }
        yield running


def captured_twice(onrecord: Command, site: Site, tmp_path: Path) -> Path:
    """A WACZ of two captures of a page, whose requisites are revisits the second time."""
    onrecord.capture(site.url("/post"))
    onrecord.next_second()
    site.answers["/post"] = answer(PAGE.format(title="A post", text="The second version.").encode())
    onrecord.capture(site.url("/post"))
    file = tmp_path / "page.wacz"
    done = onrecord("export", str(file), "--url", site.url("/post"))
    assert done.code == 0, done.err
    return file


def test_wacz_validate_finds_nothing(onrecord: Command, site: Site, tmp_path: Path) -> None:
    wacz = there("bin/wacz")
    file = captured_twice(onrecord, site, tmp_path)
    whole = tmp_path / "whole.wacz"
    assert onrecord("export", str(whole)).code == 0
    for each in (file, whole):
        done = subprocess.run([wacz, "validate", "-f", each], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "not valid" not in done.stdout.lower()


@pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)
def test_replayweb_page_replays_it_and_asks_for_nothing_else(onrecord: Command, site: Site, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    ui, worker = there("package/ui.js"), there("package/sw.js")
    file = captured_twice(onrecord, site, tmp_path)
    stamps = [line["timestamp"] for line in onrecord("--json", "snapshots", site.url("/post")).lines]
    live = len(site.requests)
    with Site() as host, sync_playwright() as playwright:
        host.answers |= {
            "/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/replay/sw.js": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/sw.js?serveIndex=1": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/page.wacz": ranged(file.read_bytes()),
        }
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for stamp, text in zip(stamps, ("The first version.", "The second version."), strict=True):
            digits = "".join(filter(str.isdigit, stamp))
            shell = (
                f'<script src="/ui.js"></script><replay-web-page embed="replayonly" replayBase="/replay/" '
                f'source="{host.url("/page.wacz")}" url="{site.url("/post")}" ts="{digits}"></replay-web-page>'
            )
            host.answers["/"] = answer(shell.encode())
            page = chromium.new_page()
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto(host.url("/"))
            shown = page.frame_locator("replay-web-page iframe").frame_locator("iframe")
            assert text in shown.locator("#text").inner_text(timeout=120_000)
            color = shown.locator("#text").evaluate("each => getComputedStyle(each).color")
            assert color == "rgb(1, 2, 3)", "the style sheet is replayed"
            assert shown.locator("#picture").evaluate("each => each.naturalWidth") == 40
            assert all(url.startswith((host.url("/"), "blob:", "data:", "about:")) for url in asked), asked
            page.close()
        chromium.close()
    assert len(site.requests) == live, "nobody asked the live site"


def test_other_readers_count_the_same_records(onrecord: Command, site: Site, tmp_path: Path) -> None:
    from fastwarc.warc import ArchiveIterator
    from warcio.archiveiterator import ArchiveIterator as Warcio

    onrecord.capture(site.url("/post"))
    file = tmp_path / "all.warc.gz"
    (line,) = onrecord("--json", "export", str(file)).lines
    with file.open("rb") as stream:
        ids = [record.rec_headers.get_header("WARC-Record-ID") for record in Warcio(stream)]
    with file.open("rb") as stream:
        kinds = [record.record_id for record in ArchiveIterator(stream)]
    assert ids == kinds
    held = [entry["record_id"] for entry in onrecord("--json", "snapshots", site.url("/"), "--match", "host").lines]
    assert set(held) <= set(ids)
    assert line["captures"] == len(held) == 3


@pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)
def test_replayweb_page_takes_the_signature_and_so_does_our_own_check(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    ui, worker = there("package/ui.js"), there("package/sw.js")
    onrecord.capture(site.url("/post"))
    file, damaged = tmp_path / "signed.wacz", tmp_path / "damaged.wacz"
    done = onrecord("export", str(file), "--url", site.url("/post"), "--sign")
    assert done.code == 0, done.err
    signed = onrecord("evidence", "verify", str(file))
    assert signed.code == 0, signed.out
    key = json.loads(zipfile.ZipFile(file).read("datapackage-digest.json"))["signedData"]["publicKey"]
    assert key in signed.out

    other = json.loads(zipfile.ZipFile(file).read("datapackage-digest.json"))
    signature = other["signedData"]["signature"]
    other["signedData"]["signature"] = ("B" if signature[0] == "A" else "A") + signature[1:]
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(damaged, "w") as target:
        for info in whole.infolist():
            is_digest = info.filename == "datapackage-digest.json"
            target.writestr(info, json.dumps(other) if is_digest else whole.read(info))
    refused = onrecord("evidence", "verify", str(damaged))
    assert (refused.code, "the signature does not hold" in refused.out) == (5, True)

    with Site() as host, sync_playwright() as playwright:
        host.answers |= {
            "/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/replay/sw.js": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/sw.js?serveIndex=1": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/signed.wacz": ranged(file.read_bytes()),
            "/damaged.wacz": ranged(damaged.read_bytes()),
        }
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, is_valid in (("signed", True), ("damaged", False)):
            shell = (
                f'<script src="/ui.js"></script><replay-web-page embed="replayonly" replayBase="/replay/" '
                f'coll="{name}" source="{host.url(f"/{name}.wacz")}" url="{site.url("/post")}"></replay-web-page>'
            )
            host.answers["/"] = answer(shell.encode())
            page = chromium.new_page()
            page.goto(host.url("/"))
            shown = page.frame_locator("replay-web-page iframe").frame_locator("iframe")
            assert "The first version." in shown.locator("#text").inner_text(timeout=120_000)
            noted = {each["id"]: each for each in page.frames[1].evaluate(VERIFICATION, f"db:{name}")}
            assert noted["signature"]["matched"] is is_valid
            assert noted["publicKey"]["expected"] == key
            page.close()
        chromium.close()
