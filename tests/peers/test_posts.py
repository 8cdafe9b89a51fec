"""What scripts post, answered from the archive by those who replay it: ReplayWeb.page and pywb."""

from __future__ import annotations

import asyncio
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.peers.conftest import there
from tests.peers.replayweb import NEEDS_CHROMIUM, player
from tests.peers.test_serve import _listens
from tests.servers import free_ports
from tests.site import Site, Talk, answer
from tests.waiting import wait_for

pytestmark = [pytest.mark.full, NEEDS_CHROMIUM]

PAGE = """<!doctype html><title>Posts</title><p id=out></p><img src=/held><script>
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
        posted = asyncio.Event()

        async def last(talk: Talk) -> None:
            await form(talk)
            posted.set()

        async def held(talk: Talk) -> None:
            """Come last, so that the page has not loaded before its scripts have posted everything."""
            await posted.wait()
            await talk.send(answer(b"", status="204 No Content"))

        running.answers |= {
            "/": answer(PAGE.encode()), "/graphql": graph, "/wp-admin/admin-ajax.php": more, "/form": last,
            "/old": old, "/new": moved, "/held": held,
        }  # fmt: skip
        yield running


@pytest.fixture
def onrecord(tmp_path: Path, site: Site) -> Command:
    made = Command.at(tmp_path / "store", tmp_path / "home")
    patient = ("--page-limit", "300", "--timeout", "300", "--low-speed", "0")
    done = made.capture(site.url("/"), extra=("--browser", *patient))
    assert done.code == 0, done.err
    return made


def test_replayweb_page_answers_what_scripts_post(onrecord: Command, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "page.wacz"
    done = onrecord("export", str(file))
    assert done.code == 0, done.err
    live = len(site.requests)
    with player({"/page.wacz": file}) as replay, replay.showing("/page.wacz", site.url("/")) as (_, shown):
        out = shown.locator("#out")
        out.filter(has_text="form").wait_for()
        assert out.inner_text() == SHOWN
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
