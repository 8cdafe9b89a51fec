"""Pages that scripts draw, from the command to the text: visited, kept, read, and made again."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.gazette import png
from tests.pipeline.capture.http.test_refresh import TARGET, leading
from tests.pipeline.extract.test_text_guard import SENTENCES
from tests.proxies import TestProxy
from tests.site import Site, answer

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)

_SENTENCES = " ".join(
    f"Sentence {number} of the essay was drawn by a script, and says that the harbour court sat again."
    for number in range(9)
)
DRAWN = """<!doctype html><html lang="en"><head><title>Drawn</title></head><body><div id="root"></div><script>
fetch('/api/essay.json').then(answer => answer.json()).then(essay => {
  const article = document.createElement('article');
  article.innerHTML = '<h1>Drawn by hand</h1><p>' + essay.text + '</p><img src="/img/late.png">';
  document.getElementById('root').append(article);
});
</script></body></html>"""


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {
            "/drawn": answer(DRAWN.encode()),
            "/api/essay.json": answer(json.dumps({"text": _SENTENCES}).encode(), kind="application/json"),
            "/img/late.png": answer(png(9, 9, 9), kind="image/png"),
            "/linked": answer(b'<title>Linked</title><p><a href="/drawn">An essay</a></p>'),
        }
        yield running


def capture(onrecord: Command, *arguments: str) -> list[dict[str, object]]:
    done = onrecord("--json", "capture", "--allow-private", "--delay", "0", "--settle", "2", *arguments)
    assert done.code == 0, done.err
    return done.lines


@pytest.mark.full
def test_empty_without_the_browser_and_whole_with_it(onrecord: Command, site: Site) -> None:
    plain = onrecord("--json", "capture", "--allow-private", "--delay", "0", site.url("/drawn"))
    assert (plain.code, plain.lines[0]["outcome"]) == (3, "needs-scripts")
    assert "Sentence 3" not in onrecord("get", site.url("/drawn")).out
    assert "/api/essay.json" not in site.paths
    onrecord.next_second()
    lines = capture(onrecord, "--browser", site.url("/drawn"))
    told = {str(line["url"]).removeprefix(site.url("").rstrip("/")): line for line in lines}
    assert told.keys() >= {"/drawn", "/api/essay.json", "/img/late.png"}
    assert told["/api/essay.json"]["role"] == "requisite"
    text = onrecord("get", site.url("/drawn")).out
    assert "Sentence 3 of the essay was drawn by a script" in text
    (document,) = onrecord("--json", "get", site.url("/drawn")).lines
    picture = onrecord(
        "get", f"urn:fullPageFinal:{site.url('/drawn')}", "--format", "html", "-o", onrecord.store + ".png"
    )
    assert picture.code == 0, picture.err
    assert Path(onrecord.store + ".png").read_bytes().startswith(b"\x89PNG")
    dom = onrecord("get", f"urn:dom:{site.url('/drawn')}", "--format", "html").out
    assert "<h1>Drawn by hand</h1>" in dom
    assert document["record_id"] == told["/drawn"]["record_id"]
    assert onrecord("verify", "--deep").code == 0
    again = onrecord("--json", "extract", "--force")
    assert again.code == 0, again.err
    assert onrecord("get", site.url("/drawn")).out == text


@pytest.mark.full
def test_the_picture_and_the_print_are_had_by_the_address(onrecord: Command, site: Site, tmp_path: Path) -> None:
    site.answers["/file"] = answer(b"%PDF-1.4 a file", kind="application/pdf")
    capture(onrecord, "--browser", "--pdf", site.url("/drawn"))
    for form, begins in (("png", b"\x89PNG"), ("pdf", b"%PDF-")):
        done = onrecord("get", site.url("/drawn"), "--format", form, "-o", str(tmp_path / form))
        assert done.code == 0, done.err
        assert (tmp_path / form).read_bytes().startswith(begins)
    onrecord("capture", "--allow-private", "--delay", "0", site.url("/file"))
    onrecord("get", site.url("/file"), "--format", "pdf", "-o", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"%PDF-1.4 a file"
    lacking = onrecord("get", site.url("/file"), "--format", "png")
    assert (lacking.code, "--browser" in lacking.err) == (4, True), lacking.err


@pytest.mark.full
def test_links_are_followed_in_the_browser_too(onrecord: Command, site: Site) -> None:
    lines = capture(onrecord, "--browser", "--depth", "1", site.url("/linked"))
    titles = {line["title"] for line in lines if not line.get("role")}
    assert titles == {"Linked", "Drawn by hand"}
    assert "/robots.txt" in site.paths


def test_without_a_browser_one_line_says_what_to_install(onrecord: Command, site: Site) -> None:
    poor = Command(onrecord.store, onrecord.env | {"ONRECORD_CHROMIUM": "/nowhere/chromium"})
    done = poor("capture", "--allow-private", "--browser", site.url("/drawn"))
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "chromium" in done.err


@pytest.mark.full
@pytest.mark.parametrize("credentials", ["mask", "record"])
def test_what_a_cookie_says_is_written_only_when_that_is_asked_for(
    credentials: str, onrecord: Command, site: Site
) -> None:
    site.answers["/"] = answer(b"<script>fetch('/again')</script><p>Welcome.</p>", headers=("Set-Cookie: id=s3cr3t",))
    site.answers["/again"] = answer(b"Again.", kind="text/plain", headers=("Set-Cookie: id=n3w; Path=/",))
    capture(onrecord, "--browser", "--credentials", credentials, site.url("/"))
    assert any(b"Cookie: id=s3cr3t" in raw for raw in site.raw_requests), "the page is shown as to anybody"
    (warc,) = Path(onrecord.store).glob("runs/*/archive/00000.warc.gz")
    written = gzip.decompress(warc.read_bytes())
    asked, answered = (b"id=******", b"id=***; Path=/") if credentials == "mask" else (b"id=s3cr3t", b"id=n3w; Path=/")
    assert b"\r\nCookie: " + asked + b"\r\n" in written
    assert b"\r\nSet-Cookie: " + answered + b"\r\n" in written
    assert f'onrecord-credentials: "{credentials}"'.encode() in written
    assert onrecord("verify").code == 0


@pytest.mark.full
def test_an_edit_by_script_is_one_and_a_look_without_the_browser_is_none(onrecord: Command, site: Site) -> None:
    said = [capture(onrecord, "--browser", site.url("/drawn"))]
    onrecord.next_second()
    edited = {"text": _SENTENCES.replace("drawn", "withdrawn")}
    site.answers["/api/essay.json"] = answer(json.dumps(edited).encode(), kind="application/json")
    said.append(capture(onrecord, "--browser", site.url("/drawn")))
    onrecord.next_second()
    plain = onrecord("--json", "capture", "--allow-private", "--delay", "0", site.url("/drawn"))
    assert (plain.code, plain.lines[0]["outcome"], plain.lines[0]["revisit"]) == (3, "needs-scripts", True)
    said.append(plain.lines)  # type: ignore[arg-type]
    states = [next(line["state"] for line in lines if line["url"] == site.url("/drawn")) for lines in said]
    kept = [line["state"] for line in onrecord("--json", "snapshots", site.url("/drawn")).lines]
    assert states == kept == ["new", "edited", "text-incomplete"]
    assert "withdrawn by a script" in onrecord("get", site.url("/drawn")).out


@pytest.mark.full
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_the_browser_goes_by_the_proxy_too(onrecord: Command, site: Site, scheme: str) -> None:
    """The names are known to the proxy alone: who asked a resolver for them would get no page."""
    names = {"gazette.example.org": (site.host, site.port)}
    with TestProxy(names, ("ada", "open sesame")).running() as proxy:
        way = f"{scheme}://ada:open%20sesame@127.0.0.1:{proxy.port}"
        done = onrecord(
            "--json", "capture", "--browser", "--delay", "0", "--proxy", way, "http://gazette.example.org/drawn"
        )
        assert done.code == 0, done.err
    got = {str(line["url"]) for line in done.lines}
    assert got >= {f"http://gazette.example.org{path}" for path in ("/drawn", "/api/essay.json", "/img/late.png")}
    assert {target.partition("://")[2].partition("/")[0] or target for _, target in proxy.asked} <= {
        "gazette.example.org", "gazette.example.org:80",
    }  # fmt: skip
    assert "Sentence 3 of the essay was drawn by a script" in onrecord("get", "http://gazette.example.org/drawn").out


@pytest.mark.full
def test_a_refresh_that_takes_some_seconds_is_waited_for(onrecord: Command, site: Site) -> None:
    site.answers |= {"/opening": leading("5;url=/target"), "/target": TARGET}
    capture(onrecord, "--browser", site.url("/opening"))
    assert SENTENCES[1] in onrecord("get", site.url("/opening")).out
