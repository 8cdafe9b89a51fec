"""An index from a stranger behind the HTTP interface: what it holds breaks no answer and adds no header."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.runs.warc_files import RunSettings
from pipeline.web.app import create_app
from pipeline.web.common.archive_reader import Reading
from storage.memory import MemoryStore
from tests.archive.forged import forge, line
from tests.exchanges import NOON, an_exchange

URL = "http://example.org/a"
PATHS = (
    "/cdx?url=example.org/*", "/cdx?url=example.org/*&output=json", "/index?url=example.org/*",
    f"/timemap/link/{URL}", f"/timemap/json/{URL}", f"/timegate/{URL}", f"/web/20261123120000/{URL}",
    f"/web/20261123130000/{URL}", f"/web/20261123130001/{URL}", f"/web/20261123140001/{URL}",
)  # fmt: skip


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A capture whose line was written anew, with half characters and line breaks wherever there is a text."""
    store = MemoryStore()
    archive = Archive(store, spool=tmp_path / "spool")
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(URL, b"<p>one</p>", at=NOON), page=True)
    session.commit()
    archive.refresh()
    (snapshot,) = archive.snapshots(URL)
    odd = "\ud800\r\nX-Injected: 1"
    fields = {"title": odd, "etag": odd, "redirect": f"http://x/{odd}", "mime": odd, "digest": odd}
    place = {"offset": str(snapshot.record.offset), "length": str(snapshot.record.length), "run": snapshot.run}
    lines = [
        line(recordId=f"<urn:{odd}>", **fields, **place),
        line(stamp="20261123130000", recordId=snapshot.record_id, **fields, **place),
        line(stamp="20261123140000", url=f"{URL}?\ud800", recordId=snapshot.record_id, **fields, **place),
    ]
    forge(store, run="20261123T120000Z-00000001", lines=lines)
    archive.refresh()
    return TestClient(create_app(Reading(archive), 8081), follow_redirects=False)


@pytest.mark.parametrize("path", PATHS)
def test_no_line_of_an_index_breaks_an_answer(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in {200, 302, 502}
    assert "x-injected" not in answer.headers
    assert all(value.isprintable() for value in answer.headers.values())
    assert answer.content or answer.status_code == 302
