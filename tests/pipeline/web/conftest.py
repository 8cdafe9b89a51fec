"""An archive in memory behind the HTTP interface, without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from archive.archive import Archive
from archive.runs.warc_files import RunSettings
from storage.memory import MemoryStore
from tests.exchanges import NOON, an_exchange

BASE = "http://testserver"
URL = "http://example.org/a"
Keep = Callable[..., None]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(MemoryStore(), spool=tmp_path / "spool")
    made.prepare()
    return made


@pytest.fixture
def keep(archive: Archive) -> Keep:
    def keep(*exchanges: object) -> None:
        session = archive.session(RunSettings("test/1"))
        for exchange in exchanges:
            session.add(exchange, page=True)  # type: ignore[arg-type]
        session.commit()
        archive.refresh()

    return keep


@pytest.fixture
def client(archive: Archive) -> Iterator[TestClient]:
    from pipeline.web.app import create_app
    from pipeline.web.common.archive_reader import Reading

    with TestClient(create_app(Reading(archive), 8081), follow_redirects=False) as client:
        yield client


@pytest.fixture
def five(keep: Keep) -> None:
    """Five captures: a page thrice, the second time unchanged, one beside it, one of another host of the domain."""
    hour = timedelta(hours=1)
    keep(an_exchange(URL, b"one"), an_exchange("http://example.org/b?x=1", b"b", status=404))
    keep(an_exchange(URL, b"one", at=NOON + hour))
    keep(
        an_exchange(URL, b"two", at=NOON + 26 * hour),
        an_exchange("http://news.example.org/", b"n", at=NOON + 26 * hour, head=b"Content-Type: text/plain\r\n"),
    )
