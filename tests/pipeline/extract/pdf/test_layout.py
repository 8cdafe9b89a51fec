"""From the places of words to paragraphs, notes and headings: columns, hyphens, running heads, tables, repairs."""

from __future__ import annotations

import textwrap

import pytest

from archive.model import Article
from pipeline.extract.article import read, to_markdown
from pipeline.extract.tasks import Page, Reading
from tests.pdf_files import bomb, column, encrypted, pdf, scan, shared_pages, without_map

PROSE = (
    "The harbour council met on Tuesday evening to hear what the pilots think of the new berths at the quay and of the "
    "tax on crates which the town has raised since spring although nobody was asked about it in the open meeting"
).split()
LEFT, RIGHT = 60, 320


def lines_of(words: list[str], width: int = 72) -> list[str]:
    return textwrap.wrap(" ".join(words), width)


def reading(data: bytes, kind: str = "application/pdf") -> Reading:
    return read(Page("http://x.example/a.pdf", data, kind))


def article(data: bytes) -> Article:
    found = reading(data)
    assert found.problem is None, found.problem
    assert found.article is not None
    return found.article


def kinds(found: Article) -> list[tuple[str, str]]:
    text, structure = found.text or "", found.structure
    assert structure is not None
    return [(each.kind, text[each.start : each.end]) for each in structure.paragraphs]


def test_columns_are_read_one_after_the_other_and_paragraphs_go_on_between_them() -> None:
    words = PROSE * 4
    lines = lines_of(words, 40)
    half = len(lines) // 2
    rows = sorted(column(lines[:half], LEFT) + column(lines[half:], RIGHT), key=lambda line: -line[1])  # row by row
    assert article(pdf(rows)).text == " ".join(words)


def test_a_word_parted_at_a_lines_end_is_whole_and_one_with_a_hyphen_keeps_it() -> None:
    text = ["The well-known har-", "bour council met the long-", "term pilots on a quay that is long-term leased."]
    assert article(pdf(column(text))).text == (
        "The well-known harbour council met the long-term pilots on a quay that is long-term leased."
    )


def test_notes_stand_apart_and_their_marks_are_not_in_the_text() -> None:
    body = column(lines_of(PROSE))
    last = body[-1]
    mark = (LEFT + 180, body[1][1] + 4, 6, "1")
    note = [(72, 100, 6, "1"), (78, 97, 7.5, "See the minutes of the council,"), (72, 88, 7.5, "volume seven.")]
    found = article(pdf([*body, mark, *note]))
    assert kinds(found) == [("text", " ".join(PROSE)), ("note", "1 See the minutes of the council, volume seven.")]
    assert found.structure is not None
    page, left, top, right, foot = found.structure.paragraphs[0].boxes[0]
    assert (page, left) == (1, 72.0)
    assert 842 - 760 - 10 < top < 842 - 760 < 842 - last[1] < foot < 842 - last[1] + 5
    assert right > 300
    markdown = to_markdown(Page("http://x.example/a.pdf", pdf([*body, mark, *note]), "application/pdf"))
    assert markdown == " ".join(PROSE) + "\n\n---\n\n1 See the minutes of the council, volume seven."


def test_running_heads_and_page_numbers_are_no_text_and_headings_are_marked() -> None:
    parts = {name: " ".join(PROSE[at:] + PROSE[:at]) for at, name in enumerate(("first", "second", "third"))}
    pages = [
        [
            (72, 805, 8, f"Quay Gazette {number + 10}"),
            (72, 770, 16, f"Part the {name}"),
            *column(lines_of(text.split()), y=740),
            (290, 40, 9, str(number)),
        ]
        for number, (name, text) in enumerate(parts.items(), 1)
    ]
    found = kinds(article(pdf(*pages)))
    assert [text for kind, text in found if kind == "heading"] == [f"Part the {name}" for name in parts]
    assert [text for kind, text in found if kind == "text"] == [*parts.values()]


def test_numbered_paragraphs_and_rows_of_a_table_stand_by_themselves() -> None:
    numbered = [f"[{at}] This paragraph of the ruling has a line that is full and" for at in range(1, 5)]
    lines = [line for each in numbered for line in (each, "another one of just the same length, as good as full up.")]
    text = article(pdf(column(lines))).text
    assert text is not None
    assert [line[:3] for line in text.split("\n")] == ["[1]", "[2]", "[3]", "[4]"]
    rows = [(f"Quay {at}", f"{at * 37} tonnes", f"19{at + 10}") for at in range(1, 10)]
    cells = [
        cell
        for at, row in enumerate(rows)
        for cell in zip((72, 220, 400), (700 - at * 14,) * 3, (10,) * 3, row, strict=True)
    ]
    assert article(pdf(cells)).text == "\n".join(" ".join(row) for row in rows)


