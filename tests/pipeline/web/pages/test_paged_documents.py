"""PDF captures in the reader: pictures of pages beside the text, a hit on its page, and nothing but PNG given out."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from starlette.testclient import TestClient

from archive.access.rules import Rule
from archive.errors import EntityError
from pipeline.extract.article import read
from pipeline.extract.pdf.picture import drawn
from pipeline.extract.pdf.picture_task import SIGNATURE, PictureTask
from pipeline.extract.tasks import Page
from pipeline.web.common.archive_reader import Reading
from pipeline.web.common.page_pictures import PagePictures
from tests.pdf_files import column, pdf, scan
from tests.pipeline.web.pages.conftest import pages_of
from tests.pipeline.web.pages.library import Library, at

RULING = "https://court.example/ruling.pdf"
PAGES = pdf(
    *[column([f"Page {number} of the ruling speaks of berths."]) for number in range(1, 12)],
    column(["The pilots were not heard <b>at all</b> on the tax."]),
)


def keep(library: Library, url: str, data: bytes) -> None:
    found = read(Page(url, data, "application/pdf")).article
    assert found is not None
    made: dict[str, Any] = {"text": found.text or "", "title": found.title or "", "structure": found.structure}
    library.keep((url, at("2026-01-01T10:00:00"), {"body": data, "kind": "application/pdf", **made}))


@pytest.fixture
def client(library: Library, tmp_path: Path) -> TestClient:
    keep(library, RULING, PAGES)
    return pages_of(library, tmp_path)


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(SIGNATURE)
    return struct.unpack("!II", picture[16:24])


def test_a_hit_is_shown_on_its_page_beside_the_picture(client: TestClient) -> None:
    (link,) = html.fromstring(client.get("/search", params={"q": "Pilots heard"}).text).xpath("//h3/a/@href")
    page = client.get(link).text
    tree = html.fromstring(page)
    assert "page 12" in tree.xpath("string(//*[@role='status'])")
    (section,) = tree.xpath("//section[@id='sheet-12']")
    assert section.xpath(".//*[contains(@class, 'hit')]")[0].text_content() == (
        "The pilots were not heard <b>at all</b> on the tax."
    )
    (box,) = section.xpath(".//*[local-name()='rect']")
    assert float(box.get("x")) == 72.0
    assert 842 - 760 - 12 < float(box.get("y")) < 842 - 760
    assert not tree.xpath("//*[@style]")
    (source,) = section.xpath(".//img/@src")
    reply = client.get(source)
    assert reply.headers["content-type"] == "image/png"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert size(reply.content) == (1000, 1416)
    first = html.fromstring(client.get("/read", params={"url": RULING}).text)
    assert len(first.xpath("//section[@class='sheet']")) == 10


def test_what_is_no_page_of_a_pdf_file_has_no_picture(client: TestClient, library: Library) -> None:
    library.keep(("https://a.example/", at("2026-01-01T10:00:00"), {"text": "Text", "title": "T"}))
    for number in ("0", "13", "-1", "x", "1e3", "9999999", ""):
        assert client.get("/picture", params={"url": RULING, "number": number}).status_code == 404
    assert client.get("/picture", params={"url": "https://a.example/", "number": "1"}).status_code == 404


def test_pictures_are_bounded_whatever_a_page_says_its_size_is() -> None:
    wide = pdf(b" ").replace(b"[0 0 595 842]", b"[0 0 14400 3]")
    high = pdf(b" ").replace(b"[0 0 595 842]", b"[0 0 3 14400]")
    for data in (wide, high, scan()):
        picture = drawn(PictureTask(data, 1, 1000))
        assert picture is not None
        width, height = size(picture)
        assert width * height <= 8_100_000
        assert max(width, height) <= 20_000
    assert drawn(PictureTask(b"%PDF-1.4", 1, 1000)) is None
    rows = zlib.decompress(drawn(PictureTask(pdf(b"1 0 0 rg 0 0 595 842 re f"), 1, 10))[41:-16])  # type: ignore[index]
    assert rows[:4] == b"\0\xff\0\0"  # red, in the order in which PNG has colours


def test_only_a_png_picture_is_given_out(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(library, RULING, PAGES)
    pictures = PagePictures(Reading(library.archive))
    snapshot = next(iter(library.archive.snapshots(RULING)))
    monkeypatch.setattr("pipeline.web.common.page_pictures.SIGNATURE", b"<svg")
    try:
        with pytest.raises(EntityError):
            pictures.picture(snapshot, 1)
    finally:
        pictures.close()


def test_a_capture_that_is_withheld_later_has_no_picture_though_one_is_held(
    client: TestClient, library: Library
) -> None:
    asked = {"url": RULING, "number": "2"}
    assert client.get("/picture", params=asked).status_code == 200
    library.archive.notices.add(Rule(RULING, reason="by order"))
    library.archive.refresh()
    assert client.get("/picture", params=asked).status_code == 451
