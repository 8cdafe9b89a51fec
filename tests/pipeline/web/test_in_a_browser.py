"""The pages in Chromium: the way from a word to a change by keyboard alone, and a hostile capture that gets nowhere."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.chromium import started
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site, answer

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
        reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
    ),
]

EVIL = """<html><head><title>Evil</title><base href="OUTSIDE/">
<noscript><meta http-equiv=refresh content="0;url=OUTSIDE/out"></noscript>
<link rel=stylesheet href="OUTSIDE/x.css"></head>
<body><p id=text>evil harbour text, long enough to be taken for one</p>
<script>document.title = "owned"; fetch("/cdx?url=*"); navigator.serviceWorker.register("/sw.js");
top.location = "OUTSIDE/"; localStorage.x = 1; document.cookie = "a=b"; window.open("OUTSIDE/w")
</script><img src="OUTSIDE/i.png" onerror="document.title = 'owned'"><iframe src="/"></iframe>
<svg onload="document.title = 'owned'"></svg><form action="/search" id=form><input name=q></form></body></html>"""


@pytest.fixture(scope="module")
def outside() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, outside: Site) -> Iterator[tuple[str, Site]]:
    folder = tmp_path_factory.mktemp("served")
    onrecord = Command.at(folder / "store", folder / "home")
    with Site() as site:
        site.answers["/post"] = post("The harbour", "The mayor knew of it.")
        site.answers["/evil"] = answer(EVIL.replace("OUTSIDE", outside.url("")).encode())
        onrecord.capture(site.url("/post"), site.url("/evil"), extra=("--no-requisites",))
        onrecord.next_second()
        site.answers["/post"] = post("The harbour", "The mayor may have known of it.")
        onrecord.capture(site.url("/post"))
        process = onrecord.start("serve", "--port", "0")
        assert process.stderr is not None
        found = re.search(r"at (http://\S+)/", process.stderr.readline())
        assert found
        try:
            yield found[1], site
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)


def test_from_a_word_to_a_change_by_keyboard(served: tuple[str, Site]) -> None:
    base, site = served
    with started() as chromium:
        page = chromium.new_page(viewport={"width": 360, "height": 740})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{base}/")
        page.wait_for_function("document.activeElement.name === 'q'")  # the question gets the focus
        page.keyboard.type("mayor")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=mayor*")
        assert page.locator("mark").first.inner_text() == "mayor"
        page.locator("main a", has_text="harbour").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/read?**")
        assert "mayor" in page.locator("article").first.inner_text()
        page.get_by_role("link", name="Compare").first.click()
        page.wait_for_url("**/compare?**")
        assert page.locator(".difference ins").first.inner_text() == "may have known"
        assert page.locator(".difference del").first.inner_text() == "knew"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert all(url.startswith(base) for url in asked), asked
        page.goto(f"{base}/page?url={site.url('/post')}")
        frame = page.frame_locator("iframe")
        assert frame.locator("h1").inner_text() == "The harbour"
        shown = [each.url for each in page.frames if each.url.startswith("http")]
        assert len({url.split("/")[2] for url in shown}) == 2, "the captured page has an origin of its own"


def test_a_hostile_capture_gets_nowhere(served: tuple[str, Site], outside: Site) -> None:
    base, site = served
    with started() as chromium:
        context = chromium.new_context()
        page = context.new_page()
        answered: list[str] = []
        context.on("response", lambda response: answered.append(response.url))
        page.goto(f"{base}/web/2030id_/{site.url('/evil')}")
        page.wait_for_timeout(1000)
        assert page.evaluate("document.contentType") == "text/plain"
        assert "evil harbour text" in page.inner_text("body")
        assert page.url.startswith(f"{base}/web/"), "it led nowhere"
        assert len(context.pages) == 1
        assert context.cookies() == []
        assert outside.connections == 0
        others = [url for url in answered if not url.startswith(f"{base}/web/")]
        assert others in ([], [f"{base}/favicon.ico"]), others
        page.goto(f"{base}/web/2030/{site.url('/evil')}")
        assert page.url.startswith(f"{base}/page?url="), "who comes with a browser is led to the page in its sandbox"
        assert page.frame_locator("iframe").locator("#text").inner_text().startswith("evil harbour text")
        assert outside.connections == 0
