"""`onrecord export FILE.html`: one page as one file, with what it needs, without scripts, asking nobody."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from lxml import html

from tests.chromium import started
from tests.command import Command
from tests.pipeline.web.pages.library import PNG
from tests.pipeline.web.pages.test_browser_pages import no_browser
from tests.site import Site, answer

LONG = "It is a long paragraph, so that it is taken for one, and it says the same thing more than once. "
PAGE = f"""<!DOCTYPE html><html lang=en><head><title>One</title><base href="/deep/">
<meta http-equiv=refresh content="99; url=/elsewhere"><link rel=stylesheet href=../a.css>
<script src=/s.js></script></head>
<body onload="x()"><p>{LONG * 3}</p><img id=kept src=../i.png srcset="../i.png 1x"><img id=lost src=../lost.png>
<div style="background:url(../i.png)"></div><iframe src=../frame></iframe><svg><image href="../i.png"/></svg>
<a id=on href="../two?a=b&amp;c#part">on</a><a id=bad href="javascript:x()">bad</a><a id=in href="#part">in</a>
<form action=../post><input name=q></form><script>document.title = "ran"</script></body></html>"""


@pytest.fixture
def paper(site: Site) -> Site:
    frame = "<p>A frame.</p><script>parent.ran = 1</script><img src=/i.png>"
    site.answers |= {
        "/one": answer(PAGE.encode()),
        "/a.css": answer(b"@import 'b.css'; body { background: url(i.png) } @import url(a.css);", kind="text/css"),
        "/b.css": answer(b"p { color: rgb(1, 2, 3) }", kind="text/css"),
        "/i.png": answer(PNG, kind="image/png"),
        "/frame": answer(frame.encode()),
        "/s.js": answer(b"document.title = 'ran'", kind="text/javascript"),
    }
    return site


def _decoded(address: str) -> str:
    head, _, data = address.partition(",")
    assert head.startswith("data:"), head
    return base64.b64decode(data).decode("utf-8", "replace")


def test_a_page_is_one_file_that_asks_nobody(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    captured = onrecord.capture(paper.url("/one")).lines
    file = tmp_path / "one.html"
    done = onrecord("--json", "export", str(file), "--url", paper.url("/one"))
    assert done.code == 0, done.err
    (line,) = done.lines
    assert line["missing"] == [paper.url("/lost.png")]
    text = file.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html><meta charset")
    tree = html.fromstring(text)
    assert "default-src 'none'" in tree.xpath("//meta[@http-equiv]/@content")[0]
    assert len(tree.xpath("//meta[@http-equiv]")) == 1
    assert tree.xpath("//meta[@name='onrecord-record']/@content") == [captured[0]["record_id"]]
    assert not tree.xpath("//script | //base | //@onload | //@action")
    fetched = tree.xpath("//@src | //link/@href | //image/@href")
    assert len(fetched) == 4
    assert all(each.startswith("data:") for each in fetched)
    (sheet,) = tree.xpath("//link[@rel='stylesheet']/@href")
    imported = _decoded(sheet).partition("data:text/css")[2].partition('"')[0]
    assert "rgb(1, 2, 3)" in _decoded(f"data:text/css{imported}")
    assert paper.url("") not in _decoded(sheet)
    (frame,) = tree.xpath("//iframe/@src")
    assert "A frame." in _decoded(frame)
    assert "<script" not in _decoded(frame)
    assert [tree.get_element_by_id(name).get("href") for name in ("on", "bad", "in")] == [
        paper.url("/two?a=b&c#part"), "#", "#part",
    ]  # fmt: skip


def test_it_is_of_the_time_that_is_named_and_without_what_is_withheld(
    onrecord: Command, paper: Site, tmp_path: Path
) -> None:
    first = onrecord.capture(paper.url("/one")).lines[0]
    paper.answers["/one"] = answer(PAGE.replace("the same thing", "another thing").encode())
    onrecord.next_second()
    onrecord.capture(paper.url("/one"))
    onrecord("withhold", "add", paper.url("/i.png"))
    export = ("export", str(tmp_path / "a.html"), "--overwrite", "--url", paper.url("/one"))
    newest = onrecord(*export)
    assert "another thing" in (tmp_path / "a.html").read_text()
    assert "1 file that the page needs withheld" in newest.err
    assert base64.b64encode(PNG).decode() not in (tmp_path / "a.html").read_text()
    assert onrecord(*export, "--at", first["timestamp"]).code == 0
    assert "another thing" not in (tmp_path / "a.html").read_text()
    onrecord("withhold", "add", paper.url("/one"))
    assert onrecord(*export).code == 4


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a.html",), 2),
        (("a.html", "--url", "/one", "--sign"), 2),
        (("a.html", "--url", "/one", "--match", "host"), 2),
        (("a.wacz", "--url", "/one", "--at", "2026"), 2),
        (("a.html", "--url", "/i.png"), 2),
        (("a.html", "--url", "/never"), 4),
    ],
)
def test_what_is_no_page_is_one_line(
    onrecord: Command, paper: Site, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    onrecord.capture(paper.url("/one"))
    given = [paper.url(each) if each.startswith("/") else each for each in arguments[1:]]
    done = onrecord("export", str(tmp_path / arguments[0]), *given)
    assert (done.code, len(done.err.splitlines())) == (code, 1), done.err
    assert not list(tmp_path.glob("*.html"))


@no_browser
@pytest.mark.full
def test_a_browser_shows_it_and_asks_nobody(onrecord: Command, paper: Site, tmp_path: Path) -> None:
    onrecord.capture(paper.url("/one"))
    file = tmp_path / "one.html"
    onrecord("export", str(file), "--url", paper.url("/one"))
    requests = len(paper.requests)
    asked: list[str] = []
    with started() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri(), wait_until="load")
        assert page.evaluate("document.title") == "One"
        assert page.evaluate("document.compatMode") == "CSS1Compat"
        assert page.evaluate("document.getElementById('kept').naturalWidth") == 1
        assert page.evaluate("getComputedStyle(document.querySelector('p')).color") == "rgb(1, 2, 3)"
        assert json.dumps(page.evaluate("window.ran || null")) == "null"
        page.frames[1].wait_for_selector("p")
        assert page.frames[1].text_content("p") == "A frame."
    assert len(paper.requests) == requests
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
