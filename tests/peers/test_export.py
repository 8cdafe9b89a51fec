"""What is exported, in the hands of those who read it: `wacz validate` and ReplayWeb.page."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.peers.conftest import there
from tests.peers.replayweb import NEEDS_CHROMIUM, player
from tests.site import Site, answer

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


@NEEDS_CHROMIUM
def test_replayweb_page_replays_it_and_asks_for_nothing_else(onrecord: Command, site: Site, tmp_path: Path) -> None:
    file = captured_twice(onrecord, site, tmp_path)
    stamps = [line["timestamp"] for line in onrecord("--json", "snapshots", site.url("/post")).lines]
    live = len(site.requests)
    with player({"/page.wacz": file}) as replay:
        for stamp, text in zip(stamps, ("The first version.", "The second version."), strict=True):
            digits = "".join(filter(str.isdigit, stamp))
            asked: list[str] = []
            with replay.showing("/page.wacz", site.url("/post"), asked, ts=digits) as (_, shown):
                assert text in shown.locator("#text").inner_text()
                color = shown.locator("#text").evaluate("each => getComputedStyle(each).color")
                assert color == "rgb(1, 2, 3)", "the style sheet is replayed"
                assert shown.locator("#picture").evaluate("each => each.naturalWidth") == 40
            assert all(url.startswith((replay.origin, "blob:", "data:", "about:")) for url in asked), asked
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


@NEEDS_CHROMIUM
def test_replayweb_page_takes_the_signature_and_so_does_our_own_check(
    onrecord: Command, site: Site, tmp_path: Path
) -> None:
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

    with player({"/signed.wacz": file, "/damaged.wacz": damaged}) as replay:
        for name, is_valid in (("signed", True), ("damaged", False)):
            with replay.showing(f"/{name}.wacz", site.url("/post"), coll=name) as (page, shown):
                assert "The first version." in shown.locator("#text").inner_text()
                noted = {each["id"]: each for each in page.frames[1].evaluate(VERIFICATION, f"db:{name}")}
                assert noted["signature"]["matched"] is is_valid
                assert noted["publicKey"]["expected"] == key
