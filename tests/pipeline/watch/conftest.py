"""A site that changes, a store, and a clock that is put ahead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive import times
from archive.archive import Archive
from pipeline.alerts.event import Event
from pipeline.cli.capture_options import options_of
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.capture_run import CaptureOptions
from pipeline.watch.history import Ledger
from pipeline.watch.lease import turn
from pipeline.watch.run_due import Ran, Settings, run_due, told
from pipeline.watch.watch_list import parsed
from storage.base import ObjectStore
from storage.local import LocalStore
from tests.site import Site, answer

DEFAULTS = {"allow_private": True, "delay": 0.0, "requisites": False, "timeout": 60.0, "connections": 16}


@pytest.fixture(scope="session")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(2, time_limit=60, memory_limit=2_000_000_000) as running:
        yield running


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    yield
    times.rehearse(timedelta(0))


def article(title: str, text: str) -> bytes:
    body = (
        f"<html lang=en><head><title>{title}</title></head><body><article><h1>{title}</h1><p>{text} What follows makes "
        "the paragraph long enough to be one: the council met, the harbour stayed where it was, nobody resigned.</p>"
        "<p>A second paragraph says in other words that the matter is not closed, and that the court will sit on it "
        "again before the winter, with its doors open to whoever cares to come.</p></article></body></html>"
    )
    return answer(body.encode())


def gone(status: str = "410 Gone") -> bytes:
    return answer(b"<html><body>No.</body></html>", status=status)


def feed(site: Site, *paths: str) -> bytes:
    items = "".join(f"<item><link>{site.url(path)}</link></item>" for path in paths)
    return answer(f"<rss><channel>{items}</channel></rss>".encode(), kind="application/rss+xml")


@dataclass
class Machine:
    """One machine that runs what is due, at whatever time it is told that it is."""

    folder: Path
    store: ObjectStore
    watches: str
    pool: ExtractorPool
    events: list[tuple[datetime, Event]] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))
    start: datetime = datetime(2026, 12, 1, tzinfo=UTC)
    requests: int = 0

    def at(self, since_start: timedelta) -> None:
        """Put the clock to a time."""
        times.rehearse(self.start + since_start - datetime.now(UTC))

    def options(self, given: Any) -> CaptureOptions:
        return replace(options_of(self.defaults, given), apart=False)

    @property
    def archive(self) -> Archive:
        return Archive(self.store, spool=self.folder / "spool", cache=self.folder / "cache")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "state" / "ledger.db")

    def run(self, *, limit: float = 600) -> Ran:
        """One `onrecord run`."""
        archive = self.archive
        archive.prepare()
        settings = Settings(self.options, self.folder / "state", limit, self.pool)
        with turn(archive.marks) as mine:
            ran = run_due(archive, parsed(self.watches, "here"), self.ledger, settings, lambda *_: None, mine)
        told(self.ledger, ran.tellings)
        self.events += [(times.now(), event) for event in ran.events]
        return ran

    def told(self) -> list[tuple[str, str]]:
        return [(event.kind, event.url) for _, event in self.events]


@pytest.fixture
def machine(tmp_path: Path, pool: ExtractorPool) -> Machine:
    return Machine(tmp_path / "one", LocalStore(tmp_path / "store"), "", pool)
