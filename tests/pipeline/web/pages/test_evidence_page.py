"""The page of evidence, which checks what it says; the files that it gives out; and the help page."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from archive.crypto import Signer
from pipeline.ingest.timestamping import EvidenceSettings, sign_now
from storage.local import LocalStore
from tests.pipeline.web.pages.conftest import pages_of
from tests.pipeline.web.pages.library import COURT, COURT_TEXTS, TAX, Library, at
from tests.pipeline.web.pages.test_pages import ask, text_of


@pytest.fixture
def kept(tmp_path: Path) -> Library:
    library = Library.empty(tmp_path, LocalStore(tmp_path / "store"))
    library.keep((COURT, at("2024-03-02T09:00:00"), {"text": COURT_TEXTS[0], "title": "An open court", "author": "Mirela Stam"}))  # fmt: skip
    return library


def test_what_is_kept_is_said_in_sentences_and_checked(kept: Library, tmp_path: Path) -> None:
    shown = text_of(ask(pages_of(kept, tmp_path), "/evidence", url=COURT))
    assert "gazette.example gave this answer on 2 March 2024 09:00:00 UTC, with the status 200" in shown
    assert "Checked now: all " in shown
    snapshot = next(iter(kept.archive.snapshots(COURT)))
    cited = f"Mirela Stam. “An open court”. {COURT}. Captured 2024-03-02T09:00:00Z. Record {snapshot.record_id}. "
    assert f"{cited}{snapshot.digest}." in shown


def test_damage_is_said_where_it_is_there(kept: Library, tmp_path: Path) -> None:
    record = next(iter(kept.archive.snapshots(COURT))).record
    file = tmp_path / "store" / record.key
    damaged = bytearray(file.read_bytes())
    middle = record.offset + record.length - 12  # the checksum of the record's gzip member stands behind its content
    damaged[middle] ^= 1
    file.chmod(0o644)
    file.write_bytes(damaged)
    shown = text_of(ask(pages_of(kept, tmp_path), "/evidence", url=COURT))
    assert "The stored bytes are damaged" in shown
    assert "Checked now" not in shown


def test_the_bundle_holds_once_a_checkpoint_is_signed(kept: Library, tmp_path: Path) -> None:
    client = pages_of(kept, tmp_path)
    answer = client.get("/bundle", params={"url": COURT})
    assert (answer.status_code, "onrecord evidence checkpoint" in answer.text) == (404, True)
    Signer.create(tmp_path / "key", "clinic.example")
    sign_now(kept.archive, EvidenceSettings(tmp_path / "key", tmp_path / "last", sign=True))
    kept.archive.refresh()
    answer = client.get("/bundle", params={"url": COURT})
    assert (answer.status_code, answer.headers["content-disposition"]) == (200, 'attachment; filename="evidence-20240302090000.zip"')  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert bundle.testzip() is None
        assert "index.html" in bundle.namelist()


def test_the_wacz_holds_that_snapshot_alone(pages: TestClient) -> None:
    answer = pages.get("/wacz", params={"url": TAX, "at": "20250110080000"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as wacz:
        lines = wacz.read("pages/pages.jsonl").splitlines()
    assert (answer.status_code, len(lines), TAX.encode() in lines[1]) == (200, 2, True)


def test_help_is_a_page_for_people_and_lines_for_programs(pages: TestClient) -> None:
    page = pages.get("/help", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "Page as captured" in page.text
    lines = pages.get("/help", headers={"accept": "*/*"})
    assert lines.headers["content-type"].startswith("text/plain")
    assert "/cdx?url=URL" in lines.text
