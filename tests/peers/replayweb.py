"""ReplayWeb.page, on a site of its own beside the files that it shows."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import Chromium, started
from tests.peers.conftest import there
from tests.site import Handler, Site, Talk, answer

NEEDS_CHROMIUM = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)

# What the worker answers for the frame: the frame may be asked for before the worker is there to answer.
_FRAME = b"<!doctype html><html><head><script src=./ui.js></script></head><body><replay-app-main></replay-app-main>"


class Player:
    """A page of ReplayWeb.page per snapshot; whatever is waited for may take as long as `tests.chromium` says."""

    def __init__(self, site: Site, chromium: Chromium) -> None:
        self._site, self._chromium = site, chromium
        self.origin = site.url("/")

    @contextmanager
    def showing(
        self, file: str, url: str, asked: list[str] | None = None, **attributes: str
    ) -> Iterator[tuple[Any, Any]]:
        """Yield the page, and the frame in which the snapshot is shown; requests are noted in `asked`."""
        more = "".join(f' {name}="{value}"' for name, value in attributes.items())
        self._site.answers["/"] = answer(
            f'<script src="/ui.js"></script><replay-web-page embed="replayonly" replayBase="/replay/" '
            f'source="{self._site.url(file)}" url="{url}"{more}></replay-web-page>'.encode()
        )
        page = self._chromium.new_page()
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        page.goto(self.origin)
        yield page, page.frame_locator("replay-web-page iframe").frame_locator("iframe")
        page.close()


@contextmanager
def player(files: Mapping[str, Path]) -> Iterator[Player]:
    """Serve the files and ReplayWeb.page, and start a browser."""
    ui, worker = there("package/ui.js"), there("package/sw.js")
    script = {kind: answer(each.read_bytes(), kind="text/javascript") for kind, each in (("ui", ui), ("sw", worker))}
    with Site() as site, started() as chromium:
        site.answers |= {"/ui.js": script["ui"], "/replay/ui.js": script["ui"]}
        site.answers |= {"/replay/sw.js": script["sw"], "/replay/sw.js?serveIndex=1": script["sw"]}
        site.answers["/replay/?*"] = answer(_FRAME)
        site.answers |= {path: ranged(file.read_bytes()) for path, file in files.items()}
        yield Player(site, chromium)


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
