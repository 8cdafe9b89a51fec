"""PDF files from capture and import to search, comparison, alerts, and texts that are made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.formats.outcomes_jsonl import parse_outcome
from pipeline.watch.observation import observed
from tests.command import Command
from tests.pdf_files import bomb, column, encrypted, pdf, scan, shared_pages, without_map
from tests.site import Site, answer

RULING = ["The harbour court holds that the decision of the", "council was made without a hearing of the pilots."]
LATER = ["The harbour court holds that the decision of the", "council was made after a hearing of the pilots."]
TITLE = "/Title(Ruling of the Harbour Court)/Author(M. Judge)/CreationDate(D:20240305101500+01'00')"


def served(data: bytes, kind: str = "application/pdf") -> bytes:
    return answer(data, kind=kind)


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


def test_pdf_texts_are_captured_found_compared_and_printed(onrecord: Command) -> None:
    with Site() as site:
        ruling, url = pdf(column(RULING), info=TITLE), site.url("/ruling")
        site.answers |= {
            "/ruling": served(ruling, "application/octet-stream"),
            "/scan": served(scan()),
            "/closed": served(encrypted(ruling, "secret")),
            "/glyphs": served(without_map("unreadable")),
            "/zip": served(b"PK\3\4" + bytes(1000), "application/octet-stream"),
        }
        done = onrecord.capture(*map(site.url, sorted(site.answers)))
        outcomes = {line["url"].rpartition("/")[2]: line["outcome"] for line in done.lines}
        assert done.code == 3
        assert outcomes == {
            "ruling": "ok", "scan": "no-text-layer", "closed": "password", "glyphs": "no-unicode-map", "zip": "ok",
        }  # fmt: skip
        assert onrecord("get", url).out == " ".join(RULING) + "\n"
        assert onrecord("get", "--format", "markdown", url).out.startswith(
            "# Ruling of the Harbour Court\n\nThe harbour"
        )
        [entry] = onrecord("get", "--format", "json", url).lines
        assert (entry["title"], entry["author"], entry["date"]) == (
            "Ruling of the Harbour Court",
            "M. Judge",
            "2024-03-05",
        )
        structure = entry["structure"]
        assert (structure["format"], structure["pages"]) == ("pdf", [[595.0, 842.0]])
        [paragraph] = structure["paragraphs"]
        assert entry["text"][paragraph["start"] : paragraph["end"]] == " ".join(RULING)
        assert paragraph["boxes"][0][:2] == [1, 72.0]
        refused = onrecord("get", site.url("/scan"))
        assert (refused.code, refused.out) == (4, "")
        assert "no-text-layer" in refused.err
        [hit] = onrecord("--json", "search", "pilots hearing").lines
        assert hit["url"] == url
        # Another file with the same text, then one with another text.
        onrecord.next_second()
        site.answers["/ruling"] = served(pdf(column(RULING), info="/Producer(Another)"), "application/octet-stream")
        [same] = onrecord.capture(url).lines
        onrecord.next_second()
        site.answers["/ruling"] = served(pdf(column(LATER)), "application/octet-stream")
        [changed] = onrecord.capture(url).lines
    first = next(line for line in done.lines if line["url"] == url)
    assert first["digest"] != same["digest"]
    assert first["text"] == same["text"] != changed["text"]
    shown = onrecord("diff", url).out
    assert "[-without-]{+after+}" in shown


def test_observations_compare_texts_and_of_scans_their_bytes() -> None:
    line = b'{"url":"http://a.example/","timestamp":"2026-01-01T00:00:00Z","mime":"application/pdf","status":200,%b}'
    text = observed(parse_outcome(line % b'"outcome":"ok","digest":"sha256:1","text":"sha256:t"').outcome)
    picture = observed(parse_outcome(line % b'"outcome":"no-text-layer","digest":"sha256:2"').outcome)
    part = observed(parse_outcome(line % b'"outcome":"text-incomplete","digest":"sha256:3","text":"sha256:u"').outcome)
    assert [seen and seen.text for seen in (text, picture, part)] == ["sha256:t", "sha256:2", None]
    assert [seen and seen.state for seen in (text, picture, part)] == ["ok", "ok", "text-incomplete"]


@pytest.mark.full
def test_texts_of_pdf_files_are_made_of_older_archives_and_imported_ones(onrecord: Command, tmp_path: Path) -> None:
    with Site() as site:
        site.answers |= {
            "/ruling": served(pdf(column(RULING), info=TITLE)),
            "/plain": served(pdf(column(LATER)), "binary/octet-stream"),
            "/zip": served(b"PK\3\4" + bytes(1000), "application/octet-stream"),
        }
        onrecord.capture(*map(site.url, sorted(site.answers)))
        again = onrecord("--json", "extract", "--force")
        assert {line["url"].rpartition("/")[2]: line["outcome"] for line in again.lines} == {
            "ruling": "ok",
            "plain": "ok",
        }
        assert onrecord("get", site.url("/plain")).out == " ".join(LATER) + "\n"
        other = Command.at(tmp_path / "other", tmp_path / "other-home")
        warcs = sorted((tmp_path / "store").glob("runs/*/archive/*.warc.gz"))
        assert other("import", *map(str, warcs)).code == 0
        assert other("get", site.url("/ruling")).out == " ".join(RULING) + "\n"
        assert other("get", site.url("/plain")).out == " ".join(LATER) + "\n"


@pytest.mark.full
def test_hostile_files_have_named_outcomes_and_harm_no_other_page(onrecord: Command) -> None:
    prose = b"The harbour council met on Tuesday evening to hear what the pilots think of the new berths. " * 5
    with Site() as site:
        site.answers |= {
            "/bomb": served(bomb(8000 << 20)),
            "/pages": served(shared_pages(5)),
            "/page": answer(b"<!doctype html><title>Berths</title><article><p>" + prose + b"</article>"),
            "/ruling": served(pdf(column(RULING))),
        }
        done = onrecord.capture(*map(site.url, sorted(site.answers)))
        outcomes = {line["url"].rpartition("/")[2]: line["outcome"] for line in done.lines}
        assert done.code == 3
        assert outcomes.pop("bomb") in {"extractor-killed", "extraction-memory", "extraction-failed"}
        assert outcomes == {"page": "ok", "pages": "text-incomplete", "ruling": "ok"}
        assert onrecord("get", site.url("/ruling")).out == " ".join(RULING) + "\n"
        assert onrecord("verify").code == 0
