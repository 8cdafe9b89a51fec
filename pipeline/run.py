"""The whole story of a run, readable from top to bottom.

Targets come in, exchanges come back from the network, each is written to the session before anything else is done with
it; new pages go to the extractors, and come back as documents and as further targets; a target whose records are
durable is acknowledged; at the end the run is committed. A run whose writer was killed is taken up where it was left,
by the next invocation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from archive.archive import Archive
from archive.model import Manifest, Outcome, Target
from archive.session import RunSettings, Session
from pipeline.capture.apart import fetch_apart
from pipeline.capture.settings import FetchSettings
from pipeline.crawl.frontier import Frontier
from pipeline.crawl.rules import Rules
from pipeline.extract.pool import ExtractorPool
from pipeline.writing import Report, Writing
from storage.errors import StoreError

_TICK = 0.05  # seconds without a result after which waiting outcomes are looked at all the same


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """How a run captures and extracts."""

    fetch: FetchSettings
    run: RunSettings
    rules: Rules = field(default_factory=Rules)
    workers: int = 2
    decoded_limit: int = 100_000_000  # bytes of a page after its content codings are undone
    extract_time: float = 60.0  # seconds a page
    extract_memory: int = 2_000_000_000  # bytes a page


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: its manifest once it is committed, else why it waits in the spool."""

    run: str
    manifest: Manifest | None
    counts: dict[str, int]
    waiting: str | None = None


def capture_all(archive: Archive, targets: Iterable[Target], options: CaptureOptions, report: Report) -> RunResult:
    """Capture targets, and what they lead to, into a new run.

    `report` is given each outcome and its line once its records are durable. Raises StoreError when the local spool
    fails. A store that cannot take the run is told in the result.
    """
    with closing(archive.session(options.run)) as session, _pool(options) as pool:
        frontier = Frontier(targets, options.rules, session.last)
        writing = Writing(session, pool, frontier, report, options.rules, options.decoded_limit)
        with closing(fetch_apart(frontier, options.fetch, session.work, tick=_TICK)) as results, closing(frontier):
            for fetched in results:
                if fetched is not None:
                    writing.take(fetched)
                writing.advance()
        writing.finish()
        return _commit(session)


def recover(archive: Archive, options: CaptureOptions) -> Iterator[RunResult]:
    """Finish and publish the runs whose writer is gone, one after the other."""
    for session in archive.recover():
        with closing(session), _pool(options) as pool:
            writing = Writing(session, pool, None, _silent, options.rules, options.decoded_limit)
            for snapshot in session.pending:
                writing.resume(snapshot)
            writing.finish()
            yield _commit(session)


def _pool(options: CaptureOptions) -> ExtractorPool:
    return ExtractorPool(options.workers, time_limit=options.extract_time, memory_limit=options.extract_memory)


def _commit(session: Session) -> RunResult:
    counts = session.counts()
    try:
        return RunResult(session.run, session.commit(), counts)
    except StoreError as error:
        return RunResult(session.run, None, counts, waiting=str(error))


def _silent(_outcome: Outcome, _line: bytes) -> None:
    """Nobody waits for the outcomes of a run that was killed."""
