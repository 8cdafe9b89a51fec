"""The search index: what it finds, in which scripts, and that it can always be made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import IntegrityError
from archive.model import Article, Document
from archive.search import Hit, SearchIndex, SearchUnavailable
from storage.errors import ObjectMissing

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
TEXTS = {
    "https://quay.example/court": ("An open court", "Mirela Stam", "The harbour court is open to whoever walks in."),
    "https://quay.example/tax": ("The harbour tax", "Joost Akker", "Every crate pays a tax; the court is silent."),
    "https://blog.quay.example/zug": ("Der Nachtzug", None, "Die Bürger grüßen den Zug über der Brücke."),
    "https://other.example/zh": ("港口法院", None, "港口法院今天向公众开放。"),
    "https://other.example/ja": ("夜行列車", None, "夜行列車は急ぐことへの反論である。"),
    "https://other.example/th": ("ศาล", None, "ศาลท่าเรือเปิดให้ทุกคนเข้าชมแล้ววันนี้"),
}


def documents(run: str) -> Iterator[Document]:
    if run == "damaged":
        raise IntegrityError("a line is damaged")
    if run == "without":
        raise ObjectMissing("runs/without/pages/pages.jsonl")
    for number, (url, (title, author, text)) in enumerate(TEXTS.items()):
        article = Article(
            title=title, author=author, text=text, comments="A reader wrote: gulls." if number == 0 else None
        )
        moment = START + timedelta(days=number)
        yield Document(url, moment, f"<urn:{number}>", "sha256:0", "runs/x", number, article)
    yield Document(
        "https://quay.example/court", START, "<urn:same>", "sha256:0", "k", 0, Article(title="x"), same_as="<urn:0>"
    )
    if run == "again":
        article = Article(title="An open court", text="The bench, made again.")
        yield Document("https://quay.example/court", START, "<urn:0>", "sha256:0", "runs/x", 0, article)


@pytest.fixture
def index() -> Iterator[SearchIndex]:
    made = SearchIndex(None, documents, lambda *_: True)
    assert made.refresh(["one"]) == []
    yield made
    made.close()


def found(index: SearchIndex, question: str, **filters: object) -> list[str]:
    return [hit.url.removeprefix("https://") for hit in index.search(question, **filters)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("harbour open", ["quay.example/court"]),
        ("HARBOUR", ["quay.example/court", "quay.example/tax"]),
        ('"harbour court"', ["quay.example/court"]),
        ('"court harbour"', []),
        ("court -tax", ["quay.example/court"]),
        ("title:harbour", ["quay.example/tax"]),
        ("author:akker", ["quay.example/tax"]),
        ("comments:gulls", ["quay.example/court"]),
        ("crat*", ["quay.example/tax"]),
        ("burger grussen", []),
        ("burger", ["blog.quay.example/zug"]),
        ("Brücke", ["blog.quay.example/zug"]),
        ("法院", ["other.example/zh"]),
        ("法院今天", ["other.example/zh"]),
        ("天今", []),
        ("列車", ["other.example/ja"]),
        ("ท่าเรือ", ["other.example/th"]),
        ("nowhere:court", []),
        ("court AND tax OR NEAR", []),
        ('court") OR ("', []),
        ("harbour'; DROP TABLE words; --", []),
    ],
)
def test_questions(index: SearchIndex, question: str, expected: list[str]) -> None:
    assert sorted(found(index, question)) == sorted(expected)


@pytest.mark.parametrize("question", ["", "   ", "-only", '""', "***", "- -", ":::", "\x00"])
def test_questions_without_a_word(index: SearchIndex, question: str) -> None:
    with pytest.raises(SearchUnavailable):
        list(index.search(question))


def test_filters(index: SearchIndex) -> None:
    assert found(index, "court", site="quay.example", limit=1) != []
    assert found(index, "zug", site="quay.example") == ["blog.quay.example/zug"]
    assert found(index, "zug", site="ay.example") == []
    assert found(index, "zug", site="%") == []
    assert found(index, "court", start=START + timedelta(days=1)) == ["quay.example/tax"]
    assert found(index, "court", end=START) == ["quay.example/court"]


def test_snippets_show_what_was_found(index: SearchIndex) -> None:
    (hit,) = index.search("walks")
    assert isinstance(hit, Hit)
    assert "whoever \x02walks\x03 in" in hit.snippet
    (hit,) = index.search("法院今天")
    assert hit.title == "港口法院"
    assert hit.snippet.replace("\x02", "").replace("\x03", "").startswith("港口法院今天")


def test_new_runs_are_taken_in_once_and_texts_made_again_take_their_place(index: SearchIndex) -> None:
    index.refresh(["one"])
    assert len(found(index, "court")) == 2
    index.refresh(["one", "again"])
    assert found(index, "bench") == ["quay.example/court"]
    assert found(index, "walks") == []


def test_a_damaged_run_hides_no_other(index: SearchIndex) -> None:
    faults = index.refresh(["one", "damaged", "without", "again"])
    assert len(faults) == 2
    assert "damaged" in faults[0]
    assert "without" in faults[1]
    assert found(index, "bench") == ["quay.example/court"]


def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "search.sqlite"
    for content in (
        None,
        b"no database at all, but long enough to be taken for one" * 100,
        b"SQLite format 3\x00" + bytes(5000),
    ):
        if content is not None:
            path.write_bytes(content)
        index = SearchIndex(path, documents, lambda *_: True)
        index.refresh(["one"])
        assert found(index, "walks") == ["quay.example/court"]
        index.close()


def test_an_index_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    index = SearchIndex(path, documents, lambda *_: True)
    index.refresh(["one"])
    index._database.execute("PRAGMA max_page_count = 1")  # as a full disk
    with pytest.raises(SearchUnavailable, match=r"search\.sqlite cannot be used .*full.*: free space"):
        index.refresh([f"run {number}" for number in range(50)])
    index.close()
    sound = path.read_bytes()
    path.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    with pytest.raises(SearchUnavailable, match="or remove it"):
        list(SearchIndex(path, documents, lambda *_: True).search("walks"))
