"""A page that a browser captured: its final markup first, then its picture, then what the server sent."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from lxml import html
from starlette.testclient import TestClient

from archive.model import Block, Made
from archive.runs.warc_files import RunSettings
from tests.exchanges import an_exchange
from tests.pipeline.web.pages.conftest import pages_of, replay_of
from tests.pipeline.web.pages.library import PNG, Library, at

URL = "https://drawn.example/news/item"
MARKUP = (
    b"<!DOCTYPE html><title>Drawn</title><base href='/other/'><p onclick=x()>Drawn by a script</p><img src=a.png>"
    b"<script>parent.x()</script><iframe src='https://else.example/f'></iframe><iframe src='javascript:x()'></iframe>"
)


def browsed(library: Library, *, markup: bytes | None = MARKUP, picture: bool = True) -> None:
    moment = at("2026-01-02 03:04:05")
    session = library.archive.session(RunSettings("test/1"))
    page = session.add(an_exchange(URL, b"<script src=draw.js></script>", at=moment), page=False)
    session.add(
        an_exchange("https://drawn.example/other/a.png", PNG, at=moment, head=b"Content-Type: image/png\r\n"),
        page=False,
    )
    later = moment + timedelta(seconds=3)
    if markup is not None:
        session.add_made(Made(f"urn:dom:{URL}", "text/html; charset=utf-8", Block.of(markup), later), page)
    if picture:
        session.add_made(Made(f"urn:fullPageFinal:{URL}", "image/png", Block.of(PNG), later), page)
    session.commit()
    library.archive.refresh()


def framed(pages: TestClient, **asked: str) -> tuple[str, list[str]]:
    """The address that the page frames, and the names of the forms that it offers."""
    answer = pages.get("/page", params={"url": URL} | asked)
    assert answer.status_code == 200
    tree = html.fromstring(answer.text)
    (frame,) = tree.xpath("//iframe")
    assert frame.get("sandbox") == ""
    return str(frame.get("src")), [str(each) for each in tree.xpath("//nav[@class='forms']/a/text()")]


def test_the_final_markup_is_shown_first(library: Library, tmp_path: Path) -> None:
    browsed(library)
    pages = pages_of(library, tmp_path)
    source, forms = framed(pages)
    assert forms == ["As a reader had it", "Picture", "As sent"]
    assert source.endswith(f"/20260102030408/urn:dom:{URL}")
    assert framed(pages, form="picture")[0].endswith(f"/urn:fullPageFinal:{URL}")
    assert framed(pages, form="sent")[0].endswith(f"/20260102030405/{URL}")
    assert framed(pages, form="nonsense")[0] == source


def test_without_a_browser_there_is_what_was_sent(library: Library, tmp_path: Path) -> None:
    browsed(library, markup=None, picture=False)
    source, forms = framed(pages_of(library, tmp_path))
    assert forms == []
    assert source.endswith(f"/20260102030405/{URL}")


def test_the_markup_finds_its_requisites_and_runs_nothing(library: Library, tmp_path: Path) -> None:
    browsed(library)
    replay = replay_of(library, tmp_path)
    page = replay.get(f"/20260102030408/urn:dom:{URL}")
    assert page.status_code == 200
    assert 'src="/20260102030408/https://drawn.example/other/a.png"' in page.text
    assert 'src="/20260102030408if_/https://else.example/f"' in page.text
    assert "Drawn by a script" in page.text
    for bad in ("<script", "onclick", "javascript:"):
        assert bad not in page.text
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert replay.get("/20260102030408/https://drawn.example/other/a.png").content == PNG
    assert replay.get(f"/20260102030408/urn:fullPageFinal:{URL}").headers["content-type"] == "image/png"
