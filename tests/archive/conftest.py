"""An archive in memory, and runs for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.model import Exchange, Outcome
from archive.runs.warc_files import RunSettings
from storage.memory import MemoryStore
from tests.exchanges import a_document

Keep = Callable[..., str]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def archive(store: MemoryStore, tmp_path: Path) -> Archive:
    made = Archive(store, spool=tmp_path / "spool", cache=tmp_path / "cache")
    made.prepare()
    return made


@pytest.fixture
def keep(archive: Archive) -> Keep:
    """Commit exchanges as one run, each page with its document; returns the run's name."""

    def keep(*exchanges: Exchange, **settings: object) -> str:
        session = archive.session(RunSettings("test/1", **settings))  # type: ignore[arg-type]
        for exchange in exchanges:
            page = 200 <= exchange.status < 300 or exchange.status == 304
            snapshot = session.add(exchange, page=page)
            if page and not snapshot.revisit:
                session.add_document(a_document(snapshot))
            session.add_outcome(Outcome(exchange.url, "ok", "2026-11-23T12:00:00Z", status=exchange.status))
        manifest = session.commit()
        assert manifest is not None
        archive.refresh()
        return manifest.run

    return keep
