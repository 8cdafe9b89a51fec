"""What scripts post, answered from the archive by those who replay it: ReplayWeb.page and pywb."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.peers.conftest import there
from tests.peers.test_export import ranged
from tests.peers.test_serve import _listens
from tests.servers import free_ports
from tests.site import Site, Talk, answer
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
        reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
    ),
]

PAGE = """<!doctype html><title>Posts</title><p id=out></p><script>
const form = {'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8'};
const json = {'Content-Type': 'application/json'};
const graph = name => fetch('/graphql', {method: 'POST', headers: json, body: JSON.stringify(
  {operationName: name, query: `query ${name} { post(id: "1") { title } }`, variables: {id: 1.0, draft: false}})});
const more = page => fetch('/wp-admin/admin-ajax.php', {method: 'POST', headers: form,
  body: 'action=more+posts&page=' + page + '&word=caf%C3%A9'});
const parts = new FormData(); parts.append('name', 'value');
(async () => {
  for (const asked of [() => graph('First'), () => graph('Second'), () => more(1), () => more(2),
      () => fetch('/old', {method: 'POST', headers: form, body: 'a=1'}),
      () => fetch('/form', {method: 'POST', body: parts})])
    out.textContent += await (await asked()).text() + '; ';
  document.title = 'done';
})();
</script>"""
SHOWN = "graph First; graph Second; more 1; more 2; moved a=1; form value;"


async def body_of(talk: Talk) -> bytes:
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", talk.request)
    return await talk.reader.readexactly(int(length[1])) if length else b""


async def graph(talk: Talk) -> None:
    name = re.search(rb'"operationName":"(\w+)"', await body_of(talk))
    await talk.send(answer(b"graph " + (name[1] if name else b"nothing"), kind="application/json"))


async def more(talk: Talk) -> None:
    page = re.search(rb"page=(\d)", await body_of(talk))
    await talk.send(answer(b"more " + (page[1] if page else b"nothing")))


async def form(talk: Talk) -> None:
    await talk.send(answer(b"form value" if b"\r\n\r\nvalue\r\n" in await body_of(talk) else b"nothing"))


async def old(talk: Talk) -> None:
    await body_of(talk)
    await talk.send(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n")


async def moved(talk: Talk) -> None:
    await talk.send(answer(b"moved " + await body_of(talk)))


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        running.answers |= {
            "/": answer(PAGE.encode()), "/graphql": graph, "/wp-admin/admin-ajax.php": more, "/form": form,
            "/old": old, "/new": moved,
        }  # fmt: skip
        yield running


@pytest.fixture
def onrecord(tmp_path: Path, site: Site) -> Command:
    made = Command.at(tmp_path / "store", tmp_path / "home")
    done = made.capture(site.url("/"), extra=("--browser", "--settle", "0.5"))
    assert done.code == 0, done.err
    return made


def test_replayweb_page_answers_what_scripts_post(onrecord: Command, site: Site, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    ui, worker = there("package/ui.js"), there("package/sw.js")
    file = tmp_path / "page.wacz"
    done = onrecord("export", str(file))
    assert done.code == 0, done.err
    live = len(site.requests)
    with Site() as host, sync_playwright() as playwright:
        host.answers |= {
            "/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/replay/sw.js": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/sw.js?serveIndex=1": answer(worker.read_bytes(), kind="text/javascript"),
            "/replay/ui.js": answer(ui.read_bytes(), kind="text/javascript"),
            "/page.wacz": ranged(file.read_bytes()),
            "/": answer(
                f'<script src="/ui.js"></script><replay-web-page embed="replayonly" replayBase="/replay/" '
                f'source="/page.wacz" url="{site.url("/")}"></replay-web-page>'.encode()
            ),
        }
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(host.url("/"))
        out = page.frame_locator("replay-web-page iframe").frame_locator("iframe").locator("#out")
        out.filter(has_text="form").wait_for(timeout=60_000)
        assert out.inner_text() == SHOWN
        chromium.close()
    assert len(site.requests) == live


def test_pywb_answers_what_scripts_post(onrecord: Command, site: Site, tmp_path: Path) -> None:
    """pywb reads the index of the exported file; by a remote index it asks for the address alone."""
    manager, wayback = there("bin/wb-manager"), there("bin/wayback")
    file, folder = tmp_path / "page.wacz", tmp_path / "pywb"
    done = onrecord("export", str(file))
    assert done.code == 0, done.err
    folder.mkdir()
    for words in (["init", "all"], ["add", "--unpack-wacz", "all", str(file)]):
        subprocess.run([manager, *words], cwd=folder, check=True, capture_output=True, timeout=120)
    (port,) = free_ports(1)
    live = len(site.requests)
    with (tmp_path / "log").open("w") as log:
        pywb = subprocess.Popen([wayback, "-p", str(port), "-b", "127.0.0.1"], cwd=folder, stdout=log, stderr=log)
        try:
            wait_for(lambda: pywb.poll() is not None or _listens(port))

            def post(path: str, body: str, kind: str) -> str:
                url = f"http://127.0.0.1:{port}/all/2026id_/{site.url(path)}"
                request = urllib.request.Request(url, body.encode(), {"Content-Type": kind})
                with urllib.request.urlopen(request, timeout=30) as reply:
                    data: bytes = reply.read()
                return data.decode()

            for name in ("First", "Second"):
                query = f'{{"operationName":"{name}","query":"query {name} {{ post(id: \\"1\\") {{ title }} }}",'
                query += '"variables":{"id":1,"draft":false}}'
                assert post("/graphql", query, "application/json") == f"graph {name}"
            ajax, kind = "/wp-admin/admin-ajax.php", "application/x-www-form-urlencoded"
            for page in (1, 2):
                assert post(ajax, f"action=more+posts&page={page}&word=caf%C3%A9", kind) == f"more {page}"
            assert post("/new", "a=1", kind) == "moved a=1"
            with pytest.raises(urllib.error.HTTPError, match="307"):
                post("/old", "a=1", kind)
            with pytest.raises(urllib.error.HTTPError, match="404"):
                post("/nothing", "action=other", kind)
        finally:
            pywb.terminate()
            pywb.wait(timeout=30)
    assert len(site.requests) == live, "nobody asked the live site"