def test_raised_digits_that_are_no_notes_are_kept() -> None:
    found = article(pdf([(72, 700, 10, "An area of 20 m"), (142, 704, 6, "2"), (150, 700, 10, "at the quay.")]))
    assert found.text == "An area of 20 m\u00b2 at the quay."


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_pages_that_are_shown_turned_read_alike_and_boxes_are_those_that_a_reader_sees(turn: int) -> None:
    found = article(pdf(column(lines_of(PROSE)), page=f"/Rotate {turn}"))
    assert found.text == " ".join(PROSE)
    assert found.structure is not None
    width, height = found.structure.pages[0]
    assert (width, height) == ((842, 595) if turn % 180 else (595, 842))
    _, left, top, right, foot = found.structure.paragraphs[0].boxes[0]
    assert 0 < left < right < width
    assert 0 < top < foot < height
    near = {0: (left, 72), 90: (top, 72), 180: (width - right, 72), 270: (height - foot, 72)}[turn]
    assert near[0] == pytest.approx(near[1], abs=1)


WHOLE = pdf(column(lines_of(PROSE)), column(lines_of(PROSE[::-1])))
LACKING = {
    "scan": (scan(2), "no-text-layer"),
    "nothing at all": (pdf(b" "), "no-text-layer"),
    "password": (encrypted(WHOLE, "secret"), "password"),
    "glyph numbers": (without_map("What nobody can read"), "no-unicode-map"),
    "no file": (b"%PDF-1.4 and nothing behind it", "extraction-failed"),
    "empty": (b"", "extraction-failed"),
}


@pytest.mark.parametrize("name", LACKING)
def test_a_document_without_a_text_says_why(name: str) -> None:
    data, outcome = LACKING[name]
    found = reading(data)
    assert (found.outcome, found.article and found.article.text) == (outcome, None)
    assert found.problem
    assert found.article is not None
    assert found.article.structure is not None
    assert found.article.structure.lacks_text == outcome


def test_a_damaged_file_is_repaired_and_says_how_much_of_it_there_is() -> None:
    table = WHOLE.index(b"xref\n0 1")
    whole = reading(WHOLE[:table])
    assert whole.problem is None
    assert whole.article is not None
    assert whole.article.text == article(WHOLE).text
    assert any("repair" in note for note in whole.notes)
    second = WHOLE.index(b"12 0 obj")
    cut = reading(WHOLE[:second])
    assert (cut.outcome, cut.problem) == (
        "text-incomplete",
        "the PDF file is damaged: 1 of 2 pages were found in it",
    )
    assert cut.article is not None
    assert cut.article.text == " ".join(PROSE)


def test_an_empty_password_opens() -> None:
    assert article(encrypted(WHOLE, "")).text == article(WHOLE).text


def test_a_picture_of_a_page_among_others_is_noted() -> None:
    data = scan().replace(b"/Count 1", b"/Count 1")
    assert reading(data).notes == ("no text layer on page 1",)


def test_the_first_bytes_decide_where_the_type_says_nothing() -> None:
    for kind in ("application/octet-stream", "text/html", "", "text/plain"):
        found = reading(WHOLE, kind)
        assert found.article is not None
        assert found.article.structure is not None, kind
    page = b"<!doctype html><title>Not here</title><p>" + b"Nothing is here for you to read. " * 9
    found = reading(page, "application/pdf")
    assert found.article is not None
    assert found.article.structure is None
    assert found.article.title == "Not here"
    other = reading(b"PK\3\4" + bytes(100), "application/octet-stream")
    assert other.article is not None
    assert (other.article.text, other.article.structure, other.problem) == (None, None, None)


@pytest.mark.full
def test_a_file_of_a_hundred_thousand_pages_is_read_up_to_a_limit() -> None:
    found = reading(shared_pages(5))
    assert found.outcome == "text-incomplete"
    assert "of 100,000" in (found.problem or "")
    assert found.article is not None
    assert found.article.text


def test_a_page_in_an_object_stream_is_found() -> None:
    assert reading(bomb(1 << 20)).outcome == "no-text-layer"  # the page is there, and nothing is on it
