"""Captures that are exported and imported again: every command says the same of them, with and without a browser."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, Done
from tests.pipeline.cli.conftest import post
from tests.site import Site, answer, redirect

_MISSING = shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None
_ELSEWHERE = {"key", "offset", "length", "run", "document"}  # where records lie, which is another place there
WALL = answer(
    b"<html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>"
    b"<body>Checking your browser before accessing the site</body></html>",
    status="403 Forbidden",
    headers=("cf-mitigated: challenge", "Server: cloudflare"),
)


class Both:
    """An archive, and the one into which its export was imported."""

    def __init__(self, ours: Command, theirs: Command) -> None:
        self.ours, self.theirs = ours, theirs

    def same(self, *arguments: str) -> Done:
        """Return what both archives answer to the same command."""
        ours, theirs = self.ours("--json", *arguments), self.theirs("--json", *arguments)
        assert (_said(theirs), theirs.code) == (_said(ours), ours.code), arguments
        return ours


def _said(done: Done) -> list[Any]:
    return [_without_places(line) for line in done.lines] if done.code in {0, 3, 4} else [done.err]


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_places(each) for name, each in value.items() if name not in _ELSEWHERE}
    return [_without_places(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, str]:
    folder = tmp_path_factory.mktemp("ours")
    made = Command.at(folder / "store", folder / "home")
    with Site() as site:
        site.answers |= {
            "/post": post("A post", "The first version of it, about lanterns."),
            "/gone": post("Soon gone", "It is here, about lanterns."),
            "/moved": redirect("/there"),
            "/there": post("Where it led", "The page that a redirect led to, about harpoons."),
            "/wall": WALL,
            "/empty": answer(b"", kind="application/pdf"),
            "/same": post("The same", "It never changes, about lanterns.").replace(b"\r\n", b'\r\nETag: "x"\r\n', 1),
        }
        addresses = [site.url(path) for path in site.answers]
        made.capture(*addresses)
        made.next_second()
        site.answers["/post"] = post("A post", "The second version of it, about harpoons.")
        site.answers["/gone"] = answer(b"<html><title>Not found</title><p>404</p></html>", status="404 Not Found")
        made.capture(*addresses)
        return made, site.url("")


def brought(onrecord: Command, folder: Path, *asked: str, kind: str = "wacz") -> Both:
    file = folder / f"all.{kind}"
    assert onrecord("export", str(file), *asked).code == 0
    theirs = Command.at(folder / "theirs", folder / "home")
    done = theirs("--json", "import", str(file))
    assert done.code == 0, done.err + done.out
    return Both(onrecord, theirs)


def answers(both: Both, base: str, paths: list[str]) -> None:
    """Compare the answers of every command that shows pages."""
    assert len(both.same("snapshots", f"{base}/", "--match", "host").lines) >= len(paths)
    for path in paths:
        url = f"{base}{path}"
        found = both.same("snapshots", url).lines
        both.same("get", url)
        both.same("diff", url)
        for line in found:
            both.same("get", url, "--at", str(line["timestamp"]))
    for words in ("lanterns", "harpoons", "title:post"):
        both.same("search", words)


@pytest.mark.full
@pytest.mark.parametrize("kind", ["wacz", "warc.gz"])
def test_every_command_says_the_same_of_what_was_exported_and_imported(
    kind: str, ours: tuple[Command, str], tmp_path: Path
) -> None:
    onrecord, base = ours
    both = brought(onrecord, tmp_path, kind=kind)
    answers(both, base, ["/post", "/gone", "/moved", "/there", "/wall", "/empty", "/same"])
    assert len(both.same("search", "harpoons").lines) == 2


@pytest.mark.parametrize("kind", ["wacz", pytest.param("warc.gz", marks=pytest.mark.full)])
def test_the_export_of_one_url_holds_what_it_led_to(kind: str, ours: tuple[Command, str], tmp_path: Path) -> None:
    onrecord, base = ours
    both = brought(onrecord, tmp_path, "--url", f"{base}/moved", kind=kind)
    both.same("snapshots", f"{base}/moved")
    both.same("get", f"{base}/moved")
    both.same("get", f"{base}/there")


# With a browser


def drawn(text: str) -> bytes:
    script = f"document.body.innerHTML = '<article><h1>Drawn</h1>' + {json.dumps(f'<p>{text}</p>' * 3)} + '</article>'"
    return answer(script.encode(), kind="text/javascript")


@pytest.mark.full
@pytest.mark.skipif(_MISSING, reason="needs chromium and playwright")
@pytest.mark.parametrize("asked", ["all", "url"])
def test_a_page_that_scripts_draw_has_its_texts_after_a_round_trip(asked: str, tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    with Site() as site:
        site.answers["/drawn"] = answer(b"<html><title>Drawn</title><body><script src=/draw.js></script></body></html>")
        for text in (
            "The first text, about lanterns that the pilots hung.",
            "The second, about harpoons and the sand.",
        ):
            site.answers["/draw.js"] = drawn(text)
            done = onrecord.capture(site.url("/drawn"), extra=("--browser", "--settle", "2"))
            assert done.code == 0, done.err
            onrecord.next_second()
        url = site.url("/drawn")
    both = brought(onrecord, tmp_path, *(["--url", url] if asked == "url" else []))
    first, second = both.same("snapshots", url).lines
    assert second["revisit"]
    texts = [both.same("get", url, "--at", each["timestamp"]).lines[0]["text"] for each in (first, second)]
    assert ["lanterns" in text for text in texts] == [True, False]
    assert ["harpoons" in text for text in texts] == [False, True]
    for arguments in (("get", url), ("diff", url), ("search", "lanterns"), ("search", "harpoons")):
        both.same(*arguments)
    for form in ("urn:dom:", "urn:fullPageFinal:"):
        assert len(both.same("snapshots", form + url).lines) == 2
