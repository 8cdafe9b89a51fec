"""The pages of collections: members with labels, notes and citations; what is withheld is named and no more."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from archive.access.rules import Rule
from archive.annotations import Subject, Words
from tests.pipeline.web.pages.conftest import pages_of
from tests.pipeline.web.pages.library import Library, at
from tests.pipeline.web.pages.test_pages import HOSTILE, text_of

POST, OTHER = "https://gazette.example/post", "https://gazette.example/other"


def _say(library: Library, url: str, *collections: str, label: str = "draft", note: str = "See page 2.") -> None:
    library.archive.annotations.add(Subject(url=url), Words(collections, (label,), note), None)


def _furnish(library: Library) -> None:
    more = {"author": "Joost Akker", "sitename": "The Gazette", "title": "An open court"}
    library.keep((POST, at("2026-01-01T00:00:00"), {"text": "The bench has decided.", "body": b"one", **more}))
    library.keep((OTHER, at("2026-01-02T00:00:00"), {"text": "The tax was doubled.", "body": b"two", "title": "A tax"}))


def test_a_collection_shows_its_members_with_citations(library: Library, tmp_path: Path) -> None:
    _furnish(library)
    client = pages_of(library, tmp_path)
    assert "no collection yet" in client.get("/collections").text
    _say(library, POST, "Case 7", "Port")
    _say(library, OTHER, "Port", label="read")
    assert [name in client.get("/collections").text for name in ("Case 7", "Port")] == [True, True]
    page = text_of(client.get("/collection?name=Case+7").text)
    (snapshot,) = library.archive.snapshots(POST)
    for part in ("Joost Akker. “An open court”. The Gazette.", POST, "Captured 2026-01-01T00:00:00Z", "See page 2."):
        assert part in page
    assert f"Record {snapshot.record_id}. {snapshot.digest}." in page
    assert "A tax" not in page
    assert page.count("draft") == 1
    read = text_of(client.get(f"/read?{urlencode({'url': POST})}").text)
    cited = text_of(client.get(f"/evidence?{urlencode({'url': POST})}").text)
    assert f"Record {snapshot.record_id}. {snapshot.digest}." in cited
    assert "See page 2." in read
    assert "A tax" in client.get("/search?collection=Port&q=tax").text
    assert "No text has all" in client.get("/search?collection=Case+7&q=tax").text
    assert client.get("/search?collection=Port").headers["location"] == "/collection?name=Port"
    assert client.get("/collection?name=none").status_code == 404
    assert client.get("/search?collection=none&q=tax").status_code == 400
    assert client.get("/static/copy.js").headers["content-type"].startswith("text/javascript")


def test_what_is_withheld_has_no_words_and_no_citation(library: Library, tmp_path: Path) -> None:
    _furnish(library)
    _say(library, POST, "Case 7", note="the name of a witness")
    library.archive.notices.add(Rule(POST, reason="Court order"))
    library.archive.refresh()
    page = pages_of(library, tmp_path).get("/collection?name=Case+7").text
    assert "withheld: Court order" in page
    assert [word in page for word in ("witness", "draft", "An open court", "sha256:")] == [False] * 4


def test_hostile_words_are_text(library: Library, tmp_path: Path) -> None:
    _furnish(library)
    name = "".join(letter for letter in HOSTILE if letter.isprintable())
    library.archive.annotations.add(Subject(url=POST), Words.checked([name], [name], name), None)
    client = pages_of(library, tmp_path)
    for path in ("/collections", f"/collection?{urlencode({'name': name})}", f"/read?{urlencode({'url': POST})}"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
