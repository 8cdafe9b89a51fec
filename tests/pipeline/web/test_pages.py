"""Pages for people: what they say, where they lead, and that a stranger's text does nothing in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.model import Article, Document, Embed
from archive.warcs import RunSettings
from pipeline.web.app import create_app
from pipeline.web.reader import Reader
from storage.memory import MemoryStore
from tests.exchanges import NOON, an_exchange

URL = "http://example.org/a?b=c&d"
HOSTILE = "<script>alert(1)</script>\u202e\x00\"'><img src=x onerror=alert(2)>"
DAY = timedelta(days=1)


class Tags(HTMLParser):
    """The elements of a page, and its links."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    @property
    def links(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name == "href"]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(MemoryStore(), spool=tmp_path / "spool")
    made.prepare()
    return made


@pytest.fixture
def client(archive: Archive, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Reader(archive, tmp_path / "words.sqlite")), follow_redirects=False) as client:
        yield client


def keep(
    archive: Archive, days: int, body: str, article: Article | None = None, url: str = URL, status: int = 200
) -> None:
    session = archive.session(RunSettings("test/1"))
    snapshot = session.add(an_exchange(url, body.encode(), at=NOON + days * DAY, status=status), page=True)
    if article is not None and not snapshot.revisit:
        place = (snapshot.record.key, snapshot.record.offset)
        session.add_document(Document(url, snapshot.timestamp, snapshot.record_id, snapshot.digest, *place, article))
    session.commit()
    archive.refresh()


@pytest.fixture
def edited(archive: Archive) -> None:
    """A page captured, captured again unchanged, edited twice, and gone."""
    for day, words in (
        (0, "The mayor knew."),
        (1, "The mayor knew."),
        (2, "The mayor may have known."),
        (40, "Nobody knew."),
    ):
        text = f"An account of the harbour. {words} It ends here."
        keep(
            archive,
            day,
            text,
            Article(title="The harbour", text=text, author="A. Writer", language="en", extractor="t 1"),
        )
    keep(archive, 41, "gone", status=404)


def test_an_empty_archive_says_what_to_do(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "onrecord capture URL" in answer.text


@pytest.mark.usefixtures("edited")
def test_words_lead_to_a_text(client: TestClient) -> None:
    answer = client.get("/search", params={"q": "harbour"})
    assert "3 texts found" in answer.text
    assert "<mark>harbour</mark>" in answer.text
    for link in Tags(answer.text).links:
        if link.startswith("/read/"):
            assert client.get(link).status_code == 200
    assert "Nothing found" in client.get("/search", params={"q": "zeppelin"}).text
    assert client.get("/search", params={"q": '"'}).status_code == 400
    assert client.get("/search", params={"q": URL}).headers["location"] == f"/history/{URL}"


@pytest.mark.usefixtures("edited")
def test_a_history_tells_what_became_of_a_page(client: TestClient) -> None:
    answer = client.get(f"/history/{URL}")
    assert answer.status_code == 200
    states = re.findall(r'class="state (\w+)">', answer.text)
    assert states == ["gone", "new", "new", "same", "new"], "the newest first"
    assert "✕ 404" in answer.text
    links = [link for link in Tags(answer.text).links if link.startswith(("/read/", "/compare/", "/web/"))]
    assert len([link for link in links if link.startswith("/compare/")]) == 3
    for link in links:
        assert client.get(link).status_code in {200, 404}, link


@pytest.mark.usefixtures("edited")
def test_a_text_stands_beside_its_evidence(client: TestClient, archive: Archive) -> None:
    snapshot = next(archive.snapshots(URL))
    answer = client.get(f"/read/20261123120000/{URL}")
    for part in ("The mayor knew.", "A. Writer", snapshot.digest, snapshot.record.key, "later →", "all captures"):
        assert part in answer.text
    assert snapshot.record_id.strip("<>") in answer.text
    assert 'lang="en"' in answer.text


@pytest.mark.usefixtures("edited")
def test_a_comparison_shows_what_was_taken_out_and_put_in(client: TestClient) -> None:
    answer = client.get(f"/compare/20261123120000/20261125120000/{URL}")
    assert "<del><bdi>knew</bdi></del>" in answer.text
    assert "<ins><bdi>may have known</bdi></ins>" in answer.text
    assert "text 2 of 3" in answer.text
    (following,) = [link for link in Tags(answer.text).links if link.startswith("/compare/")]
    assert "text 3 of 3" in client.get(following).text
    assert "The texts are the same" in client.get(f"/compare/20261123120000/20261124120000/{URL}").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/history/http://nowhere.example/", 404),
        ("/read/20261123120000/http://nowhere.example/", 404),
        ("/compare/2026/2027/http://nowhere.example/", 404),
        ("/read/20269999/http://example.org/", 400),
        ("/history/", 400),
    ],
)
def test_what_cannot_be_shown_is_a_page_that_says_so(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


def test_a_strangers_text_does_nothing(client: TestClient, archive: Archive) -> None:
    url = "http://evil.example/?q=%22%3E%3Cscript%3E"
    embed = Embed("scribd", "javascript:alert(3)", reason=HOSTILE)
    for day in (0, 1):
        words = f"harbour {HOSTILE} {day}"
        article = Article(
            title=HOSTILE,
            text=words,
            author=HOSTILE,
            sitename=HOSTILE,
            language='en" onload="x',
            extractor=HOSTILE,
            embeds=(embed,),
        )
        keep(archive, day, words, article, url)
    pages = ["/search?q=harbour", f"/search?q={quote(HOSTILE)}", f"/history/{url}", f"/read/20261123120000/{url}"]
    pages += [f"/compare/20261123120000/20261124120000/{url}", f"/history/http://x.example/{quote(HOSTILE)}"]
    for path in pages:
        answer = client.get(path)
        tags = Tags(answer.text)
        assert not {"script", "img", "iframe", "object", "svg"} & set(tags.tags), path
        assert not [name for name, _ in tags.attributes if name.startswith("on")], path
        assert all(link.startswith(("/", "#")) for link in tags.links), tags.links
        assert "\u202e" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_the_style_is_ours_and_asks_for_nothing(client: TestClient) -> None:
    style = client.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert "@import" not in style.text
